"""cloud-init's datasource for Azure, its own code, from end to end as at a first boot: finds the platform, fetches the metadata
from the real address, makes users, names, keys and a network configuration of it, and reports to the host that it is ready.

Two things stand in for what this guest lacks, a firmware and a network card: what the firmware tells (the tag of Azure's
machines, the VM's id), and the lease of a DHCP server, whose option 245 is the address of the host. There is no provisioning
disk: like on a machine that can't mount it, all comes from the metadata service."""

import base64
import os
import sys
import tempfile
from pathlib import Path

# It asks /proc for its own number: of a process outside, which may be any, unless /proc is that of this namespace.
if os.readlink("/proc/self") != str(os.getpid()):
    os.execvp("unshare", ["unshare", "--mount", "--mount-proc", "--", *sys.orig_argv])

sys.path.append(sys.argv[1] + "/usr/lib/python3/dist-packages")

import described
import world
from checks import Checks
from cloudinit import dmi, helpers
from cloudinit.distros.debian import Distro
from cloudinit.sources import DataSourceAzure as azure



class Lease:
    """In the place of cloud-init's DHCP client."""

    def __init__(self, **_: object) -> None:
        self.lease = None

    def obtain_lease(self) -> dict:
        self.lease = {"interface": "lo", "unknown-245": "a8:3f:81:10"}
        return self.lease

    def clean_network(self) -> None:
        self.lease = None


def main() -> None:
    vm_id = described.describe().get(f"{world.vm()['id']}?api-version={described.COMPUTE}")["properties"]["vmId"]
    firmware = {"chassis-asset-tag": "7783-7084-3265-9085-8269-3286-77", "system-uuid": vm_id.upper()}
    dmi.read_dmi_data = firmware.get
    azure.EphemeralDHCPv4 = Lease
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        source = made(Path(folder))
        with checks.check("it finds its platform and all that it needs, and has reported that it is ready"):
            assert source.get_data() is True
            assert source.subplatform == "imds (IMDS)", source.subplatform
            assert source._negotiated is True, "the WireServer had its goal state and took the report"
        with checks.check("the document is fetched in the wanted version, with what is for provisioning agents"):
            metadata = source.metadata["imds"]
            assert metadata["extended"]["compute"] == {"hasCustomData": True, "ppsType": "None"}, metadata.get("extended")
            assert "securityProfile" in metadata["compute"] and "host" not in metadata["compute"], metadata["compute"]
        with checks.check("user, host and password rule"):
            assert source.cfg["system_info"]["default_user"]["name"] == "me", source.cfg
            assert source.get_hostname().hostname == "host1", source.get_hostname()
            assert source.metadata["disable_password"] is True
        with checks.check("user data"):
            assert source.get_userdata_raw().decode() == described.USER_DATA
        with checks.check("public keys"):
            assert source.get_public_ssh_keys() == [described.KEY]
        with checks.check("the instance and where it is"):
            assert source.get_instance_id() == vm_id, source.get_instance_id()
            assert (source.region, source.availability_zone) == ("westeurope", "0")
        with checks.check("the network configuration has the interface with both its addresses"):
            (interface,) = source.network_config["ethernets"].values()
            assert interface["match"]["macaddress"] == "00:0d:3a:12:34:56", interface
            assert interface["addresses"] == ["10.7.0.5/24"] and interface["dhcp4"] is True, interface
        with checks.check("what it kept says who the machine is, and nothing of its custom data"):
            kept = "".join(file.read_text() for file in Path(folder).rglob("*") if file.is_file())
            assert vm_id in kept and base64.b64encode(described.CUSTOM_DATA.encode()).decode() not in kept
    with checks.check("the oldest version that it falls back to is served too"):
        older = azure.get_metadata_from_imds(retries=0, md_type=azure.MetadataType.ALL, api_version=azure.IMDS_VER_MIN)
        assert older["compute"]["name"] == "dev" and "osProfile" not in older["compute"], older
    checks.done()


def made(folder: Path) -> azure.DataSourceAzure:
    """The datasource as cloud-init makes it, with all that it writes below a folder."""
    paths = helpers.Paths({"cloud_dir": str(folder / "cloud"), "run_dir": str(folder / "run")})
    (folder / "run").mkdir()
    config = {"datasource": {"Azure": {"data_dir": str(folder / "waagent")}}}
    return azure.DataSourceAzure(config, Distro("debian", {}, paths), paths)


main()
