#!/bin/sh
az vm extension delete -g dev --vm-name worker -n ManagedIdentityExtensionForLinux
