"""A bed of network namespaces: a host, and guests that reach nothing but it. The metadata address is the bed host's own, on
its `lo`; nobody has a default route, and the host forwards nothing unless a check says so."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import world

GATEWAY = "10.92.0.254"
"""The host's address towards each guest."""
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" + urllib.parse.quote("https://vault.azure.net", "")
PATIENCE = 20

ASK = """
import http.client, json, sys
address, path, source, timeout, count = sys.argv[1:]
said = []
for _ in range(int(count)):
    connection = http.client.HTTPConnection(address, 80, timeout=float(timeout), source_address=(source, 0) if source else None)
    try:
        connection.request("GET", path, headers={"Metadata": "true"})
        reply = connection.getresponse()
        said.append([reply.status, reply.read().decode()])
    except OSError as why:
        said.append([0, str(why) or type(why).__name__])
    finally:
        connection.close()
print(json.dumps(said))
"""
HOLD = """
import socket, sys
held = []
for _ in range(int(sys.argv[2])):
    try:
        one = socket.create_connection((sys.argv[1], 80), timeout=10)
        one.sendall(b"GET / HTTP/1.1\\r\\nHost: ")
        held.append(one)
    except ConnectionError:
        pass
print("held", flush=True)
sys.stdin.read()
"""
"""Holds as many connections as it gets, until told."""
CLAIM = """
import socket, sys
address, mac = socket.inet_aton(sys.argv[1]), open("/sys/class/net/eth0/address").read().strip()
mac = bytes.fromhex(mac.replace(":", ""))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
for operation in (1, 2):
    arp = b"\\x00\\x01\\x08\\x00\\x06\\x04" + operation.to_bytes(2, "big") + mac + address + b"\\xff" * 6 + address
    wire.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + arp)
"""
"""A gratuitous ARP, as request and as reply."""


class Network:
    """A network namespace, until `close`."""

    def __init__(self, name: str) -> None:
        self.name = name
        # /sys shows the devices of the namespace in which it was mounted.
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", "mount -t sysfs sysfs /sys && echo made && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.holder.stdout.readline() == "made\n", "no namespace"
        self.path = f"/proc/{self.holder.pid}/ns/net"
        assert os.readlink(self.path) != os.readlink("/proc/self/ns/net")
        self.enter = ["nsenter", f"--net={self.path}", f"--mount=/proc/{self.holder.pid}/ns/mnt"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command: str, check: bool = True, given: str | None = None) -> str:
        """Runs a command in it and gives what it says."""
        ended = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=60, check=False, input=given)
        assert not check or ended.returncode == 0, f"{command}: {ended.stderr}"
        return ended.stdout

    def ip(self, *arguments: str) -> str:
        """Does something to it."""
        return self.run("ip", *arguments)

    def sysctl(self, name: str, value: int) -> None:
        """Sets one of the network's own settings."""
        self.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}")

    def ask(self, path: str = TOKEN, source: str = "", timeout: float = 3, count: int = 1) -> list[tuple[int, str]]:
        """Requests from within, one after the other: status and body of each; 0 and why where nothing answers."""
        self.assert_no_way_out()
        said = self.run(sys.executable, "-c", ASK, world.IMDS, path, source, str(timeout), str(count))
        return [tuple(one) for one in json.loads(said)]

    def start(self, program: str, *arguments: str) -> subprocess.Popen:
        """Starts one of the programs above and leaves it running."""
        self.assert_no_way_out()
        command = [*self.enter, sys.executable, "-c", program, *arguments]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def assert_no_way_out(self) -> None:
        """The guard: no default route, and every link ends in a namespace of this bed or is a bridge of it."""
        assert "default" not in self.ip("route", "show", "table", "all"), "there is a default route"
        kinds = json.loads(self.ip("-details", "-json", "link"))
        other = [one["ifname"] for one in kinds if one.get("linkinfo", {}).get("info_kind") not in ("veth", "bridge") and one["ifname"] != "lo"]
        assert not other, f"{self.name} has links of another kind: {other}"

    def close(self) -> None:
        """Takes it away, and every link with it."""
        self.holder.kill()
        self.holder.communicate()


class Bed:
    """A host and its guests."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.host = self.network("host")
        self.host.ip("address", "add", f"{world.IMDS}/32", "dev", "lo")

    def network(self, name: str) -> Network:
        """One more namespace."""
        network = Network(name)
        self.stack.callback(network.close)
        return network

    def guest(self, name: str, address: str, bridge: str | None = None) -> Network:
        """A guest behind the host's device `tap-NAME`, which a bridge may have."""
        guest = self.network(name)
        self.connect(guest, address, bridge)
        return guest

    def connect(self, guest: Network, address: str, bridge: str | None = None) -> None:
        """Makes the link to a guest that has none."""
        device = f"tap-{guest.name}"
        self.host.ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", str(guest.holder.pid))
        if bridge:
            self.host.ip("link", "set", device, "master", bridge)
        else:
            self.host.ip("address", "add", f"{GATEWAY}/32", "dev", device)
        self.host.ip("link", "set", device, "up")
        guest.ip("address", "add", f"{address}/32", "dev", "eth0")
        guest.ip("link", "set", "eth0", "up")
        guest.ip("route", "add", f"{world.IMDS}/32", "via", GATEWAY, "dev", "eth0", "onlink")
        guest.ip("route", "add", f"{GATEWAY}/32", "dev", "eth0")

    def symbolon(self, *arguments: str, log: Path, files: int | None = None) -> "Symbolon":
        """Starts a symbolon on the host and waits until it is ready."""
        limit = ["prlimit", f"--nofile={files}:{files}"] if files else []
        return Symbolon([*self.host.enter, *limit, os.environ["COMPAT_SYMBOLON"], *arguments, "--json"], log)


class Symbolon:
    """A symbolon of the bed."""

    def __init__(self, command: list[str], log: Path) -> None:
        with log.open("a") as stderr:
            environment = {**os.environ, "SYMBOLON_LOG": "info"}
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.wait()}: {log.read_text()[-2000:]}"
        self.ready = json.loads(line)

    def __enter__(self) -> "Symbolon":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert ended == 0, f"asked to end, it ended with {ended}"


def within(look: Callable[[], object], what: str, seconds: float = PATIENCE) -> object:
    """Looks until there is something to see, and gives it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"no sign of {what} after {seconds} s"
        time.sleep(0.1)
    return seen
