"""Two VMs and their host. Each attack is first seen to work where its defence is missing."""

import json
import os
import resource
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import world
from bed import CLAIM, GATEWAY, HOLD, Bed, Network, Symbolon, within
from bed_host import A, B, Host
from checks import Checks

PRIVATE = "10.0.0.4"
HOME = Path(os.environ["HOME"])


def main() -> None:
    checks = Checks()
    for name, check in CHECKS.items():
        with checks.check(name), ExitStack() as stack:
            bed = Bed(stack)
            check(bed, Host(bed))
    checks.done()


def spoofed_source(bed: Bed, host: Host) -> None:
    """Lines 1 to 3: with VMs told apart by their addresses on one bridge, a neighbour gets another's token."""
    a, b = on_a_bridge(bed)
    with host.serving("source"):
        host.soon(a, "a")
        host.soon(b, "b")
        b.ip("address", "add", f"{A}/32", "dev", "eth0")

        def leaks() -> bool:
            b.run(sys.executable, "-c", CLAIM, A)
            return host.who(b, A, 1) == "a"

        within(leaks, "the attack, which this test must see")


def on_a_bridge(bed: Bed) -> tuple[Network, Network]:
    """Two guests behind one device of the host."""
    bed.host.ip("link", "add", "br0", "type", "bridge")
    bed.host.ip("address", "add", f"{GATEWAY}/24", "dev", "br0")
    bed.host.ip("link", "set", "br0", "up")
    return bed.guest("a", A, "br0"), bed.guest("b", B, "br0")


def devices_hold(bed: Bed, host: Host) -> None:
    """Lines 4 to 8: with a listener for each device the same attack gets nothing, or the attacker's own token."""
    a, b = bed.guest("a", A), bed.guest("b", B)
    for vm, address in (("a", A), ("b", B)):
        bed.host.ip("route", "add", f"{address}/32", "dev", f"tap-{vm}")
    devices = ("all", "tap-a", "tap-b")
    for name in devices:
        bed.host.sysctl(f"conf/{name}/rp_filter", 1)
        bed.host.sysctl(f"conf/{name}/arp_ignore", 1)
        bed.host.sysctl(f"conf/{name}/arp_announce", 2)
    with host.serving("device"):
        host.soon(a, "a")
        host.soon(b, "b")
        b.ip("address", "add", f"{A}/32", "dev", "eth0")
        b.run(sys.executable, "-c", CLAIM, A)
        said = host.who(b, A)
        assert said.startswith("none: 0"), f"with the reverse path looked at: {said}"
        for name in devices:
            bed.host.sysctl(f"conf/{name}/rp_filter", 0)
        for _ in range(5):
            b.run(sys.executable, "-c", CLAIM, A)
            said = host.who(b, A)
            assert said == "b" or said.startswith("none: 0"), said
        host.soon(b, "b", A)
        bed.host.ip("route", "replace", f"{A}/32", "dev", "tap-b")
        assert host.who(b, A) == "b", "with the way to A led to B"
        bed.host.ip("route", "replace", f"{A}/32", "dev", "tap-a")
        assert host.who(a) == "a"


def same_address(bed: Bed, host: Host) -> None:
    """Two VMs with the same private address get their own tokens, and a third that claims it too gets none; told apart by
    address they could not."""
    a, b = bed.guest("a", PRIVATE), bed.guest("b", PRIVATE)
    config = host.config("source")
    config.write_text(config.read_text().replace(A, PRIVATE).replace(B, PRIVATE))
    command = [*bed.host.enter, os.environ["COMPAT_SYMBOLON"], "host", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1 and f"source address {PRIVATE}" in ended.stderr, ended.stderr
    stranger = bed.guest("c", PRIVATE)
    with host.serving("device"):
        host.soon(a, "a")
        host.soon(b, "b")
        for _ in range(3):
            stranger.run(sys.executable, "-c", CLAIM, PRIVATE)
            said = host.who(stranger, timeout=1)
            assert said.startswith("none: 0"), f"a third one of their address: {said}"
            assert (host.who(a), host.who(b)) == ("a", "b")
        # What the third one lacks is the device, and nothing else.
        bed.host.ip("link", "delete", "tap-b")
        bed.host.ip("link", "set", "tap-c", "down")
        bed.host.ip("link", "set", "tap-c", "name", "tap-b")
        bed.host.ip("link", "set", "tap-b", "up")
        host.soon(stranger, "b")


def devices_come_and_go(bed: Bed, host: Host) -> None:
    """A listener opens when its device comes, closes when it goes, and opens again for the next of that name."""
    a, b = bed.network("a"), bed.guest("b", B)
    log = HOME / "host.log"
    with host.serving("device"):
        host.soon(b, "b")
        bed.connect(a, A)
        host.soon(a, "a")
        listening = lambda: bed.host.run("sh", "-c", "grep -c ' 0A ' /proc/net/tcp")  # noqa: E731
        both = listening()
        opened = log.read_text().count("is open")
        bed.host.ip("link", "delete", "tap-a")
        within(lambda: listening() != both, "the end of the listener")
        assert host.who(b) == "b", "the other device's VM is served meanwhile"
        bed.connect(a, A)
        host.soon(a, "a")
        assert log.read_text().count("is open") == opened + 1
        # Another device under the name of one that is there no more is that name's VM; one with another name is nobody's.
        bed.host.ip("link", "set", "tap-a", "down")
        bed.host.ip("link", "set", "tap-a", "name", "tap-x")
        bed.host.ip("link", "set", "tap-x", "up")
        within(lambda: host.who(a, timeout=1).startswith("none: 0"), "silence for a device of another name")


def one_vm_for_each_device(bed: Bed, host: Host) -> None:
    """Two VMs at one device are refused with a word for each."""
    config = host.config("device")
    config.write_text(config.read_text().replace("tap-b", "tap-a"))
    command = [*bed.host.enter, os.environ["COMPAT_SYMBOLON"], "host", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    wanted = "network device tap-a of VM 'b' is that of VM 'a' already"
    assert ended.returncode == 1 and wanted in ended.stderr, ended.stderr


def namespaces(bed: Bed, host: Host) -> None:
    """A VM that is a network namespace is served in it, also in one made anew, and its neighbour is another."""
    a, b = bed.network("a"), bed.network("b")
    names = {guest.name: HOME / f"netns-{guest.name}" for guest in (a, b)}
    for guest in (a, b):
        guest.ip("address", "add", f"{world.IMDS}/32", "dev", "lo")
        names[guest.name].symlink_to(guest.path)
    log = HOME / "host.log"
    with host.serving("namespace", **{vm: str(path) for vm, path in names.items()}):
        host.soon(a, "a")
        host.soon(b, "b")
        ((status, why),) = bed.host.ask()
        assert status == 0 and "refused" in why, "the host itself is no VM"
        closed = log.read_text().count("is closed")
        a.close()
        within(lambda: log.read_text().count("is closed") == closed + 1, "the end of the listener")
        assert host.who(b) == "b", "the neighbour is served meanwhile"
        anew = bed.network("a")
        anew.ip("address", "add", f"{world.IMDS}/32", "dev", "lo")
        names["a"].unlink()
        names["a"].symlink_to(anew.path)
        host.soon(anew, "a")


def hop_limit(bed: Bed, host: Host) -> None:
    """With a hop limit of 1 the VM is answered and a container behind it is not; with 2 both, and so without."""
    a = bed.guest("a", A)
    bed.host.ip("route", "add", f"{A}/32", "dev", "tap-a")
    inner = bed.network("inner")
    a.ip("link", "add", "c0", "type", "veth", "peer", "name", "eth0", "netns", str(inner.holder.pid))
    a.ip("address", "add", "10.93.0.1/24", "dev", "c0")
    a.ip("link", "set", "c0", "up")
    inner.ip("address", "add", "10.93.0.2/24", "dev", "eth0")
    inner.ip("link", "set", "eth0", "up")
    inner.ip("route", "add", f"{world.IMDS}/32", "via", "10.93.0.1")
    # The VM routes for its container. The way back needs no translation: the host knows it.
    a.sysctl("ip_forward", 1)
    bed.host.ip("route", "add", "10.93.0.2/32", "via", A, "dev", "tap-a", "onlink")
    for kind, wanted in (("device", "a"), ("nearly", "a"), ("near", "none: 0")):
        with host.serving(kind, vms="a"):
            host.soon(a, "a")
            assert host.who(inner).startswith(wanted), kind


def flood_within(bed: Bed, host: Host) -> None:
    """Where both count as one VM, what one of them floods is missing to the other."""
    a, b = on_a_bridge(bed)
    with host.serving("bridge", vms="a"):
        host.soon(a, "a")
        host.soon(b, "a")
        flooded, neighbour = flood(a, b)
        assert neighbour.count(429) > len(neighbour) / 2, f"the attack, which this test must see: {neighbour}"
        assert 429 in flooded, flooded


def flood_beside(bed: Bed, host: Host) -> None:
    """A VM that floods is refused what is too much, and its neighbour nothing; nor is it where nothing is too much."""
    a, b = bed.guest("a", A), bed.guest("b", B)
    for limits, refused in (("", {429}), ("[limits]\nthrottle = false\n", set())):
        with host.serving("device", limits):
            host.soon(a, "a")
            host.soon(b, "b")
            flooded, neighbour = flood(a, b)
            assert neighbour == [200] * len(neighbour), neighbour
            assert set(flooded) == {200} | refused, flooded
            assert flooded.total() > 20 * len(neighbour), f"the attack is one: {flooded}"


def flood(a: Network, b: Network) -> tuple[Counter[int], list[int]]:
    """What `a` is answered that asks without a pause, and what `b` that asks now and then all the while."""
    flooding = a.start(FLOOD, world.IMDS)
    assert flooding.stdout.readline() == "flooding\n"
    neighbour = []
    for _ in range(15):
        ((status, _),) = b.ask()
        neighbour.append(status)
    return Counter(json.loads(flooding.communicate("enough", timeout=60)[0])), neighbour


FLOOD = """
import http.client, json, sys, threading
from bed import TOKEN

said, flowing, enough = [], threading.Event(), threading.Event()

def flood():
    connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=20)
    while not enough.is_set():
        connection.request("GET", TOKEN, headers={"Metadata": "true"})
        reply = connection.getresponse()
        reply.read()
        said.append(reply.status)
        if len(said) > 100:
            flowing.set()

# More connections than it is answered on at once, and fewer than a host lets one VM have.
threads = [threading.Thread(target=flood) for _ in range(48)]
for thread in threads:
    thread.start()
flowing.wait()
print("flooding", flush=True)
sys.stdin.read()
enough.set()
for thread in threads:
    thread.join()
print(json.dumps(said))
"""


def descriptors_unbounded(bed: Bed, host: Host) -> None:
    """Where the host doesn't know how few descriptors it has, a VM takes those of its neighbour, who is served again after."""
    a, b = bed.guest("a", A), bed.guest("b", B)
    with host.serving("device", MANY) as serving:
        host.soon(a, "a")
        host.soon(b, "b")
        resource.prlimit(serving.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        before, holding = files(serving), hold(a)
        within(lambda: files(serving) > FILES - 10, "the attack")
        said = [host.who(b, timeout=1) for _ in range(9)]
        starved = [one for one in said if one.startswith("none: 0")]
        assert len(starved) > len(said) / 2, f"the attack, which this test must see: {said}"
        holding.communicate(timeout=60)
        host.soon(b, "b")
        host.soon(a, "a")
        within(lambda: files(serving) < before + 10, "the descriptors again")


def descriptors(bed: Bed, host: Host) -> None:
    """A VM that holds every connection it can get keeps no descriptor from its neighbour, and is served again after."""
    a, b = bed.guest("a", A), bed.guest("b", B)
    with host.serving("device", MANY, files=FILES) as serving:
        host.soon(a, "a")
        host.soon(b, "b")
        before, holding = files(serving), hold(a)
        within(lambda: files(serving) > before + 30, "the attack")
        assert host.who(a, timeout=1).startswith("none: 0"), "it has used up its own"
        for _ in range(10):
            assert host.who(b, timeout=1) == "b"
        holding.communicate(timeout=60)
        host.soon(a, "a")
        within(lambda: files(serving) < before + 10, "the descriptors again")


MANY = "[limits]\nconnections = 10000\n"
FILES = 160


def hold(guest: Network) -> subprocess.Popen:
    """The guest holds every connection that it can get."""
    holding = guest.start(HOLD, world.IMDS, "400")
    assert holding.stdout.readline() == "held\n"
    return holding


def files(serving: Symbolon) -> int:
    """The descriptors that a host uses."""
    return len(list(Path(f"/proc/{serving.process.pid}/fd").iterdir()))


def rights(bed: Bed, host: Host) -> None:
    """One thread keeps what opening listeners takes; no other may do anything that not everyone may."""
    for kind, wanted in (("device", NET_BIND_SERVICE | NET_RAW), ("source", NET_BIND_SERVICE)):
        with host.serving(kind) as serving:
            threads = Path(f"/proc/{serving.process.pid}/task").iterdir()
            said = [dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines()) for thread in threads]
            held = {one["Name"]: int(one["CapPrm"], 16) for one in said if int(one["CapPrm"], 16)}
            assert held == {"opener": wanted}, held
            assert {one["NoNewPrivs"] for one in said} == {"1"}, said
    # `up` gives nothing up, so this looks at the right thing.
    threads = Path(f"/proc/{host.authority['pid']}/task").iterdir()
    assert all("CapPrm:\t0000000000000000" not in (thread / "status").read_text() for thread in threads)


NET_BIND_SERVICE, NET_RAW = 1 << 10, 1 << 13


def doctor(bed: Bed, host: Host) -> None:
    """The doctor says what this machine's network lacks, and changes none of it."""
    bed.guest("a", A)
    config = host.config("device")
    ask = [*bed.host.enter, os.environ["COMPAT_SYMBOLON"], "doctor", "--host-config", str(config), "--json"]
    said = lambda: json.loads(subprocess.run(ask, capture_output=True, text=True, timeout=60, check=False).stdout)  # noqa: E731
    before = {check["detail"]: check["verdict"] for check in said()}
    wanted = ["it answers", f"{world.IMDS} is this machine's own", "tap-b isn't there; its VM's service opens when it comes"]
    assert [before.get(detail) for detail in wanted] == ["ok", "ok", "skipped"], before
    advised = [check["advice"] for check in said() if check["verdict"] == "advice"]
    settings = [line for line in advised if line.startswith("sysctl -w net.ipv4.conf.tap-a.")]
    assert len(settings) == 3, advised
    assert any('iifname != { "lo", "tap-a", "tap-b" } drop' in line for line in advised), advised
    for line in settings:
        name, value = line.removeprefix("sysctl -w net.ipv4.").split("=")
        bed.host.sysctl(name.replace(".", "/"), int(value))
    assert not [check for check in said() if check.get("advice", "").startswith("sysctl")]
    bed.host.ip("address", "delete", f"{world.IMDS}/32", "dev", "lo")
    missing = [check for check in said() if check["verdict"] == "failed"]
    assert [check["advice"] for check in missing] == [f"ip address add {world.IMDS}/32 dev lo"], missing


CHECKS = {
    "source addresses on a bridge leak (negative control)": spoofed_source,
    "devices do not leak": devices_hold,
    "the same private address twice": same_address,
    "devices come and go": devices_come_and_go,
    "one VM for each device": one_vm_for_each_device,
    "network namespaces": namespaces,
    "hop limit": hop_limit,
    "a flood in one VM's limits starves (negative control)": flood_within,
    "flood by a neighbour": flood_beside,
    "descriptors that nobody counts are taken (negative control)": descriptors_unbounded,
    "descriptors held by a neighbour": descriptors,
    "rights that are given up": rights,
    "the doctor's advice": doctor,
}

main()
