//! `/metadata/attested/document`: what a VM shows to others, who can check it without asking anybody.
//!
//! Public sources: MicrosoftDocs/azure-compute-docs `instance-metadata-service.md` ("Attested data": order of the fields,
//! forms of times and nonce) and spiffe/spire `pkg/server/plugin/nodeattestor/azureimds` (a nonce of 32 characters).

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::instance::Plan;
use super::{api_version, dates};
use crate::answer::push_json_string;
use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::query::Parameters;

/// The longest nonce that is taken, in characters.
const MAX_NONCE: usize = 32;

/// What a caller wants to find again in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce<'q>(Cow<'q, str>);

impl<'q> Nonce<'q> {
    fn parse(text: Cow<'q, str>) -> Result<Self, Refusal> {
        let is_sound = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if (1..=MAX_NONCE).contains(&text.len()) && is_sound(&text) { Ok(Self(text)) } else { Err(Refusal::Nonce) }
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request for the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedRequest<'q> {
    /// The version asked for.
    pub api_version: ApiVersion,
    /// The nonce, if there is one.
    pub nonce: Option<Nonce<'q>>,
}

impl<'q> AttestedRequest<'q> {
    /// Reads a raw query. Unknown parameters decide nothing.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version, nonce.
    pub fn parse(query: &'q str) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let api_version = api_version(&parameters, ApiVersion::FIRST_WITH_ATTESTED)?;
        let nonce = parameters.get("nonce").cloned().map(Nonce::parse).transpose()?;
        Ok(Self { api_version, nonce })
    }
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct AttestedDocument<'d> {
    /// The licence that its owner brought along; none is left out.
    pub license_type: &'d str,
    /// The plan of its image.
    pub plan: &'d Plan,
    /// The SKU of its image.
    pub sku: &'d str,
    /// Its subscription.
    pub subscription_id: &'d str,
    /// Its unique id.
    pub vm_id: &'d str,
    /// When the document is made, seconds since 1970.
    pub created_on: i64,
    /// Until when it is good, seconds since 1970.
    pub expires_on: i64,
}

impl AttestedDocument<'_> {
    /// The text, with the fields that the request's version knows. Without a nonce the time stands in its place.
    #[must_use]
    pub fn content(&self, request: &AttestedRequest<'_>) -> Vec<u8> {
        let version = request.api_version;
        let nonce = request.nonce.as_ref();
        let nonce = nonce.map_or_else(|| dates::compact(self.created_on).into(), |nonce| Cow::Borrowed(nonce.as_str()));
        let mut text = Text(String::with_capacity(512));
        if version >= ApiVersion::V20200901 && !self.license_type.is_empty() {
            text.field("{", "licenseType", self.license_type);
            text.field(",", "nonce", &nonce);
        } else {
            text.field("{", "nonce", &nonce);
        }
        text.field(",\"plan\":{", "name", &self.plan.name);
        text.field(",", "product", &self.plan.product);
        text.field(",", "publisher", &self.plan.publisher);
        text.0.push('}');
        if version >= ApiVersion::V20191101 {
            text.field(",", "sku", self.sku);
        }
        if version >= ApiVersion::V20190430 {
            text.field(",", "subscriptionId", self.subscription_id);
        }
        text.field(",\"timeStamp\":{", "createdOn", &dates::stamp(self.created_on));
        text.field(",", "expiresOn", &dates::stamp(self.expires_on));
        text.field("},", "vmId", self.vm_id);
        text.0.push('}');
        text.0.into_bytes()
    }

    /// The body of an answer with the signed text.
    #[must_use]
    pub fn body(signed: &[u8]) -> Vec<u8> {
        format!("{{\"encoding\":\"pkcs7\",\"signature\":\"{}\"}}", BASE64_STANDARD.encode(signed)).into_bytes()
    }
}

struct Text(String);

impl Text {
    fn field(&mut self, before: &str, name: &str, value: &str) {
        self.0.push_str(before);
        push_json_string(&mut self.0, name);
        self.0.push(':');
        push_json_string(&mut self.0, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nonces_are_short_and_plain() {
        let nonce = |nonce: &str| {
            let query = format!("api-version=2025-04-07&nonce={nonce}");
            AttestedRequest::parse(&query).map(|request| request.nonce.unwrap().as_str().to_owned())
        };
        for good in ["1234576656", "0", "20201130-211924", &"aZ9-".repeat(8)] {
            assert_eq!(nonce(good).as_deref(), Ok(good));
        }
        for bad in ["", "a b", "a%00", "%C3%A9", "a_b", "a.b", "\"", &"a".repeat(33)] {
            assert_eq!(nonce(bad), Err(Refusal::Nonce), "{bad}");
        }
        let old = AttestedRequest::parse("api-version=2018-04-02&nonce=!").unwrap_err();
        assert_eq!(old, Refusal::ApiVersionUnknown { value: "2018-04-02".to_owned() });
    }

    proptest! {
        /// Whatever a VM is called, the text is JSON and says so.
        #[test]
        fn the_text_is_json(license: String, name: String, version in prop::sample::select(&ApiVersion::ALL[7..])) {
            let plan = Plan { name: name.clone(), ..Plan::default() };
            let document = AttestedDocument {
                license_type: &license, plan: &plan, sku: "s", subscription_id: "i", vm_id: "v",
                created_on: 1_800_000_000, expires_on: 1_800_021_600,
            };
            let content = document.content(&AttestedRequest { api_version: version, nonce: None });
            let value: serde_json::Value = serde_json::from_slice(&content).unwrap();
            prop_assert_eq!(&value["plan"]["name"], &name);
            prop_assert_eq!(&value["nonce"], "20270115-080000");
            prop_assert_eq!(value.get("licenseType").is_some(), version >= ApiVersion::V20200901 && !license.is_empty());
            prop_assert_eq!(value.get("sku").is_some(), version >= ApiVersion::V20191101);
            prop_assert_eq!(value.get("subscriptionId").is_some(), version >= ApiVersion::V20190430);
        }
    }
}
