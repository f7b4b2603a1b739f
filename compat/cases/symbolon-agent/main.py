"""Our own agent in a guest of which symbolon is the host, with the program that is in the extension's package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import world
from extension_life import Life
from guest_root import Guest

PERIOD = 1


def main() -> None:
    guest = Guest(Path(os.environ["HOME"]) / "guest", [])
    (package,) = Path(sys.argv[1]).glob("*-1.0.0.0.zip")
    with zipfile.ZipFile(package) as file:
        (program,) = (name for name in file.namelist() if name.endswith("/symbolon-guest"))
        agent = guest.folder / "symbolon-guest"
        agent.write_bytes(file.read(program))
        agent.chmod(0o755)
    said = subprocess.run([str(agent), "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    command = [str(agent), "agent", "--host", world.READY["wireServers"][0]["wire"], "--period", str(PERIOD)]
    Life(guest, command, period=PERIOD, version=said.split()[-1], removes_keys=True).run()


main()
