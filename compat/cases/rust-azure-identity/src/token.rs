//! One token, and what came of it.

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_identity::ManagedIdentityCredential;

use crate::world::ARM;

/// A line of JSON: when the token expires, or which error there was.
pub async fn once() -> String {
    let scope = format!("{ARM}/.default");
    let asked = async { ManagedIdentityCredential::new(None)?.get_token(&[&scope], None).await };
    match asked.await {
        Ok(token) => format!(r#"{{"error": null, "expiresOn": {}}}"#, token.expires_on.unix_timestamp()),
        Err(why) => {
            eprintln!("{why:?}");
            let kind = match why.kind() {
                ErrorKind::Credential => "Credential",
                _ => "other",
            };
            format!(r#"{{"error": "{kind}"}}"#)
        }
    }
}
