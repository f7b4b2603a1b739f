#!/bin/sh
if [ -d /var/lib/worker ]; then
  # for the libraries
  export MSI_ENDPOINT=http://localhost:50342/oauth2/token
fi
