"""The credentials of the seed's application, new in every run: a secret, a key, a certificate."""

import secrets
import subprocess
from pathlib import Path

from . import paths

CERTIFICATE = "app-certificate.pem"
"""The name by which `seeds/applications.yaml` knows it."""
KEY_AND_CERTIFICATE = "app-key-and-certificate.pem"
SEEDS = ("applications", "arm")
"""Those that have one."""
ISSUER_KEY, ISSUER_KEY_SET = "issuer-key.pem", "issuer-keys.json"
"""Of an issuer elsewhere, whose word `seeds/arm.yaml` takes for the application."""


def make(folder: Path) -> dict[str, str]:
    """Makes them in `folder` (key 0600) and says where they are. The generator runs in the clients' Python,
    which has `cryptography`."""
    subprocess.run(
        [paths.VENV / "bin/python", paths.LIB / "make_certificate.py", folder / KEY_AND_CERTIFICATE, folder / CERTIFICATE],
        check=True,
    )
    subprocess.run(
        [paths.VENV / "bin/python", paths.LIB / "make_issuer.py", folder / ISSUER_KEY, folder / ISSUER_KEY_SET],
        check=True,
    )
    return {"secret": secrets.token_urlsafe(32), "pem": str(folder / KEY_AND_CERTIFICATE), "issuerKey": str(folder / ISSUER_KEY)}
