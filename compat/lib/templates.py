"""The templates of the control plane's cases: a VM with the extension, and a scale set with it, as Azure's own article
on the extension has them. The first holds what a strict reader of JSON would refuse and `az` passes on."""

import json
from pathlib import Path

SCHEMA = "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"
WINDOWS = "ManagedIdentityExtensionForWindows"
EXTENSION = {
    "publisher": "Microsoft.ManagedIdentity",
    "type": WINDOWS,
    "typeHandlerVersion": "1.0",
    "autoUpgradeMinorVersion": True,
    "settings": {"port": 50342},
}
VM = {
    "$schema": SCHEMA,
    "contentVersion": "1.0.0.0",
    "parameters": {},
    "variables": {"vmName": "vm1"},
    "resources": [
        {
            "type": "Microsoft.Compute/virtualMachines",
            "name": "[variables('vmName')]",
            "apiVersion": "2018-06-01",
            "location": "[resourceGroup().location]",
            "identity": {"type": "SystemAssigned"},
            "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
        },
        {
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "name": f"[concat(variables('vmName'),'/{WINDOWS}')]",
            "apiVersion": "2018-06-01",
            "location": "[resourceGroup().location]",
            "dependsOn": ["[concat('Microsoft.Compute/virtualMachines/', variables('vmName'))]"],
            "properties": EXTENSION,
        },
    ],
    "outputs": {
        "pid": {
            "type": "string",
            "value": "[reference(resourceId('Microsoft.Compute/virtualMachines', variables('vmName')), '2018-06-01', "
            "'Full').identity.principalId]",
        }
    },
}
SCALE_SET = {
    "$schema": SCHEMA,
    "contentVersion": "1.0.0.0",
    "parameters": {"vmssName": {"type": "string", "defaultValue": "vmss1"}},
    "resources": [
        {
            "type": "Microsoft.Compute/virtualMachineScaleSets",
            "name": "[parameters('vmssName')]",
            "apiVersion": "2018-06-01",
            "location": "[resourceGroup().location]",
            "identity": {"type": "SystemAssigned"},
            "sku": {"name": "Standard_B1s", "tier": "Standard", "capacity": 2},
            "properties": {
                "upgradePolicy": {"mode": "Manual"},
                "virtualMachineProfile": {
                    "extensionProfile": {
                        "extensions": [
                            {
                                "name": "ManagedIdentityWindowsExtension",
                                "properties": EXTENSION | {"protectedSettings": {}},
                            }
                        ]
                    }
                },
            },
        }
    ],
}


def write(folder: Path) -> tuple[Path, Path]:
    """Writes both files: the VM's with comments, CR and LF and a mark of byte order; `az` itself refuses a trailing comma."""
    vm, scale_set = folder / "vmext.json", folder / "vmssext.json"
    text = json.dumps(VM, indent=2).replace('"resources": [', '"resources": [ // what is made\n /* two of them */', 1)
    text = text.replace('"parameters": {},', '"parameters": {},\n  // none\n', 1)
    vm.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    scale_set.write_text(json.dumps(SCALE_SET, indent=2))
    return vm, scale_set
