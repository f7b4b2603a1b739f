"""`az vm create` and `az vmss create`: templates of az's own, with networks, images and disks beside the machine."""

import json

import machines
from az_cli import HOME, Az
from resources import BOTH, COMPUTE, GROUP, SYSTEM, UA, is_kind, names

ALIAS = "--image Ubuntu2204 --admin-username u --generate-ssh-keys"
IMAGE = "--image Canonical:ubuntu-24_04-lts:server:latest --admin-username u --generate-ssh-keys"


def images(az: Az) -> None:
    """With an image: named whole and by az's alias."""
    az(f"vm create -g rg1 -n vmv {IMAGE} --validate", look=lambda said: said["error"] is None)
    az("vm show -g rg1 -n vmv", code=3, says="(ResourceNotFound)", name="az vm create --validate: nothing was made")
    az(f"vm create -g rg1 -n vmc {IMAGE} --assign-identity {SYSTEM} {UA}/id1",
       look=lambda said: said["identity"]["systemAssignedIdentity"])  # fmt: skip
    shown = az("vm identity show -g rg1 -n vmc", look=lambda said: is_kind(said, BOTH, "id1"))
    with az.checks.check("vmc: its metadata service gives its system-assigned identity's token"):
        machines.assert_gets(f"{COMPUTE}/virtualMachines/vmc", shown["principalId"])
    az(f"vm create -g rg1 -n vma {ALIAS} --no-wait")
    az("vm wait -g rg1 -n vma --created --interval 1 --timeout 30")
    az("vm show -g rg1 -n vma", look=lambda said: said["provisioningState"] == "Succeeded")
    az("vm list -g rg1 -d", look=lambda said: "VM running" in [one["powerState"] for one in said],
       name="az vm list -d with network interfaces")  # fmt: skip


def disks(az: Az) -> None:
    """With a disk and a network interface that are there, or aren't."""
    disk = "--attach-os-disk d1 --os-type linux --nics nic1 --size Standard_B1s --security-type Standard"
    az(f"vm create -g rg1 -n vmd {disk}", code=2, says="(ResourceNotFound", name="az vm create: its disk is missing")
    disk_body = '{"location":"westus","properties":{"osType":"Linux"}}'
    az("rest --method put --url", f"{COMPUTE}/disks/d1?api-version=2025-01-02", "--body", disk_body)
    az(f"vm create -g rg1 -n vmd {disk}", code=1, says="networkInterfaces/nic1", name="az vm create: its interface is missing")
    interface = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1?api-version=2022-01-01"
    az("rest --method put --url", interface, "--body", '{"location":"westus","properties":{"ipConfigurations":[]}}')
    az(f"vm create -g rg1 -n vmd {disk}")
    az("rest --method delete --url", interface)
    az("vm list -g rg1 -d", code=3, says="(ResourceNotFound)", name="az vm list -d: an interface is missing")


def scale_sets(az: Az) -> None:
    """`az vmss create`, whose template has a load balancer, expressions and an output that az reads by another name."""
    az(f"vmss create -g rg1 -n ss {ALIAS}", look=lambda said: said["vmss"]["provisioningState"] == "Succeeded")
    uniform = "--orchestration-mode Uniform --upgrade-policy-mode Manual"
    az(f"vmss create -g rg1 -n ssu {ALIAS} {uniform} --assign-identity {SYSTEM}", look=lambda said: said["vmss"])
    az("vmss identity show -g rg1 -n ssu", look=lambda said: is_kind(said, "SystemAssigned"))
    az("vmss list-instances -g rg1 -n ssu", look=lambda said: len(said) == 2)


def pages(az: Az) -> None:
    """A list of three pages, walked to its end."""
    identity = {
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31",
        "name": "[format('many{0}', copyIndex())]", "location": "westus", "copy": {"name": "many", "count": 120},
    }  # fmt: skip
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    file = HOME / "many.json"
    file.write_text(json.dumps({"$schema": schema, "contentVersion": "1.0.0.0", "resources": [identity]}))
    az("group create -n pages -l westus")
    az(f"deployment group create -g pages -n many --template-file {file}")
    made = {f"many{number}" for number in range(120)}
    for kind in ("identity", "resource"):
        az(f"{kind} list -g pages", look=lambda said: len(said) == 120 and set(names(said)) == made)
    az("group delete -n pages -y")
