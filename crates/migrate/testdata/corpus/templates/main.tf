resource "azurerm_virtual_machine_extension" "msi" {
  name                 = "msi"
  virtual_machine_name = "${azurerm_virtual_machine.worker.name}"
  publisher            = "Microsoft.ManagedIdentity"
  type                 = "ManagedIdentityExtensionForLinux"
  type_handler_version = "1.0"

  settings = <<SETTINGS
    {
        "port": 50342
    }
SETTINGS
}

provider "azurerm" {
  use_msi      = true
  msi_endpoint = "http://localhost:50342/oauth2/token"
}
