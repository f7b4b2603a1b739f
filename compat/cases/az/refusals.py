"""What fails while it is done: the command was fine, and the machine says no. az tells it by what it polls."""

import json
import socket

import machines
import templates
from az_cli import HOME, Az
from resources import COMPUTE, LINUX, PORT, PUBLISHER

VM = f"{COMPUTE}/virtualMachines/vmc"
FAILED = "VMExtensionProvisioningError"


def occupied_port(az: Az) -> None:
    """The port that the extension is to open is somebody else's on that machine."""
    with socket.create_server((machines.address(VM), PORT)):
        what = f"-g rg1 --vm-name vmc -n {LINUX}"
        put = f"vm extension set {what} --publisher {PUBLISHER} --version 1.0 --settings"
        az(put, '{"port":%d}' % PORT, code=1, says=f"({FAILED})", name="az vm extension set: its port is taken")
        az(f"vm extension show {what}", look=lambda said: said["provisioningState"] == "Failed",
           name="az vm extension show: it failed")  # fmt: skip
        az(f"vm extension delete {what}", name="az vm extension delete: one that failed")
        template = json.loads(json.dumps(templates.VM).replace('"vm1"', '"vmc"'))
        # The VM stays as it is: what az made has more than this template knows.
        template["resources"] = [one for one in template["resources"] if one["type"].endswith("/extensions")]
        template["resources"][0].pop("dependsOn")
        template.pop("outputs")
        file = HOME / "occupied.json"
        file.write_text(json.dumps(template))
        az(f"deployment group create -g rg1 -n occupied --template-file {file}", code=1, says='"DeploymentFailed"',
           name="az deployment group create: an extension's port is taken")  # fmt: skip
        az("deployment group show -g rg1 -n occupied", look=lambda said: FAILED in str(said["properties"]["error"]),
           name="az deployment group show: why it failed")  # fmt: skip
