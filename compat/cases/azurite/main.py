"""End to end: IMDS -> ManagedIdentityCredential -> BlobServiceClient -> Azurite, which wants https, an issuer and an
audience that it knows, and times without any skew."""

import os
import subprocess
import sys
import time
from pathlib import Path

import world
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient
from checks import Checks

NODE, MAKE_CERTIFICATE = sys.argv[1:3]
HOST, PORT = "127.0.0.1", 10000
URL = f"https://{HOST}:{PORT}/devstoreaccount1"
HOME = Path(os.environ["HOME"])
START_SECONDS = 30
CONTENT = b"written with a token of a managed identity"
checks = Checks()


def start_azurite() -> subprocess.Popen:
    """Azurite's blob service, with a certificate for this address."""
    key, certificate = HOME / "key.pem", HOME / "certificate.pem"
    subprocess.run([sys.executable, MAKE_CERTIFICATE, key, certificate, HOST], check=True)
    program = Path(os.environ["COMPAT_NODE_MODULES"]) / "azurite/dist/src/blob/main.js"
    options = ["--oauth", "basic", "--cert", certificate, "--key", key, "--skipApiVersionCheck", "--disableTelemetry"]
    place = ["--blobHost", HOST, "--blobPort", str(PORT), "--location", HOME / "data"]
    log = (HOME / "azurite.log").open("w")
    return subprocess.Popen([NODE, program, *options, *place], stdout=log, stderr=log)


def wait_for(service: BlobServiceClient, azurite: subprocess.Popen) -> None:
    """Until it listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            service.get_account_information()
            return
        except ServiceRequestError:
            if azurite.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        except HttpResponseError:
            return  # it answers, and the checks say what


def service(credential) -> BlobServiceClient:
    """A client that tries once and trusts the certificate."""
    return BlobServiceClient(URL, credential=credential, connection_verify=str(HOME / "certificate.pem"), retry_total=0)


class WrongAudience:
    """A credential with a good token for something else."""

    def get_token(self, *scopes: str, **_options):
        """Not for storage, whatever is asked."""
        return ManagedIdentityCredential().get_token(f"{world.ARM}/.default")


azurite = start_azurite()
try:
    storage = service(ManagedIdentityCredential())
    wait_for(storage, azurite)
    with checks.check("container made"):
        storage.create_container("compat")
    with checks.check("blob written"):
        storage.get_blob_client("compat", "blob").upload_blob(CONTENT)
    with checks.check("blob read"):
        assert storage.get_blob_client("compat", "blob").download_blob().readall() == CONTENT
    with checks.check("blob read by a user-assigned identity"):
        other = service(ManagedIdentityCredential(client_id=world.user_assigned("app")["clientId"]))
        assert [blob.name for blob in other.get_container_client("compat").list_blobs()] == ["blob"]
    with checks.check("a token for another audience is refused"):
        try:
            service(WrongAudience()).create_container("refused")
        except (ClientAuthenticationError, HttpResponseError) as why:
            assert why.status_code == 403, why
        else:
            raise AssertionError("accepted")
finally:
    azurite.kill()
    azurite.wait()
    print((HOME / "azurite.log").read_text(), file=sys.stderr)
checks.done()
