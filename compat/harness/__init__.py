"""The harness of the real clients: installs them, isolates them, runs them against a `symbolon up`."""
