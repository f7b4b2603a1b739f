//! What runs inside a VM: the extension endpoint and the credential on its disk.
