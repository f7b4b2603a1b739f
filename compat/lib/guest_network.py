"""The network of one guest: a namespace of its own, and a link to the host's, which is that of the case. Nothing leads
further than to the host's addresses that are named, and several guests may have the same private address: the host
answers each over the link of the address, or of the ports, that it was asked from."""

import os
import subprocess
import sys
from pathlib import Path

PRIVATE_ADDRESS = "10.0.0.4"
"""What every guest has."""
FIRST_TABLE = 100

ASK = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers=dict(one.split('=', 1) for one in sys.argv[3:]))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    reply = opener.open(request, timeout=float(sys.argv[2]))
except urllib.error.HTTPError as why:
    reply = why
except OSError as why:
    sys.exit(f"nothing: {why}")
print(reply.status, reply.read().decode(), sep="\\n", end="")
"""


class NotIsolated(Exception):
    """A guest was about to start where it could reach more than its host."""


class GuestNetwork:
    """A guest's network, until `close`."""

    def __init__(self, number: int, own: str, shared: str) -> None:
        """The guest reaches the host's address `own`, which it has to itself, and `shared`, which others reach too.
        These tell each other apart by their ports: nothing else of two connections from one address differs."""
        self.link, self.table = f"guest{number}", str(FIRST_TABLE + number)
        self.reached = {own, shared}
        ports = f"{10_000 * (number + 1)}-{10_000 * (number + 1) + 9_999}"
        self.rules = [["from", own], ["from", shared, "ipproto", "tcp", "dport", ports]]
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo made; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.holder.stdout.readline() == "made\n", "no namespace"
        self.enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        assert os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net")
        try:
            self.connect(ports.replace("-", " "))
            self.assert_isolated()
        except BaseException:
            self.close()
            raise

    def connect(self, ports: str) -> None:
        """Makes the link and the ways over it, none of which is a default route."""
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        ip("link", "set", self.link, "up")
        for command in (
            ["ip", "link", "set", "lo", "up"],
            ["ip", "address", "add", f"{PRIVATE_ADDRESS}/24", "dev", "eth0"],
            ["ip", "link", "set", "eth0", "up"],
            *(["ip", "route", "add", f"{address}/32", "dev", "eth0"] for address in sorted(self.reached)),
            ["sh", "-c", f"echo {ports} > /proc/sys/net/ipv4/ip_local_port_range"],
        ):
            self.run(command)
        # Which way leads back is a matter of the rules; the check for a single way would refuse the shared address.
        for name in ("all", self.link):
            Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text("0")
        ip("route", "add", f"{PRIVATE_ADDRESS}/32", "dev", self.link, "table", self.table)
        for rule in self.rules:
            ip("rule", "add", *rule, "lookup", self.table)

    def assert_isolated(self) -> None:
        """The guard in front of everything that runs in the guest. It only looks: one link, which ends in the case's own
        namespace, the ways that were made, and a host that forwards nothing."""
        names = links(self.run(["ip", "-o", "link"]))
        if names != {"eth0", "lo"}:
            raise NotIsolated(f"the guest has interfaces besides its own: {names}")
        ways = {line.split()[0] for line in self.run(["ip", "-4", "route", "show", "table", "main"]).splitlines()}
        if ways != self.reached | {f"{PRIVATE_ADDRESS.rsplit('.', 1)[0]}.0/24"}:
            raise NotIsolated(f"the guest has other ways than its own: {ways}")
        ends = links(ip("-o", "link", "show", "type", "veth"))
        if self.link not in ends or links(ip("-o", "link")) != ends | {"lo"}:
            raise NotIsolated(f"the host has other links than those to its guests, or not this one: {ends}")
        for version in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            setting = Path("/proc/sys/net", version)
            if setting.exists() and setting.read_text() != "0\n":
                raise NotIsolated(f"the host forwards: {version}")
        if ways := Path("/proc/self/net/route").read_text().splitlines()[1:]:
            raise NotIsolated(f"the host has ways of its own: {ways}")

    def run(self, command: list[str]) -> str:
        """Runs a command in this network and gives what it says."""
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=30, check=True).stdout

    def ask(self, url: str, timeout: float = 15, **headers: str) -> tuple[int, str]:
        """A GET from within; status and body. [`OSError`] when nothing answers."""
        named = [f"{name}={value}" for name, value in headers.items()]
        command = [*self.enter, sys.executable, "-c", ASK, url, str(timeout), *named]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout + 30, check=False)
        if ended.returncode != 0:
            raise OSError(ended.stderr.strip())
        status, _, body = ended.stdout.partition("\n")
        return int(status), body

    def close(self) -> None:
        """Takes all of it away, so that the case's network is what it was."""
        subprocess.run(["ip", "link", "delete", self.link], capture_output=True, check=False)
        for rule in self.rules:
            subprocess.run(["ip", "rule", "delete", *rule, "lookup", self.table], capture_output=True, check=False)
        self.holder.kill()
        self.holder.communicate()


def links(said: str) -> set[str]:
    """The names of links, as `ip -o link` tells them: `2: eth0@if3: <BROADCAST,…`."""
    return {line.split(":")[1].split("@")[0].strip() for line in said.splitlines()}


def ip(*arguments: str) -> str:
    """Does something to the case's own network."""
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30, check=True).stdout
