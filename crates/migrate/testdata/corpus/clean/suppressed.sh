#!/bin/sh
# The emulator stands where the extension stood. symbolon:ignore SYM001
curl 'http://localhost:50342/oauth2/token?resource=x' -H Metadata:true
