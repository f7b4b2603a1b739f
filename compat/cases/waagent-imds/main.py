"""The metadata client of Azure's agent, its own code, at the real address. The address where it would look for its host is
the metadata service's own, so that nothing else is dialled."""

import sys

sys.path.append(sys.argv[1] + "/usr/lib/python3/dist-packages")

import described
import world
from azurelinuxagent.common.protocol.imds import ImdsClient
from checks import Checks

described.describe()
checks = Checks()
client = ImdsClient(world.IMDS)
with checks.check("health: the interface has an address and a MAC"):
    healthy, why = client.validate()
    assert healthy, why
with checks.check("what the agent knows of its machine"):
    compute = client.get_compute()
    vm = world.vm()
    assert (compute.name, compute.location, compute.vmSize) == ("dev", "westeurope", "Standard_B1s"), compute
    assert compute.subscriptionId == vm["id"].split("/")[2] and compute.resourceGroupName == "dev", compute
    assert compute.image_info == "canonical:ubuntu:server:1.2.3", compute.image_info
    assert "env:dev" in compute.tags or "now:" in compute.tags, compute.tags
checks.done()
