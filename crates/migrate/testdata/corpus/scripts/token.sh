#!/bin/bash
response=$(curl 'http://localhost:50342/oauth2/token?resource=https%3A%2F%2Fmanagement.azure.com%2F' -H Metadata:true -s)
x=`curl http://localhost:50342/oauth2/token --data "resource=https://vault.azure.net" -H Metadata:true`
curl -s -X POST "http://127.0.0.1:50342/oauth2/token" \
    -H "Metadata: true" \
    -d "resource=$RESOURCE" | jq -r .access_token
wget -qO- --header='Metadata: true' "http://localhost:50342/oauth2/token?resource=https://vault.azure.net"
curl -s "${MSI_ENDPOINT:-http://localhost:50342/oauth2/token}" -d resource=x -H Metadata:true
