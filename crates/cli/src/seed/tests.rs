use domain::{IdentityKind, JwksSource};

use super::*;

fn read(text: &str) -> World {
    parse(text, Path::new("seed.yaml")).unwrap()
}

fn error(text: &str) -> String {
    parse(text, Path::new("seed.yaml")).unwrap_err().to_string()
}

#[test]
fn the_sample_is_one_vm_with_both_kinds_of_identity_and_the_extension() {
    let world = sample().unwrap();
    let vm = &world.virtual_machines[0];
    assert_eq!((vm.name.as_str(), vm.location.as_str(), vm.size.as_str()), ("dev", "westeurope", "Standard_B1s"));
    assert_eq!(vm.system_assigned.as_ref().unwrap().client_id.to_string(), "828a7102-b904-556c-96c1-e28447f83b90");
    assert_eq!(vm.user_assigned[0].name(), "app");
    assert_eq!(world.vm_extensions[0].spec.settings.as_deref(), Some(r#"{"port":50342}"#));
    assert_eq!((world.tenants.len(), world.subscriptions.len(), world.resource_groups.len()), (1, 1, 1));
}

#[test]
fn every_id_can_be_chosen() {
    let world = read(
        "tenants: [{name: t, id: 10000000-0000-4000-8000-000000000001}]\n\
         subscriptions: [{name: s, id: c1686c51-b717-4fe0-9af3-24a20a41fb0c}]\n\
         resourceGroups: [{name: MSIV2-Testing-MSALNET}]\n\
         userAssignedIdentities:\n\
         - name: msiv2uami\n  \
           clientId: 6325cd32-9911-41f3-819c-416cdf9104e7\n  \
           principalId: ecb2ad92-3e30-4505-b79f-ac640d069f24\n\
         virtualMachines:\n\
         - name: vm\n  \
           vmId: 50000000-0000-4000-8000-000000000001\n  \
           identity:\n    \
             systemAssigned: {clientId: 30000000-0000-4000-8000-000000000001}\n    \
             userAssigned: [msiv2uami]\n  \
           attachment: {listen: '127.0.0.1:1'}\n",
    );
    let identity = &world.user_assigned_identities[0].identity;
    assert_eq!(
        identity.id.as_str(),
        "/subscriptions/c1686c51-b717-4fe0-9af3-24a20a41fb0c/resourceGroups/MSIV2-Testing-MSALNET/providers/\
         Microsoft.ManagedIdentity/userAssignedIdentities/msiv2uami"
    );
    assert_eq!(identity.kind, IdentityKind::UserAssigned);
    assert_eq!(identity.client_id.to_string(), "6325cd32-9911-41f3-819c-416cdf9104e7");
    let vm = &world.virtual_machines[0];
    assert_eq!(vm.vm_id.to_string(), "50000000-0000-4000-8000-000000000001");
    let system = vm.system_assigned.as_ref().unwrap();
    assert_eq!(system.client_id.to_string(), "30000000-0000-4000-8000-000000000001");
    assert_eq!(vm.tenant, world.tenants[0].id);
}

#[test]
fn applications_and_issuers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys.json"), "{}").unwrap();
    let world = parse(
        "issuers:\n- url: https://issuer.example/\n- {url: https://b, jwks: keys.json}\n\
         applications:\n\
         - name: ci\n  secret: s3cret\n  \
           federatedCredentials: [{issuer: https://b, subject: s}]\n  \
           roles: [{role: owner, scope: /}]\n",
        &folder.path().join("seed.yaml"),
    )
    .unwrap();
    assert_eq!(
        world.external_issuers[0].jwks,
        JwksSource::Url("https://issuer.example/.well-known/openid-configuration".to_owned())
    );
    assert_eq!(world.external_issuers[1].jwks, JwksSource::File(folder.path().join("keys.json")));
    let ci = &world.applications[0];
    assert_eq!(ci.application.federated[0].audience, "api://AzureADTokenExchange");
    assert_eq!(ci.roles, [("Owner".to_owned(), domain::Scope::Root)]);
    assert!(!format!("{world:?}").contains("s3cret"));
}

#[test]
fn errors_name_the_place() {
    for (text, wanted) in [
        ("tenants: [{nam: x}]", "seed.yaml:1:12: unknown field `nam`"),
        ("virtualMachines:\n- name: vm\n  sise: x", "seed.yaml:3:3: unknown field `sise`"),
        ("tenants: [{name: a}, {name: A}]", "seed.yaml:1:29: there are two of the tenant 'A'"),
        (
            "userAssignedIdentities: [{name: app}]\nvirtualMachines:\n- name: vm\n  identity: {userAssigned: [ap]}",
            "seed.yaml:4:29: there is no user-assigned identity 'ap' in this file; there is app",
        ),
        ("tenants: [{name: a, id: x}]", "seed.yaml:1:25: 'x': "),
        ("userAssignedIdentities: [{name: a.b}]", "seed.yaml:1:33: the name of a user-assigned identity has ASCII"),
        (
            "tenants: [{name: a}, {name: b}]\nsubscriptions: [{name: s}]",
            "seed.yaml:2:24: say which tenant 's' belongs to: there are 2",
        ),
        (
            "virtualMachines:\n- name: vm\n  extensions: [{type: Custom}]",
            "seed.yaml:3:23: there is no extension of publisher 'Microsoft.ManagedIdentity' and type 'Custom'",
        ),
        (
            "virtualMachines:\n- name: vm\n  extensions: [{type: ManagedIdentityExtensionForLinux, settings: {port: 0}}]",
            "seed.yaml:3:23: the setting 'port' of the extension is 0; it must be a whole number from 1 to 65535",
        ),
        ("applications: [{name: Admin}]", "seed.yaml:1:23: 'admin' is symbolon's own application"),
        ("applications: [{name: app, secret: 'env:SYMBOLON_NOT_SET'}]", "seed.yaml:1:36: the environment variable"),
        ("tenants: [", "seed.yaml:1:"),
    ] {
        let error = error(text);
        assert!(error.starts_with(wanted), "{text}\n  {error}");
    }
}

#[test]
fn what_would_be_found_too_late_is_found_in_the_file() {
    const ID: &str = "30000000-0000-4000-8000-000000000001";
    let extension = "{type: ManagedIdentityExtensionForLinux}";
    for (text, wanted) in [
        (
            format!(
                "userAssignedIdentities: [{{name: one, clientId: {ID}}}]\napplications: [{{name: two, clientId: {ID}}}]"
            ),
            "2:38: clientId 30000000-0000-4000-8000-000000000001 of application 'two' is that of identity 'one' already",
        ),
        (
            format!(
                "userAssignedIdentities: [{{name: one, principalId: {ID}}}]\nvirtualMachines:\n- name: vm\n  \
                 identity: {{systemAssigned: {{principalId: {ID}}}}}"
            ),
            "4:44: principalId 30000000-0000-4000-8000-000000000001 of VM 'vm' is that of identity 'one' already",
        ),
        (format!("tenants: [{{name: a, id: {ID}}}, {{name: b, id: {ID}}}]"), "1:78: id 30000000-"),
        (format!("virtualMachines: [{{name: a, vmId: {ID}}}, {{name: b, vmId: {ID}}}]"), "1:90: vmId 30000000-"),
        (
            "virtualMachines:\n- {name: a, attachment: {listen: '127.0.0.1:1'}}\n\
             - {name: b, attachment: {listen: '127.0.0.1:1'}}"
                .to_owned(),
            "3:25: attachment address 127.0.0.1:1 of VM 'b' is that of VM 'a' already",
        ),
        (
            "virtualMachines:\n- {name: a, attachment: {device: tap0}}\n\
             - {name: b, attachment: {device: tap0, listen: '127.0.0.1:1'}}"
                .to_owned(),
            "3:25: attachment network device tap0 of VM 'b' is that of VM 'a' already",
        ),
        (
            "virtualMachines: [{name: a, attachment: {source: 10.0.0.4}}]".to_owned(),
            "1:41: a neighbour can send from source address 10.0.0.4",
        ),
        (
            format!("virtualMachines:\n- name: vm\n  extensions:\n  - {extension}\n  - {extension}"),
            "5:12: VM 'vm' has a managed-identity extension already",
        ),
        ("virtualMachines:\n- name: vm\n  identity: {systemAssigned: {clientId: x}}".to_owned(), "3:41: 'x': "),
        ("virtualMachines:\n- name: vm\n  identity: {systemAssigned: maybe}".to_owned(), "3:"),
        (
            "applications: [{name: a, federatedCredentials: [{issuer: 'https://b', subject: s}]}]".to_owned(),
            "1:58: there is no issuer 'https://b' in this file",
        ),
        (
            "applications: [{name: a, roles: [{role: Onwer, scope: /}]}]".to_owned(),
            "1:41: there is no role 'Onwer'; there is Owner, Contributor, Reader, ",
        ),
        (
            format!("applications: [{{name: a, roles: [{{role: Owner, scope: /subscriptions/{ID}}}]}}]"),
            "1:55: there is no subscription 30000000-0000-4000-8000-000000000001 in this file",
        ),
        ("issuers: [{url: 'http://b'}]".to_owned(), "1:17: 'http://b' is no https URL"),
        ("issuers: [{url: 'https://'}]".to_owned(), "1:17: 'https://' is no https URL"),
        ("issuers: [{url: 'https://b', jwks: none.json}]".to_owned(), "1:36: none.json can't be read: "),
        ("applications: [{name: app, secret: ''}]".to_owned(), "1:36: the secret is empty"),
    ] {
        let error = error(&text);
        assert!(error.starts_with(&format!("seed.yaml:{wanted}")), "{text}\n  {error}");
    }
}

#[test]
fn issuers_and_federated_credentials_keep_the_real_services_rules() {
    let federated = |credentials: &[String]| {
        let issuers = "issuers: [{url: 'https://i', jwks: '{\"keys\": []}'}]";
        format!("{issuers}\napplications: [{{name: app, federatedCredentials: [{}]}}]", credentials.join(", "))
    };
    let numbered = |count: usize| -> Vec<_> {
        (0..count).map(|number| format!("{{issuer: 'https://i', subject: s{number}}}")).collect()
    };
    assert_eq!(read(&federated(&numbered(20))).applications[0].application.federated.len(), 20);
    let one = |text: &str| federated(&[text.to_owned()]);
    let two = |a: &str, b: &str| federated(&[a.to_owned(), b.to_owned()]);
    for (text, wanted) in [
        (federated(&numbered(21)), "an application has at most 20 federated credentials, not 21"),
        (
            one(&format!("{{name: {}, issuer: 'https://i', subject: s}}", "a".repeat(121))),
            "the name of a federated credential has 1 to 120 characters",
        ),
        (one("{name: -ab, issuer: 'https://i', subject: s}"), "begins with a letter or digit"),
        (one("{name: a b, issuer: 'https://i', subject: s}"), "' '"),
        (
            two(
                "{name: one, issuer: 'https://i', subject: s}",
                "{name: two, issuer: 'https://i', subject: s, audience: other}",
            ),
            "'one' and 'two' have the same name, or the same issuer and subject",
        ),
        (
            two("{name: one, issuer: 'https://i', subject: s}", "{name: ONE, issuer: 'https://i', subject: t}"),
            "the same name",
        ),
    ] {
        let error = error(&text);
        assert!(error.starts_with("seed.yaml:2:") && error.contains(wanted), "{text}\n  {error}");
    }
}

#[test]
fn settings_may_be_left_empty_and_protected_ones_are_of_no_interest() {
    let world = read(
        "virtualMachines:\n- name: vm\n  \
         extensions: [{type: ManagedIdentityExtensionForLinux, settings: , protectedSettings: {}}]",
    );
    assert_eq!(world.vm_extensions[0].spec.settings.as_deref(), Some("{}"));
}

#[test]
fn thirty_three_identities_are_too_many_for_the_extension() {
    let seed = |count: usize, extension: &str| {
        let names: Vec<_> = (0..count).map(|number| format!("app{number}")).collect();
        let identities: Vec<_> = names.iter().map(|name| format!("{{name: {name}}}")).collect();
        format!(
            "userAssignedIdentities: [{}]\nvirtualMachines:\n- name: vm\n  identity: {{userAssigned: [{}]}}\n{extension}",
            identities.join(", "),
            names.join(", ")
        )
    };
    let extension = "  extensions: [{type: ManagedIdentityExtensionForLinux}]";
    assert_eq!(read(&seed(32, extension)).virtual_machines[0].user_assigned.len(), 32);
    assert!(error(&seed(33, extension)).contains("32"));
    assert_eq!(read(&seed(33, "")).virtual_machines[0].user_assigned.len(), 33);
}
