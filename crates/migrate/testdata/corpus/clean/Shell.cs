var inShell = Environment.GetEnvironmentVariable("AZUREPS_HOST_ENVIRONMENT") == "cloud-shell/1.0";
