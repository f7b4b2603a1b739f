"""msal for Python asks the metadata service for its region, which decides where it signs in."""

import requests
from checks import Checks
from msal.region import _detect_region_of_azure_vm

checks = Checks()
with checks.check("the region is that of the machine"), requests.Session() as session:
    assert _detect_region_of_azure_vm(session) == "westeurope"
checks.done()
