#!/bin/sh
curl -s http://localhost:50342/oauth2/token --data resource=https://vault.azure.net -H Metadata:true
