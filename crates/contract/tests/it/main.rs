//! Bodies as whole documents: each file in `tests/golden` names the public source that it was written after, in lines
//! that begin with `#`, and then has the body byte for byte.
#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod guest_agent;
mod imds_documents;

use std::collections::BTreeSet;
use std::path::Path;

use contract::gate::{MetadataRefusal, Refusal, Surface};
use contract::imds::Echo;
use contract::oidc::Discovery;
use contract::{extension, imds};

const TENANT: &str = "10000000-0000-4000-8000-000000000001";

/// Every golden file with what we make of the same.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    let discovery =
        |tenant, issuer| Discovery { authority: "https://localhost:16926", tenant, issuer, host: "localhost:16926" };
    let v1 = discovery(TENANT, "https://sts.windows.net/10000000-0000-4000-8000-000000000001/");
    let v2 = discovery("common", "https://login.microsoftonline.com/{tenantid}/v2.0");
    let token = imds::TokenBody::new(&imds::TokenFields {
        access_token: "eyJ0eXAi...",
        client_id: "30000000-0000-4000-8000-000000000001",
        expires_on: 1_800_086_400,
        not_before: 1_799_999_700,
        resource: "https://management.azure.com/",
        ext_expires_in: 86_399,
    });
    let of_extension = extension::TokenBody::new(&extension::TokenFields {
        access_token: "eyJ0eXAi...",
        expires_on: 1_506_484_173,
        not_before: 1_506_480_273,
        resource: "https://management.azure.com/",
    });
    let object_id = Echo::ObjectId("40000000-0000-4000-8000-000000000001");
    let refusal = |refusal: Refusal, surface| refusal.answer(surface).body.into_owned();
    let no_header = || Refusal::Metadata(MetadataRefusal::Missing);
    vec![
        ("discovery-v1", v1.v1().unwrap()),
        ("discovery-v2", v2.v2().unwrap()),
        ("imds-token", token.render(86_399, Echo::None)),
        ("imds-token-resource-id", token.render(86_399, Echo::ResourceId("/subscriptions/S/x"))),
        ("imds-token-object-id", token.render(86_399, object_id)),
        ("imds-refusal-metadata", refusal(no_header(), Surface::Imds)),
        ("imds-refusal-resource", refusal(Refusal::ResourceMissing, Surface::Imds)),
        ("imds-refusal-identity", refusal(Refusal::IdentityNotFound, Surface::Imds)),
        ("extension-token", of_extension.render(3_599)),
        ("extension-refusal-metadata", refusal(no_header(), Surface::Extension)),
        ("extension-refusal-source", refusal(Refusal::UnknownSource { uri: "/x".to_owned() }, Surface::Extension)),
        (
            "extension-refusal-retrieval",
            refusal(Refusal::RetrievalFailed { logs: "/var/log/x".to_owned() }, Surface::Extension),
        ),
    ]
}

#[test]
fn bodies_are_what_the_golden_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: BTreeSet<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let made = made().into_iter().chain(guest_agent::made()).map(|(name, body)| (name.to_owned(), body));
    for (name, body) in made.chain(imds_documents::made()) {
        let file = format!("{name}.txt");
        let text = std::fs::read_to_string(folder.join(&file)).unwrap_or_else(|why| panic!("{file}: {why}"));
        let (sources, golden): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("# "));
        assert!(!sources.is_empty(), "{file} names no source");
        assert_eq!(String::from_utf8(body).unwrap().trim_end(), golden.join("\n"), "{file}");
        files.remove(&file);
    }
    assert!(files.is_empty(), "files that nothing is compared with: {files:?}");
}
