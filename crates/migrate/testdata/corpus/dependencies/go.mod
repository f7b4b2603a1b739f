module example.com/worker

require github.com/Azure/go-autorest v9.10.0+incompatible
