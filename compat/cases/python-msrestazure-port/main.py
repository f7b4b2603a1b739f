"""The extension's port is a setting; get_msi_token is told by its argument."""

import requests
import world
from checks import Checks
from msrestazure.azure_active_directory import get_msi_token

RESOURCE = f"{world.ARM}/"
checks = Checks()

with checks.check("the port of the settings"):
    _, token, _ = get_msi_token(RESOURCE, port=50343)
    world.assert_token(token, world.system_assigned(), RESOURCE)
with checks.check("not the default one"):
    try:
        get_msi_token(RESOURCE)
    except requests.ConnectionError:
        pass
    else:
        raise AssertionError("the default port answers as well")
checks.done()
