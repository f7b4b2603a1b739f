"""The VM of `seeds/metadata.yaml`, described through the control plane as a deployment would describe it."""

import base64

import world
from arm import Arm

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF7N0kK6Wq7l0bJx1wqk1w5m0z9v8b6y5r4t3e2w1q0p me@dev"
USER_DATA = "#cloud-config\nhostname: from-user-data\n"
CUSTOM_DATA = "what only the first start is for"
MAC = "000D3A123456"
COMPUTE, NETWORK = "2024-11-01", "2024-05-01"


def describe() -> Arm:
    """Gives the VM an administrator, a key, user data, custom data, tags and an interface in a network; the client that did."""
    arm, vm = Arm(), world.vm()
    group = vm["id"].split("/providers/")[0]
    network = f"{group}/providers/Microsoft.Network"
    subnet = {"name": "s", "properties": {"addressPrefix": "10.7.0.0/24"}}
    put(arm, f"{network}/virtualNetworks/net", NETWORK, {"properties": {"subnets": [subnet]}})
    addresses = [
        {"name": "one", "properties": {"privateIPAddress": "10.7.0.4", "primary": True, "subnet": {"id": f"{network}/virtualNetworks/net/subnets/s"}}},
        {"name": "two", "properties": {"privateIPAddress": "10.7.0.5", "subnet": {"id": f"{network}/virtualNetworks/net/subnets/s"}}},
    ]  # fmt: skip
    nic = f"{network}/networkInterfaces/nic"
    put(arm, nic, NETWORK, {"properties": {"macAddress": "00-0D-3A-12-34-56", "ipConfigurations": addresses}})
    properties = {
        "userData": base64.b64encode(USER_DATA.encode()).decode(),
        "osProfile": {
            "adminUsername": "me", "computerName": "host1", "customData": base64.b64encode(CUSTOM_DATA.encode()).decode(),
            "linuxConfiguration": {
                "disablePasswordAuthentication": True,
                "ssh": {"publicKeys": [{"path": "/home/me/.ssh/authorized_keys", "keyData": KEY}]},
            },
        },
        "storageProfile": {"imageReference": {"publisher": "canonical", "offer": "ubuntu", "sku": "server", "version": "1.2.3"}},
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
    }  # fmt: skip
    arm.send("PATCH", f"{vm['id']}?api-version={COMPUTE}", {"tags": {"env": "dev", "who": "a:b"}, "properties": properties})
    return arm


def put(arm: Arm, path: str, version: str, body: dict) -> None:
    """Makes a resource, or writes it anew."""
    arm.send("PUT", f"{path}?api-version={version}", {"location": "westeurope", **body})
