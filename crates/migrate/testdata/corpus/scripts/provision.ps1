$settings = @{ "port" = 50342 }
Set-AzVMExtension -ResourceGroupName dev -Location WestUS -VMName worker `
    -Name "ManagedIdentityExtensionForWindows" -Type "ManagedIdentityExtensionForWindows" `
    -Publisher "Microsoft.ManagedIdentity" -TypeHandlerVersion "1.0" -Settings $settings

Add-AzureRmVmssExtension -VirtualMachineScaleSet $vmss -Name "ManagedIdentityWindowsExtension" -Type "ManagedIdentityExtensionForWindows" -Publisher "Microsoft.ManagedIdentity" -TypeHandlerVersion "1.0" -Setting $settings

Connect-AzureRmAccount -MSI -ManagedServicePort 50342
