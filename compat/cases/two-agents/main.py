"""Two guests, each with its own agent, that are alike to the last octet: what tells them apart is the link they come
over. Each has the extension, gets its own VM's tokens and nothing of the other's."""

import json
import stat
import sys
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

import guest_machine
import world
from arm import Arm
from checks import Checks
from guest_machine import PATIENCE, PORT
from guest_network import PRIVATE_ADDRESS

PUBLISHER, TYPE = "Microsoft.ManagedIdentity", "ManagedIdentityExtensionForLinux"


class Machine(guest_machine.Machine):
    """A VM of the seed and its guest."""

    @property
    def vm(self) -> dict:
        """What symbolon told of it."""
        return world.vm(self.name)

    @property
    def extension(self) -> str:
        """The path of the extension."""
        return f"{self.vm['id']}/extensions/{TYPE}"

    def identities(self) -> dict[str, dict]:
        """The VM's identities by client id."""
        return {identity["clientId"]: identity for identity in self.vm["identities"]}

    def assert_serves(self) -> None:
        """A token of the VM's own identity, without a selector, and one of each by its client id."""
        own = world.system_assigned(self.name)
        for selector, identity in [({}, own), *(({"client_id": key}, one) for key, one in self.identities().items())]:
            status, body = self.asks(**selector)
            assert status == 200, body
            said = world.assert_token(body["access_token"], identity)
            resource = self.vm["id"] if identity is own else identity["id"]
            assert said["xms_mirid"].lower() == resource.lower(), said


def main() -> None:
    (package,) = Path(sys.argv[1]).glob("*-1.0.0.0.zip")
    checks, arm = Checks(), Arm()
    with ExitStack() as stack:
        machines = []
        for number, name in enumerate(("one", "two"), 1):
            machines.append(Machine(number, name, package))
            stack.callback(machines[-1].stop)
        for machine in machines:
            machine.start()
        for step in (same_address, install, own_identities, other_host, forged_way, uninstall):
            with checks.check(step.__doc__.strip().rstrip(".")):
                step(arm, *machines)
    checks.done()


def same_address(arm: Arm, one: Machine, two: Machine) -> None:
    """Both guests have the same private address at once."""
    for machine in (one, two):
        said = json.loads(machine.network.run(["ip", "-json", "-4", "address", "show", "dev", "eth0"]))
        assert [address["local"] for address in said[0]["addr_info"]] == [PRIVATE_ADDRESS], said


def install(arm: Arm, one: Machine, two: Machine) -> None:
    """Both extensions come up, on the same port."""
    wanted = {
        "publisher": PUBLISHER, "type": TYPE, "typeHandlerVersion": "1.0", "autoUpgradeMinorVersion": True,
        "settings": {"port": PORT}, "protectedSettings": {},
    }  # fmt: skip
    begun = [arm.begin("PUT", machine.extension, {"location": "westus", "properties": wanted}) for machine in (one, two)]
    for operation in begun:
        said = arm.wait(operation, PATIENCE)
        assert said["status"] == "Succeeded", said


def own_identities(arm: Arm, one: Machine, two: Machine) -> None:
    """Each guest has its own VM's identities and no other."""
    for machine, other in ((one, two), (two, one)):
        machine.assert_serves()
        assert machine.credentials().keys() == machine.identities().keys(), machine.credentials()
        for file in machine.credentials().values():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        for client_id in other.identities().keys() - machine.identities().keys():
            status, body = machine.asks(client_id=client_id)
            assert status == 400 and "access_token" not in body, (status, body)


def other_host(arm: Arm, one: Machine, two: Machine) -> None:
    """The other VM's host can't be reached."""
    for machine, other in ((one, two), (two, one)):
        status, body = machine.network.ask(f"{machine.host}/?comp=versions")
        assert status == 200 and "<Versions>" in body, "not even its own host answers"
        assert "unreachable" in nothing(machine, other), "there is a way"


def forged_way(arm: Arm, one: Machine, two: Machine) -> None:
    """A guest's root who makes a way to the other VM's host hears nothing of it."""
    address = urllib.parse.urlsplit(two.host).hostname
    one.network.run(["ip", "route", "add", f"{address}/32", "dev", "eth0"])
    try:
        assert "timed out" in nothing(one, two), "something answers"
    finally:
        one.network.run(["ip", "route", "delete", f"{address}/32", "dev", "eth0"])
    one.network.assert_isolated()


def uninstall(arm: Arm, one: Machine, two: Machine) -> None:
    """Without its extension the one serves no more, and the other goes on."""
    said = arm.do("DELETE", one.extension, seconds=PATIENCE)
    assert said["status"] == "Succeeded", said
    one.assert_serves_nothing()
    two.assert_serves()
    assert two.credentials().keys() == two.identities().keys(), two.credentials()


def nothing(machine: Machine, other: Machine) -> str:
    """Why a guest hears nothing of the host of the other's VM."""
    try:
        heard = machine.network.ask(f"{other.host}/?comp=versions", timeout=3)
    except OSError as why:
        return str(why)
    raise AssertionError(f"{machine.name} hears of {other.name}: {heard}")


main()
