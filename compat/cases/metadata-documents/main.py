"""The documents of the metadata service at their real address: as systemd's IMDS client asks for them (text leaves, from
a low source port: systemd/systemd pull 40980), as the documents print the requests, and attested documents as openssl and
another implementation of X.509 verify them."""

import base64
import json
import subprocess
import tempfile
from pathlib import Path

import described
import world
from checks import Checks
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

IMDS = f"http://{world.IMDS}/metadata"
NEWEST = "api-version=2025-04-07"
vm = world.vm()
arm = described.describe()
checks = Checks()


def curl(path: str, *more: str, header: bool = True) -> tuple[int, str, str]:
    """Status, content type and body of an answer."""
    command = ["curl", "-q", "--silent", "--show-error", "--max-time", "10", "--write-out", "\n%{http_code}\n%{content_type}"]
    command += ["-H", "Metadata: true"] if header else []
    ended = subprocess.run([*command, *more, f"{IMDS}/{path}"], capture_output=True, text=True, check=True)
    body, status, content_type = ended.stdout.rsplit("\n", 2)
    return int(status), content_type, body


with checks.check("systemd: text leaves are exactly their values, also from a low port"):
    for key, value in (
        ("compute/osProfile/computerName", "host1"),
        ("compute/vmId", None),
        ("compute/publicKeys/0/keyData", described.KEY),
        ("compute/userData", base64.b64encode(described.USER_DATA.encode()).decode()),
        ("network/interface/0/macAddress", described.MAC),
    ):
        answer = curl(f"instance/{key}?{NEWEST}&format=text", "--local-port", "900-1000")
        assert answer[:2] == (200, "text/plain; charset=utf-8"), answer
        assert value is None or answer[2] == value, answer
with checks.check("text lists what is below"):
    assert curl(f"instance?{NEWEST}&format=text")[2] == "compute/\nnetwork/"
    assert curl(f"instance/network/interface?{NEWEST}&format=text")[2] == "0/"
with checks.check("a leaf has no JSON, and nothing else is there"):
    assert curl(f"instance/compute/name?{NEWEST}")[0] == 400
    assert curl(f"instance/compute/nosuch?{NEWEST}")[0] == 404
    assert curl(f"instance/network/interface/1?{NEWEST}")[0] == 404
    assert curl(f"instance?{NEWEST}&format=xml")[0] == 400
with checks.check("every version of the list is served, and grows"):
    versions = json.loads(curl("versions")[2])["apiVersions"]
    assert len(versions) == 35, versions
    sizes = [len(json.loads(curl(f"instance?api-version={version}")[2])["compute"]) for version in versions]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1], sizes
with checks.check("without a version the newest are named"):
    status, _, body = curl("instance")
    assert status == 400 and json.loads(body)["newest-versions"] == ["2025-04-07", "2024-07-17", "2024-03-15"], body
with checks.check("without the header: the documented bytes"):
    answer = curl(f"instance?{NEWEST}", header=False)
    assert answer[2] == '{ "error": "Bad request: . Required metadata header not specified" }', answer
with checks.check("a changed tag is told at once"):
    for value in ("one", "two"):
        arm.send("PATCH", f"{vm['id']}?api-version={described.COMPUTE}", {"tags": {"now": value}})
        assert curl(f"instance/compute/tags?{NEWEST}&format=text")[2] == f"now:{value}"
with checks.check("a changed interface is told at once"):
    nic = vm["id"].split("/providers/")[0] + "/providers/Microsoft.Network/networkInterfaces/nic"
    before = arm.get(f"{nic}?api-version={described.NETWORK}")
    changed = json.loads(json.dumps(before))
    changed["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = "10.7.0.9"
    for body, address in ((changed, "10.7.0.9"), (before, "10.7.0.4")):
        arm.send("PUT", f"{nic}?api-version={described.NETWORK}", body)
        told = curl(f"instance/network/interface/0/ipv4/ipAddress/0/privateIpAddress?{NEWEST}&format=text")
        assert told[2] == address, told


def attested(nonce: str) -> bytes:
    """The signed document, DER."""
    status, _, body = curl(f"attested/document?{NEWEST}&nonce={nonce}")
    assert status == 200 and json.loads(body)["encoding"] == "pkcs7", body
    return base64.b64decode(json.loads(body)["signature"])


with checks.check("openssl verifies an attested document up to the CA, and reads the nonce in it"):
    with tempfile.TemporaryDirectory() as folder:
        for nonce in ("1234576656", "abcdefghijklmnopqrstuvwxyz012345"):
            signed = Path(folder) / "signed.der"
            signed.write_bytes(attested(nonce))
            verify = ["openssl", "smime", "-verify", "-inform", "DER", "-in", signed, "-CAfile", world.READY["caFile"], "-purpose", "any"]
            content = json.loads(subprocess.run(verify, capture_output=True, check=True).stdout)
            assert content["nonce"] == nonce, content
            assert content["vmId"] == curl(f"instance/compute/vmId?{NEWEST}&format=text")[2], content
            assert list(content) == ["nonce", "plan", "sku", "subscriptionId", "timeStamp", "vmId"], content
            signed.write_bytes(signed.read_bytes().replace(nonce.encode(), nonce.encode()[::-1]))
            assert subprocess.run(verify, capture_output=True).returncode != 0, "a changed nonce is noticed"
with checks.check("its certificate is the CA's, for the domain that relying parties allow"):
    with tempfile.TemporaryDirectory() as folder:
        signed = Path(folder) / "signed.der"
        signed.write_bytes(attested("1"))
        dump = ["openssl", "pkcs7", "-inform", "DER", "-in", signed, "-print_certs"]
        pem = subprocess.run(dump, capture_output=True, check=True).stdout
        assert pem.count(b"BEGIN CERTIFICATE") == 1, pem
        certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN") :])
        authority = x509.load_pem_x509_certificate(Path(world.READY["caFile"]).read_bytes())
        authority.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(SHA256()))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["metadata.azure.com"], names
with checks.check("a nonce that is too long is refused"):
    assert curl(f"attested/document?{NEWEST}&nonce={'a' * 33}")[0] == 400
with checks.check("a scheduled event is seen, approved, begun and over"):
    path = "scheduledevents?api-version=2020-07-01"
    before = json.loads(curl(path)[2])
    assert before["Events"] == [], before
    fired = arm.send("POST", f"{vm['id']}/fireScheduledEvent?api-version={described.COMPUTE}", {"eventType": "Reboot", "durationInSeconds": 60})
    told = json.loads(curl(path)[2])
    event = told["Events"][0]
    assert told["DocumentIncarnation"] > before["DocumentIncarnation"], told
    assert (event["EventId"], event["EventType"], event["EventStatus"]) == (fired[2]["eventId"], "Reboot", "Scheduled"), told
    assert event["Resources"] == ["dev"] and event["NotBefore"].endswith("GMT"), event
    approval = json.dumps({"StartRequests": [{"EventId": event["EventId"]}]})
    for _ in range(2):
        assert curl(path, "--data", approval)[0] == 200
    told = json.loads(curl(path)[2])["Events"][0]
    assert (told["EventStatus"], told["NotBefore"]) == ("Started", ""), told
    other = json.dumps({"StartRequests": [{"EventId": "00000000-0000-4000-8000-000000000000"}]})
    assert curl(path, "--data", other)[0] == 400
with checks.check("without a load balancer: the documented 404"):
    status, _, body = curl("loadbalancer?api-version=2020-10-01")
    assert status == 404 and json.loads(body)["error"].startswith("No load balancer metadata is found."), body
checks.done()
