"""The unmodified Azure Linux agent in a guest of which symbolon is the host."""

import os
import sys
from pathlib import Path

from extension_life import Life
from guest_root import Guest

VERSION = "2.7.3.0"

START = """
import sys
sys.argv[0] = "/usr/sbin/waagent"
import azurelinuxagent.agent as agent
agent.main()
"""

LEASE = """lease {
  interface "eth0";
  fixed-address 10.0.0.4;
  option unknown-245 a8:3f:81:10;
  expire 4 2099/12/31 23:59:59;
}
"""
"""What a VM's network card was told: option 245 is the address of the host."""


def main() -> None:
    unpacked = Path(sys.argv[1]) / "usr/lib/python3/dist-packages"
    guest = Guest(Path(os.environ["HOME"]) / "guest", [Path(sys.argv[1])])
    guest.agent_folder.mkdir(parents=True)
    options = Path(__file__).with_name("waagent.conf").read_text() + "".join(f"{option}\n" for option in sys.argv[2:])
    (guest.folder / "waagent.conf").write_text(options)
    (guest.folder / "agent.py").write_text(START)
    # Without a lease it would ask for one.
    (guest.folder / "dhclient.eth0.leases").write_text(LEASE)
    here = guest.folder
    inside = (
        f"cp {here}/waagent.conf /etc/waagent.conf; mkdir -p /var/lib/dhcp; cp {here}/*.leases /var/lib/dhcp/; "
        f"PYTHONPATH={unpacked} exec python3 -u {here}/agent.py -run-exthandlers -debug"
    )
    # The system's own Python: what this case runs with isn't in the guest's path.
    Life(guest, ["sh", "-c", inside], period=2, version=VERSION).run()


main()
