"""`az` against the control plane: logs in every way it has, then makes, changes, exports and deletes, and asks the
machines themselves whether each change has come to them."""


import creation
import logins
import pasted
import people
import refusals
from az_cli import Az
from checks import Checks
from resources import Resources

checks = Checks()
az = Az(checks)
resources = Resources(az)
parts = [pasted.lines, logins.set_up, people.device_codes, people.password, logins.applications, *resources.parts()]
parts += [creation.images, refusals.occupied_port, creation.disks, creation.scale_sets, creation.pages, resources.end]
parts += [logins.managed_identities, logins.variants, logins.take_roles_back]
for part in parts:
    with checks.check(f"{part.__name__}: done to its end"):
        part(az)
checks.done()
