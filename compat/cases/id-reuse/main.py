"""A token of a VM that is gone opens nothing that its namesake may do: the namesake is another principal."""

import copy
import uuid

import machines
import world
from arm import Arm, Refused
from checks import Checks

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
GROUP = f"/subscriptions/{world.READY['subscriptionId']}/resourceGroups/{world.READY['resourceGroup']}"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/reborn"


def main() -> None:
    checks, arm = Checks(), Arm()
    with checks.check("a token of the first VM is taken while it is there (negative control)"):
        first = make(arm)
        old = token(first)
        assert reads(arm, old) == 200
    with checks.check("it is refused once the VM is gone"):
        arm.do("DELETE", VM)
        assert reads(arm, old) in (401, 403), reads(arm, old)
    with checks.check("the namesake is another principal and another machine"):
        second = make(arm)
        assert second["identity"]["principalId"] != first["identity"]["principalId"]
        assert second["properties"]["vmId"] != first["properties"]["vmId"]
    with checks.check("what the namesake may do the old token may not"):
        assert reads(arm, token(second)) == 200
        assert reads(arm, old) in (401, 403), reads(arm, old)
    arm.do("DELETE", VM)
    checks.done()


def make(arm: Arm) -> dict:
    """Makes the VM, with an identity that may read its resource group."""
    arm.do("PUT", VM, {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {}})
    made = arm.get(VM)
    role = f"/subscriptions/{world.READY['subscriptionId']}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    properties = {"roleDefinitionId": role, "principalId": made["identity"]["principalId"], "principalType": "ServicePrincipal"}
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01"
    arm.do("PUT", path, {"properties": properties})
    return made


def token(vm: dict) -> str:
    """A token that the VM gets."""
    status, said = machines.metadata_token(VM)
    assert status == 200, (status, said)
    assert world.claims(said["access_token"])["oid"] == vm["identity"]["principalId"]
    return said["access_token"]


def reads(arm: Arm, bearer: str) -> int:
    """The status that a token gets for reading the resource group."""
    caller = copy.copy(arm)
    caller.token = bearer
    try:
        return caller.send("GET", f"{GROUP}?api-version=2021-04-01")[0]
    except Refused as why:
        return why.status


main()
