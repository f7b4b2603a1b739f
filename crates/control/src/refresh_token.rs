//! Refresh tokens: sealed words of ours to ourselves, so that nothing is stored and a restart forgets none.

use std::time::Duration;

use authority::kek::{FileKek, Kek, KekError, KeyAad};
use contract::aadsts::Aadsts;
use contract::jose;
use domain::{ClientId, PrincipalId, SecretId, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::account::SignedIn;

/// For how long after a sign-in its tokens can be renewed, however often that is done.
pub(crate) const LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// The longest token that is looked at.
const MAX_LENGTH: usize = 4_096;
const AAD: KeyAad<'static> = KeyAad { kid: "", issuer: "", purpose: "refresh-token", version: 1 };

/// What a refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) tenant: TenantId,
    /// The account.
    pub(crate) principal_id: PrincipalId,
    pub(crate) account: ClientId,
    /// What it signed in with, and when.
    pub(crate) secret: SecretId,
    pub(crate) at: Timestamp,
    /// The program that it signed in to.
    pub(crate) client: ClientId,
}

/// Seals what renews a sign-in to a program.
pub(crate) fn seal(kek: &FileKek, who: &SignedIn, client: ClientId) -> Result<String, KekError> {
    let said = json!({
        "tenant": who.tenant.id.to_string(),
        "principal": who.principal_id.to_string(),
        "account": who.client_id.to_string(),
        "secret": who.secret.to_string(),
        "at": who.at.unix(),
        "client": client.to_string(),
    });
    let wrapped = kek.wrap(&AAD, said.to_string().as_bytes())?;
    Ok(format!("{}.{}", jose::encode(kek.id()), jose::encode(wrapped)))
}

/// Opens a token.
///
/// # Errors
/// [`Aadsts::InvalidRefreshToken`] when it isn't one of ours, [`Aadsts::RefreshTokenExpired`] when it is too old.
pub(crate) fn open(kek: &FileKek, token: &str, now: Timestamp) -> Result<Sealed, Aadsts> {
    let sealed = read(kek, token).ok_or(Aadsts::InvalidRefreshToken)?;
    if now.since(sealed.at) >= LIFETIME { Err(Aadsts::RefreshTokenExpired) } else { Ok(sealed) }
}

fn read(kek: &FileKek, token: &str) -> Option<Sealed> {
    let (kek_id, wrapped) = token.split_once('.').filter(|_| token.len() <= MAX_LENGTH)?;
    let kek_id = String::from_utf8(jose::decode(kek_id)?).ok()?;
    let said = kek.unwrap(&kek_id, &AAD, &jose::decode(wrapped)?).ok()?;
    let said: Value = serde_json::from_slice(&said).ok()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    Some(Sealed {
        tenant: text("tenant")?.parse().ok()?,
        principal_id: text("principal")?.parse().ok()?,
        account: text("account")?.parse().ok()?,
        secret: text("secret")?.parse().ok()?,
        at: Timestamp::from_unix(said.get("at")?.as_i64()?),
        client: text("client")?.parse().ok()?,
    })
}
