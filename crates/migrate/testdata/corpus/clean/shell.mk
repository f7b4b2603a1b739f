ifeq ($(AZUREPS_HOST_ENVIRONMENT),cloud-shell/1.0)
PORT = 8080
endif
