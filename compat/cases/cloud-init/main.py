"""cloud-init's datasource for Azure, its own code: fetches the metadata from the real address, and makes names, keys and a
network configuration of it. What needs a disk and a DHCP server of Azure's is left out."""

import base64
import sys
import tempfile

sys.path.append(sys.argv[1] + "/usr/lib/python3/dist-packages")

import described
from checks import Checks
from cloudinit import helpers
from cloudinit.sources import DataSourceAzure as azure

described.describe()
checks = Checks()
with tempfile.TemporaryDirectory() as folder:
    source = azure.DataSourceAzure({}, None, helpers.Paths({"cloud_dir": folder, "run_dir": folder}))
    metadata = source.get_imds_data_with_api_fallback(retries=0)
    with checks.check("the document is fetched in the wanted version, with what is for provisioning agents"):
        assert metadata["extended"]["compute"] == {"hasCustomData": True, "ppsType": "None"}, metadata.get("extended")
        assert "securityProfile" in metadata["compute"] and "host" not in metadata["compute"], metadata["compute"]
    with checks.check("user, host and password rule"):
        assert azure._username_from_imds(metadata) == "me"
        assert azure._hostname_from_imds(metadata) == "host1"
        assert azure._disable_password_from_imds(metadata) is True
    with checks.check("user data"):
        assert base64.b64decode(azure._userdata_from_imds(metadata)).decode() == described.USER_DATA
    with checks.check("public keys"):
        assert source._get_public_keys_from_imds(metadata) == [described.KEY]
    with checks.check("the machine doesn't wait for its provisioning"):
        assert source._determine_pps_type({}, metadata) == azure.PPSType.NONE
    with checks.check("the network configuration has the interface with both its addresses"):
        config = azure.generate_network_config_from_instance_network_metadata(metadata["network"])
        (interface,) = config["ethernets"].values()
        assert interface["match"]["macaddress"] == "00:0d:3a:12:34:56", config
        assert interface["addresses"] == ["10.7.0.5/24"] and interface["dhcp4"] is True, config
    with checks.check("the oldest version that it falls back to is served too"):
        older = azure.get_metadata_from_imds(retries=0, md_type=azure.MetadataType.ALL, api_version=azure.IMDS_VER_MIN)
        assert older["compute"]["name"] == "dev" and "osProfile" not in older["compute"], older
checks.done()
