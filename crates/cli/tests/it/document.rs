//! Each row of docs/guides/commands.md: the request that a command of the original document sends, sent again.

use http::Method;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

use super::*;

const WINDOWS: &str = "ManagedIdentityExtensionForWindows";
const LINUX: &str = "ManagedIdentityExtensionForLinux";

/// Somebody who knows nothing of us but the address, the CA and the admin's secret.
struct Rest<'a> {
    up: &'a Up,
    token: String,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Rest<'a> {
    fn new(up: &'a Up) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut rest = Self { up, token: String::new(), runtime };
        let (admin, arm) = (&up.ready["admin"], up.text("arm"));
        let (client, secret) = (admin["clientId"].as_str().unwrap(), admin["clientSecret"].as_str().unwrap());
        // The scope as az has it: with a double slash.
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={arm}//.default&client_info=1"
        );
        let url = format!("{arm}/{}/oauth2/v2.0/token", up.text("tenantId"));
        let (status, answer) = rest.send(Method::POST, &url, "application/x-www-form-urlencoded", form);
        assert_eq!(status, 200, "{answer}");
        rest.token = answer["access_token"].as_str().unwrap().to_owned();
        rest
    }

    /// The status and body of a request in the group `dev`.
    fn ask(&self, method: &str, path: &str, body: impl ToString) -> (u16, Value) {
        let group = format!("/subscriptions/{}/resourceGroups/dev", self.up.text("subscriptionId"));
        let url = format!("{}{group}{path}", self.up.text("arm"));
        self.send(method.parse().unwrap(), &url, "application/json", body.to_string())
    }

    /// As [`ask`](Self::ask), until what it began has ended.
    fn done(&self, method: &str, path: &str, body: impl ToString) {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        let resource = path.split('?').next().unwrap();
        let version = path.split('?').nth(1).unwrap();
        eventually(&format!("{method} {path} ends"), || {
            let (status, answer) = self.ask("GET", &format!("{resource}?{version}"), "");
            let state = answer["properties"]["provisioningState"].as_str();
            let ended = (status == 404 && method == "DELETE") || matches!(state, Some("Succeeded" | "Failed"));
            ended.then_some(())
        });
    }

    fn send(&self, method: Method, url: &str, content: &str, body: String) -> (u16, Value) {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.up.text("caFile")).unwrap()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        let mut request = http::Request::builder().method(method).uri(url).header("Content-Type", content);
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        self.runtime.block_on(async {
            let answer = Client::builder(TokioExecutor::new()).build(connector).request(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }
}

fn properties(handler: &str, port: u16) -> Value {
    json!({"publisher": "Microsoft.ManagedIdentity", "type": handler, "typeHandlerVersion": "1.0",
           "autoUpgradeMinorVersion": true, "settings": {"port": port}})
}

/// A VM of its own without an extension, so that its port is its own too.
fn vm(rest: &Rest<'_>) {
    let body = json!({"location": "westus", "identity": {"type": "SystemAssigned"},
                      "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}});
    rest.done("PUT", "/providers/Microsoft.Compute/virtualMachines/myVM?api-version=2018-06-01", body);
}

fn extension(name: &str) -> String {
    format!("/providers/Microsoft.Compute/virtualMachines/myVM/extensions/{name}?api-version=2018-06-01")
}

/// What `symbolon vm list` says of the extension of `myVM`.
fn listed(home: &Path) -> Option<String> {
    let output = run(home, &["vm", "list", "--data-dir=data"]);
    let text = told(&output, &[]);
    let line = text.lines().find(|line| line.contains(" myVM ")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().last().filter(|last| last.ends_with("/oauth2/token")).map(str::to_owned)
}

#[test]
fn the_extension_of_a_vm_is_provisioned_run_again_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let (rest, port) = (Rest::new(&up), free_port());
    vm(&rest);
    // Set-AzVMExtension -Settings @{ "port" = … }
    let mut body = json!({"location": "WestUS", "properties": properties(WINDOWS, port)});
    rest.done("PUT", &extension(WINDOWS), &body);
    let url = listed(home.path()).expect("it is open");
    assert!(url.ends_with(&format!(":{port}/oauth2/token")), "{url}");
    let token = ["token", "--data-dir=data", "--vm=myVM", "--source=extension", "--resource=r"];
    assert_eq!(run(home.path(), &token).status.code(), Some(0));
    // … -ForceRerun, which sends no settings that weren't typed.
    body["properties"]["forceUpdateTag"] = json!("again");
    rest.done("PUT", &extension(WINDOWS), &body);
    let (_, shown) = rest.ask("GET", &extension(WINDOWS), "");
    assert_eq!(shown["properties"]["forceUpdateTag"], "again");
    assert_eq!(listed(home.path()), Some(url));
    // Remove-AzVMExtension, az vm extension delete
    rest.done("DELETE", &extension(WINDOWS), "");
    assert_eq!(listed(home.path()), None);
    assert_eq!(rest.ask("DELETE", &extension(WINDOWS), "").0, 204, "again, it wasn't there");
    // az vm extension set … --force-update --protected-settings
    let mut body = json!({"location": "westus", "properties": properties(LINUX, port)});
    body["properties"]["protectedSettings"] = json!({"k": "a-word-that-stays-inside"});
    rest.done("PUT", &extension(LINUX), &body);
    let (_, shown) = rest.ask("GET", &extension(LINUX), "");
    assert!(!shown.to_string().contains("stays-inside"), "{shown}");
}

#[test]
fn a_template_provisions_a_vm_with_the_extension() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let (rest, port) = (Rest::new(&up), free_port());
    // az deployment group create: the file's own text behind a bare key.
    let template = TEMPLATE.replace('\n', "\r\n").replace("50342", &port.to_string());
    let body =
        format!("{{\"properties\": {{\"parameters\": {{}}, \"mode\": \"Incremental\", template:{template}\n}}}}");
    let path = "/providers/Microsoft.Resources/deployments/d1?api-version=2025-04-01";
    rest.done("PUT", path, body);
    let (_, shown) = rest.ask("GET", path, "");
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded", "{shown}");
    assert!(listed(home.path()).is_some());
}

/// The document's resource, in a template around it.
const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "variables": { "vmName": "myVM" }, // whose name it is
  "resources": [
    {
        "type": "Microsoft.Compute/virtualMachines", "name": "[variables('vmName')]", "apiVersion": "2018-06-01",
        "location": "[resourceGroup().location]", "identity": { "type": "SystemAssigned" },
        "properties": { "hardwareProfile": { "vmSize": "Standard_B1s" } }
    },
    {
        "type": "Microsoft.Compute/virtualMachines/extensions",
        "name": "[concat(variables('vmName'),'/ManagedIdentityExtensionForWindows')]",
        "apiVersion": "2018-06-01",
        "location": "[resourceGroup().location]",
        "dependsOn": [
            "[concat('Microsoft.Compute/virtualMachines/', variables('vmName'))]"
        ],
        "properties": {
            "publisher": "Microsoft.ManagedIdentity",
            "type": "ManagedIdentityExtensionForWindows",
            "typeHandlerVersion": "1.0",
            "autoUpgradeMinorVersion": true,
            "settings": {
                "port": 50342
            }
        }
    }
  ]
}"#;

#[test]
fn the_extension_of_a_scale_set_is_provisioned_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let (rest, port) = (Rest::new(&up), free_port());
    let path = "/providers/Microsoft.Compute/virtualMachineScaleSets/myVMSS?api-version=2018-06-01";
    let body = json!({"location": "westus", "identity": {"type": "SystemAssigned"},
                      "sku": {"name": "Standard_B1s", "capacity": 2}, "properties": {"upgradePolicy": {"mode": "Automatic"}}});
    rest.done("PUT", path, body);
    let open = || {
        let told = told(&run(home.path(), &["vmss", "instances", "myVMSS", "--data-dir=data"]), &[]);
        told.matches(&format!(":{port}/oauth2/token")).count()
    };
    // Add-AzVmssExtension is local; Update-AzVmss sends what it added.
    let profile = |extensions: Value| json!({"properties": {"virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}}});
    rest.done(
        "PATCH",
        path,
        profile(json!([{"name": "ManagedIdentityWindowsExtension", "properties": properties(WINDOWS, port)}])),
    );
    assert_eq!(open(), 2);
    // az vmss extension delete: read the scale set, send it back without.
    let (_, mut whole) = rest.ask("GET", path, "");
    let extensions = &mut whole["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"];
    assert_eq!(extensions[0]["properties"]["settings"]["port"], port);
    *extensions = json!([]);
    let back = json!({"location": whole["location"], "sku": whole["sku"], "properties": {
        "upgradePolicy": {"mode": "Automatic"}, "virtualMachineProfile": whole["properties"]["virtualMachineProfile"]}});
    rest.done("PUT", path, back);
    assert_eq!(open(), 0);
    // The document's slip in the template's property is told by its name.
    let slip = json!({"properties": {"virtualMachineProfile": {"extensionpProfile": {"extensions": []}}}});
    let (status, told) = rest.ask("PATCH", path, slip);
    assert_eq!(status, 400);
    assert!(told["error"]["message"].as_str().unwrap().contains("'extensionpProfile'"), "{told}");
}

#[test]
fn the_extension_is_not_exported_and_the_answer_says_so() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let rest = Rest::new(&up);
    let body = json!({"resources": ["*"], "outputFormat": "Json"});
    let (status, told) = rest.ask("POST", "/exportTemplate?api-version=2024-11-01", body);
    assert_eq!(status, 200);
    assert_eq!(told["error"]["code"], "ExportTemplateCompletedWithErrors");
    let types: Vec<_> = told["template"]["resources"].as_array().unwrap().iter().map(|found| &found["type"]).collect();
    assert!(types.contains(&&json!("Microsoft.Compute/virtualMachines")));
    assert!(!types.contains(&&json!("Microsoft.Compute/virtualMachines/extensions")));
}

#[test]
fn a_vm_with_the_extension_has_at_most_32_user_assigned_identities() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let (rest, port) = (Rest::new(&up), free_port());
    vm(&rest);
    let mut ids = serde_json::Map::new();
    for number in 0..33 {
        let path = format!("/providers/Microsoft.ManagedIdentity/userAssignedIdentities/user{number}");
        let (_, made) = rest.ask("PUT", &format!("{path}?api-version=2023-01-31"), json!({"location": "westus"}));
        ids.insert(made["id"].as_str().unwrap().to_owned(), json!({}));
    }
    let identity = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": ids}});
    rest.done("PATCH", "/providers/Microsoft.Compute/virtualMachines/myVM?api-version=2024-11-01", &identity);
    let body = json!({"location": "westus", "properties": properties(LINUX, port)});
    let (status, told) = rest.ask("PUT", &extension(LINUX), body);
    assert_eq!(status, 400, "{told}");
    assert!(told["error"]["message"].as_str().unwrap().contains("32"), "{told}");
}
