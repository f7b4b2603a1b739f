//! Which extensions and images there are.

use contract::arm::{ArmError, Code};
use domain::{ExtensionSpec, SubscriptionId, vm_extension};
use serde_json::{Value, json};

use super::authorization::Authorized;
use super::document;
use super::failure::Failure;
use super::reply::Reply;
use super::storage_profile::image_os;

/// The extension handlers that exist: publisher, type, the operating system, versions.
const HANDLERS: [(&str, &str, &str, &[&str]); 2] = [
    (vm_extension::MANAGED_IDENTITY_PUBLISHER, vm_extension::MANAGED_IDENTITY_LINUX, "Linux", &["1.0"]),
    (vm_extension::MANAGED_IDENTITY_PUBLISHER, vm_extension::MANAGED_IDENTITY_WINDOWS, "Windows", &["1.0"]),
];

/// The version of every image.
pub(crate) const IMAGE_VERSION: &str = "1.0.0";

/// That there is such an extension.
pub(crate) fn require(spec: &ExtensionSpec, location: &str) -> Result<(), ArmError> {
    let (publisher, kind, version) = (&spec.publisher, &spec.extension_type, &spec.type_handler_version);
    let found = HANDLERS.iter().find(|(known_publisher, known_type, _, _)| {
        known_publisher.eq_ignore_ascii_case(publisher) && known_type.eq_ignore_ascii_case(kind)
    });
    let Some((_, _, _, versions)) = found else {
        let text = format!(
            "The VM extension with publisher '{publisher}' and type '{kind}' could not be found in location \
             '{location}'."
        );
        return Err(ArmError::new(Code::ArtifactNotFound, text));
    };
    if versions.iter().any(|known| fits(known, version)) {
        return Ok(());
    }
    Err(ArmError::new(
        Code::ArtifactVersionNotFound,
        format!(
            "The VM extension with publisher '{publisher}' and type '{kind}' has no version that fits '{version}'; \
             there is {}.",
            versions.join(", ")
        ),
    ))
}

/// Whether a version is the known one, perhaps written out: `1.0` and `1.0.0.0`.
fn fits(known: &str, version: &str) -> bool {
    version == known
        || version.strip_prefix(known).is_some_and(|rest| {
            rest.starts_with('.')
                && rest.split('.').skip(1).all(|part| !part.is_empty() && part.chars().all(|c| c == '0'))
        })
}

/// `GET …/locations/{l}/publishers…`: `names` are the segments that follow `locations`.
pub(crate) fn get(_: &Authorized, subscription: SubscriptionId, names: &[String]) -> Result<Reply, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let words: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let base = format!("/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{}", names.join("/"));
    let location = document::normal(names.first().copied().unwrap_or_default());
    let item = |id: String, name: &str| json!({"id": id, "name": name, "location": location, "properties": {}});
    let listed = |known: Vec<&str>| {
        let list = known.iter().map(|name| item(format!("{base}/{name}"), name));
        Reply::ok(list.collect::<Vec<Value>>().into())
    };
    let handlers_of = |publisher: &str| {
        HANDLERS.iter().filter(move |(known, _, _, _)| known.eq_ignore_ascii_case(publisher)).collect::<Vec<_>>()
    };
    let reply = match words.as_slice() {
        [_, "publishers"] => listed(vec![vm_extension::MANAGED_IDENTITY_PUBLISHER]),
        [_, "publishers", publisher, "artifacttypes", "vmextension", "types"] => {
            listed(handlers_of(publisher).iter().map(|(_, kind, _, _)| *kind).collect())
        }
        [_, "publishers", publisher, "artifacttypes", "vmextension", "types", kind, rest @ ..] => {
            let found = handlers_of(publisher).into_iter().find(|(_, known, _, _)| known.eq_ignore_ascii_case(kind));
            let (_, _, os, versions) = found.ok_or_else(|| unknown(&base))?;
            match rest {
                ["versions"] => listed(versions.to_vec()),
                ["versions", version] if versions.contains(version) => Reply::ok(json!({
                    "id": base, "name": version, "location": location,
                    "properties": {
                        "operatingSystem": os, "computeRole": "IaaS", "handlerSchema": "",
                        "vmScaleSetEnabled": true, "supportsMultipleExtensions": false,
                    },
                })),
                _ => return Err(unknown(&base)),
            }
        }
        // Images are whatever a template says: each has one version, which `az vm create` wants to know of.
        [_, "publishers", _, "artifacttypes", "vmimage", "offers", _, "skus", _, "versions"] => {
            listed(vec![IMAGE_VERSION])
        }
        [_, "publishers", publisher, "artifacttypes", "vmimage", "offers", _, "skus", _, "versions", version] => {
            Reply::ok(json!({
                "id": base, "name": version, "location": location,
                "properties": {
                    "osDiskImage": {"operatingSystem": image_os(publisher)}, "dataDiskImages": [], "hyperVGeneration": "V2",
                    "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
                },
            }))
        }
        _ => return Err(unknown(&base)),
    };
    Ok(reply)
}

fn unknown(path: &str) -> Failure {
    ArmError::new(Code::ArtifactNotFound, format!("The artifact '{path}' was not found.")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit() {
        for version in ["1.0", "1.0.0", "1.0.0.0"] {
            assert!(fits("1.0", version), "{version}");
        }
        for version in ["1", "1.1", "2.0", "1.0.", "1.0.0.8", "1.00"] {
            assert!(!fits("1.0", version), "{version}");
        }
    }
}
