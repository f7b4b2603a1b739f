#!/bin/bash
[ "$AZUREPS_HOST_ENVIRONMENT" = "cloud-shell/1.0" ] && exit 0
[[ ${AZUREPS_HOST_ENVIRONMENT} == cloud-shell* ]] && exit 0
test "${AZUREPS_HOST_ENVIRONMENT:-}" = cloud-shell/1.0 || echo "elsewhere"
