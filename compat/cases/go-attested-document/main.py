"""Attested documents of a VM behind a network device, of `symbolon up` and of `symbolon host`. Who verifies them fetches the
issuer of their certificate at www.microsoft.com, which is the host's own address here."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bed import GATEWAY, Bed, within
from bed_host import Host
from checks import Checks

HOME = Path(os.environ["HOME"])
URL = "http://www.microsoft.com/pkiops/certs/symbolon.cer"


def main() -> None:
    checks = Checks()
    for name, serving in {"up": serving_by_up, "host": serving_by_host}.items():
        with ExitStack() as stack:
            bed = Bed(stack)
            guest = bed.guest("a", "10.0.0.4")
            # The issuer's listener is no device's, so its answers are led by the host's routes.
            bed.host.ip("route", "add", "10.0.0.4/32", "dev", "tap-a")
            hosts = HOME / "hosts"
            hosts.write_text(f"127.0.0.1 localhost\n{GATEWAY} www.microsoft.com\n")
            guest.run("mount", "--bind", str(hosts), "/etc/hosts")
            ca = stack.enter_context(serving(bed))
            within(lambda: guest.ask("/metadata/versions")[0][0] == 200, "the VM's metadata service")
            for found in json.loads(guest.run(sys.argv[1], "attested", str(ca)))["checks"]:
                with checks.check(f"{name}: {found['name']}"):
                    assert found["ok"], found["detail"]
    checks.done()


@contextmanager
def serving_by_up(bed: Bed) -> Iterator[Path]:
    """One program for all: the file of its CA."""
    seed = HOME / "seed.yaml"
    seed.write_text("virtualMachines:\n- {name: a, identity: {systemAssigned: true}, attachment: {device: tap-a}}\n")
    issuer = ("--attested-issuer-url", URL, "--attested-issuer-listen", f"{GATEWAY}:80")
    with bed.symbolon("up", "--ephemeral", "--no-extension", "--seed", str(seed), *issuer, log=HOME / "up.log") as up:
        yield Path(up.ready["caFile"])


@contextmanager
def serving_by_host(bed: Bed) -> Iterator[Path]:
    """A host without a control plane: the file of its CA."""
    data = HOME / "data"
    # More documents are asked for than a VM is given in a second.
    attestation = "[limits]\nthrottle = false\n"
    attestation += f'[attestation]\ndata-dir = "{data}"\nissuer-url = "{URL}"\nissuer-listen = "{GATEWAY}:80"\n'
    host = Host(bed)
    with host.serving("device", attestation, vms="a") as serving:
        assert serving.ready["issuerCertificate"] == f"http://{GATEWAY}:80/pkiops/certs/symbolon.cer", serving.ready
        yield data / "tls/ca.pem"


main()
