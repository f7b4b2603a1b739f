package shell

import "os"

func in() bool { return os.Getenv("AZUREPS_HOST_ENVIRONMENT") == "cloud-shell/1.0" }
