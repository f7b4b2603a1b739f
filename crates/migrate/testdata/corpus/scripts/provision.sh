#!/bin/sh
az vm extension set \
  --resource-group dev --vm-name worker \
  --name ManagedIdentityExtensionForLinux \
  --publisher Microsoft.ManagedIdentity --version 1.0 \
  --settings '{"port": 50342}'
az login --identity --identity-port 50342
