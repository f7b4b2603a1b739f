const inShell = process.env.AZUREPS_HOST_ENVIRONMENT === 'cloud-shell/1.0';
const alsoInShell = process.env["AZUREPS_HOST_ENVIRONMENT"] == "cloud-shell/1.0";
