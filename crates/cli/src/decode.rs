//! A token taken apart, and its signature checked against the authority's published keys.

use anyhow::{Context, bail};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Map, Value};

use crate::http_client;
use crate::up::instance::Instance;

/// Header and claims, in the order in which they stand in the token.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Vec<(String, Value)>,
}

/// Takes a compact JWT apart. Nothing is verified.
pub(crate) fn decode(token: &str) -> anyhow::Result<Decoded> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        bail!("it isn't a token of three parts");
    };
    let part = |text: &str| -> anyhow::Result<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(text).context("a part of the token isn't base64url")
    };
    let header = serde_json::from_slice(&part(header)?).context("the token's header isn't a JSON object")?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&part(claims)?).context("the token's claims aren't a JSON object")?;
    Ok(Decoded { header, claims: claims.into_iter().collect() })
}

/// A claim's value for people: times also as dates.
pub(crate) fn shown(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let time = matches!(name, "exp" | "iat" | "nbf").then(|| value.as_i64()).flatten();
    match time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        Some(time) => format!("{text} ({time})"),
        None => text,
    }
}

/// Verifies the signature with the key of the token's `kid`; gives that `kid`.
pub(crate) async fn verify(token: &str, decoded: &Decoded, instance: &Instance) -> anyhow::Result<String> {
    let text = |name: &str| decoded.header.get(name).and_then(Value::as_str);
    let kid = text("kid").context("the token has no kid")?;
    let algorithm = text("alg").unwrap_or("none");
    if algorithm != "RS256" {
        bail!("its algorithm is {algorithm}; the authority signs with RS256");
    }
    let tenant = decoded.claims.iter().find(|(name, _)| name == "tid").and_then(|(_, value)| value.as_str());
    let url = format!("{}/{}/discovery/v2.0/keys", instance.authority, tenant.unwrap_or("common"));
    let answer = http_client::get(&url, &[], roots(instance)?).await?;
    let keys: Value = serde_json::from_slice(&answer.body).with_context(|| format!("{url} isn't JSON"))?;
    let keys = keys.get("keys").and_then(Value::as_array).with_context(|| format!("{url} has no keys"))?;
    let key = keys
        .iter()
        .find(|key| key.get("kid").and_then(Value::as_str) == Some(kid))
        .with_context(|| format!("{url} has no key {kid}"))?;
    let number = |name: &str| -> anyhow::Result<Vec<u8>> {
        let text = key.get(name).and_then(Value::as_str).with_context(|| format!("the key has no {name}"))?;
        URL_SAFE_NO_PAD.decode(text).with_context(|| format!("the key's {name} isn't base64url"))
    };
    let key = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    let (signed, signature) = token.rsplit_once('.').context("the token has no signature")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).context("the signature isn't base64url")?;
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| anyhow::anyhow!("the signature doesn't fit the key {kid}"))?;
    Ok(kid.to_owned())
}

/// The local CA of a running `up`.
pub(crate) fn roots(instance: &Instance) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let read = || format!("the CA certificate {} can't be read", instance.ca_file.display());
    for certificate in CertificateDer::pem_file_iter(&instance.ca_file).with_context(read)? {
        roots.add(certificate.with_context(read)?)?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_told() {
        for wrong in ["", "a", "a.b", "a.b.c.d", "!.e30.x", "e30.W10.x"] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
        let decoded = decode("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJyIiwiZXhwIjoxODAwMDAwMDAwfQ.c2ln").unwrap();
        let names: Vec<_> = decoded.claims.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["aud", "exp"]);
        assert_eq!(shown("exp", &decoded.claims[1].1), "1800000000 (2027-01-15T08:00:00Z)");
    }
}
