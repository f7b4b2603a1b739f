//! Whether an external issuer's assertion is one that a federated credential trusts.
//!
//! Issuer, subject and audience are compared exactly (MicrosoftDocs/entra-docs
//! `workload-identity-federation-considerations.md`); a slash at the end counts, and so does letter case.

use contract::assertion::UnverifiedAssertion;
use domain::FederatedCredential;

/// Why no credential matches, in the order of checking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederatedRefusal {
    /// None has this issuer.
    #[error("no federated credential has the issuer '{0}'")]
    Issuer(String),
    /// None of this issuer has this subject.
    #[error("no federated credential has the subject '{0}'")]
    Subject(String),
    /// None of this issuer and subject has this audience.
    #[error("no federated credential has the audience '{0}'")]
    Audience(String),
    /// One would match if letter case didn't count.
    #[error("a federated credential matches but for its letter case")]
    Case,
}

/// Finds the credential that an assertion matches. It must name exactly one audience, which is judged last.
///
/// # Errors
/// The first part for which there is none.
pub fn find<'c>(
    credentials: &'c [FederatedCredential],
    assertion: &UnverifiedAssertion<'_>,
) -> Result<&'c FederatedCredential, FederatedRefusal> {
    let (issuer, subject) = (assertion.issuer.as_str(), assertion.subject.as_str());
    if let [audience] = assertion.audiences.as_slice() {
        let wanted = [issuer, subject, audience.as_str()];
        if let Some(found) = credentials.iter().find(|credential| parts(credential) == wanted) {
            return Ok(found);
        }
        let but_for_case = |credential: &FederatedCredential| {
            parts(credential).iter().zip(wanted).all(|(part, wanted)| part.eq_ignore_ascii_case(wanted))
        };
        if credentials.iter().any(but_for_case) {
            return Err(FederatedRefusal::Case);
        }
    }
    if !credentials.iter().any(|credential| credential.issuer == issuer) {
        return Err(FederatedRefusal::Issuer(issuer.to_owned()));
    }
    let of_issuer = |credential: &&FederatedCredential| credential.issuer == issuer;
    if !credentials.iter().filter(of_issuer).any(|credential| credential.subject == subject) {
        return Err(FederatedRefusal::Subject(subject.to_owned()));
    }
    Err(FederatedRefusal::Audience(assertion.audiences.join(", ")))
}

fn parts(credential: &FederatedCredential) -> [&str; 3] {
    [credential.issuer.as_str(), credential.subject.as_str(), credential.audience.as_str()]
}

#[cfg(test)]
mod tests {
    use contract::assertion::AssertionAlgorithm;

    use super::*;

    fn assertion(issuer: &str, subject: &str, audiences: &[&str]) -> UnverifiedAssertion<'static> {
        UnverifiedAssertion {
            algorithm: AssertionAlgorithm::Rs256,
            kid: None,
            thumbprint_sha1: None,
            thumbprint_sha256: None,
            thumbprint_text: String::new(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
            expires_on: 0,
            not_before: None,
            signed: "",
            signature: Vec::new(),
        }
    }

    #[test]
    fn every_part_must_be_exactly_the_same() {
        let credential = |subject: &str, audience: &str| FederatedCredential {
            name: subject.to_owned(),
            issuer: "https://i/".to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
        };
        let credentials = [credential("s", "a"), credential("t", "b")];
        let found = |issuer, subject, audiences: &[&str]| {
            find(&credentials, &assertion(issuer, subject, audiences)).map(|found| found.name.as_str())
        };
        assert_eq!(found("https://i/", "t", &["b"]), Ok("t"));
        assert_eq!(found("https://i", "s", &["a"]), Err(FederatedRefusal::Issuer("https://i".into())));
        assert_eq!(found("https://i/", "u", &["a"]), Err(FederatedRefusal::Subject("u".into())));
        assert_eq!(found("https://i/", "s", &["b"]), Err(FederatedRefusal::Audience("b".into())));
        assert_eq!(found("https://I/", "s", &["a"]), Err(FederatedRefusal::Case));
        assert_eq!(found("https://i/", "s", &["a", "b"]), Err(FederatedRefusal::Audience("a, b".into())));
        assert_eq!(found("https://j/", "s", &["a", "b"]), Err(FederatedRefusal::Issuer("https://j/".into())));
        assert_eq!(found("https://i/", "u", &["a", "b"]), Err(FederatedRefusal::Subject("u".into())));
        assert_eq!(found("https://i/", "s", &[]), Err(FederatedRefusal::Audience(String::new())));
    }
}
