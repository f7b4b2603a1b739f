import os

shell = os.environ.get("AZUREPS_HOST_ENVIRONMENT") == "cloud-shell/1.0"
shell = os.environ["AZUREPS_HOST_ENVIRONMENT"] == "cloud-shell/1.0"
shell = os.getenv("AZUREPS_HOST_ENVIRONMENT", "cloud-shell/1.0")
shell = os.environ.get('AZUREPS_HOST_ENVIRONMENT', 'cloud-shell/1.0').startswith("cloud-shell")
if "AZUREPS_HOST_ENVIRONMENT" in os.environ and os.environ["AZUREPS_HOST_ENVIRONMENT"] != "cloud-shell/1.0":
    shell = False
