//! `GET /metadata/endpoints`: where a client finds everything else. Three shapes, by api-version.
//!
//! Which shape a client reads was recorded: azure-cli 2.45.0 asks for 2015-01-01 and crashes on an array,
//! `ARM_CLOUD_METADATA_URL` is read as 2019-05-01, azure-cli 2.91.0 asks for 2022-09-01.

use serde_json::{Value, json};

/// The cloud's name.
const NAME: &str = "symbolon";

/// The document of a cloud whose control plane and authority are at `base` (without a last slash).
#[must_use]
pub fn document(base: &str, api_version: &str) -> Value {
    // Dates compare as text.
    if api_version < "2018" {
        return json!({
            "galleryEndpoint": base,
            "graphEndpoint": format!("{base}/graph/"),
            "portalEndpoint": base,
            "authentication": {"loginEndpoint": base, "audiences": [format!("{base}/")]},
        });
    }
    let cloud = json!({
        "name": NAME,
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [format!("{base}/")],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graphAudience": format!("{base}/graph/"),
        "graph": format!("{base}/graph/"),
        "microsoftGraphResourceId": format!("{base}/msgraph/"),
        "resourceManager": format!("{base}/"),
        "suffixes": {"storage": "symbolon.test", "keyVaultDns": ".vault.symbolon.test"},
    });
    if api_version < "2022" { Value::Array(vec![cloud]) } else { cloud }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes() {
        let base = "https://localhost:16926";
        assert!(document(base, "2015-01-01").get("portalEndpoint").is_some());
        assert!(document(base, "2019-05-01").is_array());
        let newest = document(base, "2022-09-01");
        assert_eq!(newest["authentication"]["audiences"][0], "https://localhost:16926/");
        assert_eq!(newest["resourceManager"], "https://localhost:16926/");
    }
}
