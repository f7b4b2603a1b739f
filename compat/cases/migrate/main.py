"""`symbolon migrate` on real input: a scan of whole trees against a list made by hand (`uses.txt`), and programs in four
languages that get their tokens from the extension, are changed by `apply`, and get them from the metadata service."""

import json
import os
import subprocess
import sys
from pathlib import Path

import world
from checks import Checks

SYMBOLON, TREES = sys.argv[1], Path(sys.argv[2])
RESOURCE = f"{world.ARM}/"
EXTENSION_LIFE, IMDS_LIFE = 3600 + 300, 86400 + 300
"""Seconds from nbf to exp: which endpoint a token is from."""

PROGRAMS = {
    "form.sh": (
        ["sh"],
        """curl -q -s -X POST http://localhost:50342/oauth2/token \\
    --data "resource=$RESOURCE" -H Metadata:true
""",
    ),
    "query.sh": (
        ["sh"],
        "curl -q -s 'http://localhost:50342/oauth2/token?resource=https%3A%2F%2Fmanagement.azure.com%2F' -H 'Metadata: true'\n",
    ),
    "form.py": (
        [sys.executable],
        """import os
import requests

url = 'http://localhost:50342/oauth2/token'
response = requests.post(url, data={'resource': os.environ['RESOURCE']}, headers={'Metadata': 'true'})
print(response.text)
""",
    ),
    "query.py": (
        [sys.executable],
        """import os
import urllib.parse
import urllib.request

resource = urllib.parse.quote(os.environ['RESOURCE'], safe='')
request = urllib.request.Request('http://localhost:50342/oauth2/token?resource=' + resource, headers={'Metadata': 'true'})
print(urllib.request.urlopen(request).read().decode())
""",
    ),
    "form.mjs": (
        ["node"],
        """const response = await fetch('http://localhost:50342/oauth2/token', {
  method: 'POST',
  headers: { Metadata: 'true' },
  body: new URLSearchParams({ resource: process.env.RESOURCE }),
});
console.log(await response.text());
""",
    ),
    "setting.py": (
        ["sh", "run.sh"],
        """import os
from azure.identity import ManagedIdentityCredential

token = ManagedIdentityCredential().get_token(os.environ['RESOURCE'] + '.default').token
print('{"access_token": "%s"}' % token)
""",
    ),
}
RUN = f"""export MSI_ENDPOINT=http://localhost:50342/oauth2/token
exec {sys.executable} "$1"
"""

checks = Checks()
folder = Path(os.environ["HOME"]) / "workload"


def symbolon(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([SYMBOLON, "migrate", *arguments], capture_output=True, text=True, check=False)


def life(name: str) -> int:
    """How long the token of a program lives, which is the system-assigned identity's."""
    command, _ = PROGRAMS[name]
    environment = os.environ | {"RESOURCE": RESOURCE}
    ended = subprocess.run([*command, name], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True)
    said = world.claims(json.loads(ended.stdout)["access_token"])
    assert said["oid"] == world.system_assigned()["principalId"], said
    return said["exp"] - said["nbf"]


def uses() -> set[tuple[str, int]]:
    """The list: files of the trees with lines."""
    found = set()
    for line in (Path(__file__).parent / "uses.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            archive, file, *lines = line.split()
            (path,) = [path for path in (TREES / archive).glob(f"**/{file}")][:1]
            found |= {(str(path), int(number)) for number in lines}
    return found


with checks.check("scan: whole trees against the list"):
    ended = symbolon("scan", "--no-ignore", "--format", "json", str(TREES))
    assert ended.returncode == 1, (ended.returncode, ended.stderr)
    report = json.loads(ended.stdout)
    assert report["problems"] == [] and report["files"] > 200, report["files"]
    listed = uses()
    every = {(found["path"], found["line"]) for found in report["findings"]}
    counted = {(found["path"], found["line"]) for found in report["findings"] if found["level"] != "note"}
    missed, extra = listed - every, counted - listed
    recall, precision = 1 - len(missed) / len(listed), 1 - len(extra) / len(counted)
    print(
        f"{report['files']} files; {len(listed)} uses by hand; recall {recall:.2f} with notes, "
        f"{len(listed & counted) / len(listed):.2f} without; precision {precision:.2f}; missed {missed}; extra {extra}",
        file=sys.stderr,
    )
    assert recall == 1.0, missed
    assert precision >= 0.9, extra

folder.mkdir()
for name, (_, text) in PROGRAMS.items():
    (folder / name).write_text(text)
(folder / "run.sh").write_text(RUN)
for name in PROGRAMS:
    with checks.check(f"before: {name} asks the extension"):
        assert life(name) == EXTENSION_LIFE
with checks.check("apply: a diff changes nothing"):
    ended = symbolon("apply", str(folder))
    assert ended.returncode == 1 and ended.stdout.startswith("--- a/"), ended
    assert life("form.sh") == EXTENSION_LIFE
with checks.check("apply --write: nothing is left"):
    ended = symbolon("apply", "--write", str(folder))
    assert ended.returncode == 0, (ended.returncode, ended.stdout, ended.stderr)
    again = symbolon("scan", str(folder))
    assert again.returncode == 0, again.stdout
for name in PROGRAMS:
    with checks.check(f"after: {name} asks the metadata service"):
        assert life(name) == IMDS_LIFE
checks.done()
