//! Programs that a person may sign in to. They have no secret, so anybody can say to be one of them: who signs in must
//! have started it.

use contract::aadsts::Aadsts;
use domain::ClientId;

/// Such a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicClient {
    pub(crate) client_id: ClientId,
    pub(crate) name: &'static str,
}

/// Client ids that these programs have built in. Public sources: Azure/azure-cli `azure/cli/core/auth/constants.py`,
/// which the Azure SDKs' device code credentials use too; Azure/azure-powershell `Common.Authentication` constants.
const KNOWN: [(&str, &str); 2] = [
    ("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI"),
    ("1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell"),
];

impl PublicClient {
    /// The program of a client id. `tenant` is named in the refusal.
    ///
    /// # Errors
    /// [`Aadsts::UnknownApplication`] when it is none of those that are known.
    pub(crate) fn find(client_id: &str, tenant: &str) -> Result<Self, Aadsts> {
        let known = KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(client_id));
        let found = known.and_then(|(id, name)| Some(Self { client_id: id.parse().ok()?, name }));
        let client_id = client_id.chars().take(128).collect();
        found.ok_or_else(|| Aadsts::UnknownApplication { client_id, tenant: tenant.to_owned() })
    }
}
