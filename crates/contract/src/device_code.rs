//! `POST /{tenant}/oauth2/v2.0/devicecode`: a person signs in on another page than the program that asks.
//!
//! Public sources: RFC 8628, MicrosoftDocs/entra-docs `v2-oauth2-device-code.md`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::aadsts::Aadsts;
use crate::query::MAX_VALUE;
use crate::scope::RequestedScope;
use crate::token_endpoint::{self, required};

/// The grant that asks whether somebody has signed in by now: as RFC 8628 has it, and as MSAL for Node, Go and Java send
/// it (AzureAD/microsoft-authentication-library-for-go `apps/internal/oauth/ops/internal/grant/grant.go`).
pub const GRANTS: [&str; 2] = ["urn:ietf:params:oauth:grant-type:device_code", "device_code"];
/// How long the codes live.
pub const LIFETIME: Duration = Duration::from_secs(900);
/// How long a client waits between two questions, in seconds.
pub const INTERVAL: u64 = 1;
/// Letters and digits of a user code: none that are taken for another.
pub const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many of them a user code has.
pub const USER_CODE_LENGTH: usize = 9;

/// A request for codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCodeForm<'f> {
    /// The client id as it was sent.
    pub client_id: Cow<'f, str>,
    /// What the token will be for.
    pub scope: RequestedScope,
}

impl<'f> DeviceCodeForm<'f> {
    /// Reads a form.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(form: &'f [u8]) -> Result<Self, Aadsts> {
        let parameters = token_endpoint::parameters(form)?;
        let client_id = required(&parameters, "client_id")?;
        let scope = required(&parameters, "scope")?;
        if scope.len() > MAX_VALUE {
            let scope = scope.chars().take(128).collect();
            return Err(Aadsts::InvalidScope { scope });
        }
        Ok(Self { client_id, scope: RequestedScope::parse(&scope)? })
    }
}

/// Codes to answer with. `Debug` doesn't show them.
#[derive(Clone, Copy, Serialize)]
pub struct DeviceCodeAnswer<'a> {
    /// What the person enters.
    pub user_code: &'a str,
    /// What the client asks with.
    pub device_code: &'a str,
    /// Where the person goes.
    pub verification_uri: &'a str,
}

impl fmt::Debug for DeviceCodeAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeAnswer").field("verification_uri", &self.verification_uri).finish_non_exhaustive()
    }
}

impl DeviceCodeAnswer<'_> {
    /// The body. Clients print `message` as it is.
    ///
    /// # Errors
    /// Never in practice: every member is text or a number.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            codes: &'a DeviceCodeAnswer<'a>,
            expires_in: u64,
            interval: u64,
            message: String,
        }
        let Self { user_code, verification_uri, .. } = self;
        serde_json::to_vec(&Body {
            codes: self,
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL,
            message: format!(
                "To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to \
                 authenticate."
            ),
        })
    }
}

/// A user code as a person types it: in any case, with blanks and hyphens where they help. `None` if it can't be one.
#[must_use]
pub fn user_code(typed: &str) -> Option<String> {
    let code: String = typed
        .chars()
        .filter(|one| !one.is_whitespace() && *one != '-')
        .take(USER_CODE_LENGTH + 1)
        .map(|one| one.to_ascii_uppercase())
        .collect();
    let sound = code.len() == USER_CODE_LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
    sound.then_some(code)
}

/// A user code of random bytes.
#[must_use]
pub fn user_code_of(random: [u8; USER_CODE_LENGTH]) -> String {
    let letter = |byte: u8| ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied().unwrap_or(b'A');
    random.into_iter().map(|byte| char::from(letter(byte))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_real_client_is_read() {
        let form = "client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&claims=%7B%7D\
                    &scope=https%3A%2F%2Flocalhost%3A1%2F%2F.default+offline_access+openid+profile";
        let read = DeviceCodeForm::parse(form.as_bytes()).unwrap();
        assert_eq!(read.client_id, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
        assert_eq!((read.scope.resource.as_str(), read.scope.offline_access), ("https://localhost:1/", true));
        for (form, wrong) in [
            ("", Aadsts::MissingParameter { name: "client_id" }),
            ("client_id=c", Aadsts::MissingParameter { name: "scope" }),
            ("client_id=c&scope=openid", Aadsts::InvalidScope { scope: "openid".to_owned() }),
        ] {
            assert_eq!(DeviceCodeForm::parse(form.as_bytes()), Err(wrong));
        }
        // It is kept until somebody has signed in.
        let scope = |length: usize| format!("client_id=c&scope={}/.default", "r".repeat(length - "/.default".len()));
        assert!(DeviceCodeForm::parse(scope(MAX_VALUE).as_bytes()).is_ok());
        assert!(matches!(
            DeviceCodeForm::parse(scope(MAX_VALUE + 1).as_bytes()),
            Err(Aadsts::InvalidScope { scope }) if scope.len() == 128
        ));
    }

    #[test]
    fn the_answer_has_what_clients_read_and_debug_shows_no_code() {
        let answer = DeviceCodeAnswer { user_code: "U", device_code: "D", verification_uri: "https://a/devicelogin" };
        assert_eq!(
            String::from_utf8(answer.body().unwrap()).unwrap(),
            r#"{"user_code":"U","device_code":"D","verification_uri":"https://a/devicelogin","expires_in":900,"interval":1,"message":"To sign in, use a web browser to open the page https://a/devicelogin and enter the code U to authenticate."}"#
        );
        assert_eq!(format!("{answer:?}"), r#"DeviceCodeAnswer { verification_uri: "https://a/devicelogin", .. }"#);
    }

    #[test]
    fn a_user_code_is_read_as_people_type_it() {
        assert_eq!(user_code_of([0, 1, 2, 31, 32, 63, 254, 255, 128]), "ABC9A989A");
        for typed in ["ABC9A989A", "abc9a989a", " ABC-9A9-89A ", "a b c 9 a 9 8 9 a"] {
            assert_eq!(user_code(typed).as_deref(), Some("ABC9A989A"), "{typed}");
        }
        for typed in ["", "ABC9A989", "ABC9A989AA", "ABC9A989O", "ABC9A989I", "ABC9A989\u{e9}", &"A".repeat(1_000_000)]
        {
            assert_eq!(user_code(typed), None);
        }
    }
}
