//! One token, and what came of it.

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_identity::ManagedIdentityCredential;

use crate::world::ARM;

/// A line of JSON: the token and when it expires, or which error there was.
pub async fn once() -> String {
    let scope = format!("{ARM}/.default");
    let asked = async { ManagedIdentityCredential::new(None)?.get_token(&[&scope], None).await };
    match asked.await {
        Ok(token) => {
            let (text, expires) = (token.token.secret(), token.expires_on.unix_timestamp());
            format!(r#"{{"error": null, "token": "{text}", "expiresOn": {expires}}}"#)
        }
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
