resource "azapi_resource" "msi" {
  type      = "Microsoft.Compute/virtualMachines/extensions@2023-03-01"
  name      = "msi"
  parent_id = azurerm_linux_virtual_machine.worker.id
  body = jsonencode({
    properties = {
      publisher          = "Microsoft.ManagedIdentity"
      type               = "ManagedIdentityExtensionForLinux"
      typeHandlerVersion = "1.0"
      settings           = { port = 50342 }
    }
  })
}
