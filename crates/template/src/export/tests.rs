use serde_json::json;

use super::*;

const GROUP: &str = "/subscriptions/s/resourceGroups/g";

fn vm() -> Value {
    json!({"id": format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1"), "name": "vm-1",
        "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-11-01", "location": "westus",
        "etag": "\"1\"", "resources": [{"id": "x"}],
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {
            format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1"): {"clientId": "1"}}},
        "properties": {"vmId": "1", "literal": "[a]",
            "nic": format!("{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/c"),
            "other": "/subscriptions/s/resourceGroups/h/providers/a.b/c/d"}})
}

fn extension() -> Value {
    json!({"id": format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1/extensions/e"), "name": "e",
        "type": "Microsoft.Compute/virtualMachines/extensions", "apiVersion": "2024-11-01", "properties": {"x": 1}})
}

fn nic() -> Value {
    json!({"id": format!("{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1"), "apiVersion": "1",
        "type": "Microsoft.Network/networkInterfaces", "name": "nic1", "properties": {}})
}

const READ_ONLY: Members<'_> = Members(&["etag", "vmId", "clientId"]);

#[test]
fn without_parameters_names_are_literal() {
    let options = ExportOptions::parse("SkipAllParameterization", READ_ONLY);
    let exported = export(&[vm(), extension(), nic()], &options, &|_| false);
    assert_eq!(exported.error(), None);
    let expected = json!({
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0", "parameters": {}, "variables": {},
    "resources": [
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-11-01", "name": "vm-1", "location": "westus",
         "dependsOn": ["[resourceId('Microsoft.Network/networkInterfaces', 'nic1')]"],
         "identity": {"type": "UserAssigned", "userAssignedIdentities": {
            format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1"): {}}},
         "properties": {"literal": "[[a]",
            "nic": "[concat(resourceId('Microsoft.Network/networkInterfaces', 'nic1'), '/ipConfigurations/c')]",
            "other": "/subscriptions/s/resourceGroups/h/providers/a.b/c/d"}},
        {"type": "Microsoft.Compute/virtualMachines/extensions", "apiVersion": "2024-11-01", "name": "vm-1/e",
         "dependsOn": ["[resourceId('Microsoft.Compute/virtualMachines', 'vm-1')]"], "properties": {"x": 1}},
        {"type": "Microsoft.Network/networkInterfaces", "apiVersion": "1", "name": "nic1", "properties": {}},
    ]});
    assert_eq!(exported.template, expected);
}

#[test]
fn names_and_other_ids_become_parameters() {
    let options = ExportOptions::parse("IncludeComments,IncludeParameterDefaultValue", READ_ONLY);
    let template = export(&[vm(), extension()], &options, &|_| false).template;
    let identity = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1");
    let nic_part = format!("{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/c");
    let expected = json!({
        "virtualMachines_vm_1_name": {"defaultValue": "vm-1", "type": "String"},
        "userAssignedIdentities_id1_externalid": {"defaultValue": identity, "type": "String"},
        "ipConfigurations_nic1_c_externalid": {"defaultValue": nic_part, "type": "String"},
        "c_d_externalid": {"defaultValue": "/subscriptions/s/resourceGroups/h/providers/a.b/c/d", "type": "String"},
    });
    assert_eq!(template["parameters"], expected);
    let exported_vm = &template["resources"][0];
    assert_eq!(exported_vm["name"], "[parameters('virtualMachines_vm_1_name')]");
    let key = exported_vm["identity"]["userAssignedIdentities"].as_object().unwrap().keys().next().unwrap();
    assert_eq!(key, "[parameters('userAssignedIdentities_id1_externalid')]");
    let id = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1");
    assert_eq!(exported_vm["comments"], format!("Generalized from resource: '{id}'."));
    let exported_extension = &template["resources"][1];
    assert_eq!(exported_extension["name"], "[concat(parameters('virtualMachines_vm_1_name'), '/e')]");
    let parent = "[resourceId('Microsoft.Compute/virtualMachines', parameters('virtualMachines_vm_1_name'))]";
    assert_eq!(exported_extension["dependsOn"], json!([parent]));
    let plain = export(&[nic()], &ExportOptions::default(), &|_| false).template;
    assert_eq!(plain["parameters"], json!({"networkInterfaces_nic1_name": {"type": "String"}}));
    let skip = ExportOptions::parse("SkipResourceNameParameterization", READ_ONLY);
    let skipped = export(&[vm()], &skip, &|_| false).template;
    assert_eq!(skipped["resources"][0]["name"], "vm-1");
    assert!(skipped["parameters"].get("c_d_externalid").is_some());
}

#[test]
fn what_is_left_out_is_said_once_for_a_type() {
    let excluded = |kind: &str| kind.eq_ignore_ascii_case("microsoft.compute/virtualmachines/EXTENSIONS");
    let exported = export(&[extension(), nic(), extension()], &ExportOptions::default(), &excluded);
    let expected = json!({"code": "ExportTemplateCompletedWithErrors",
        "message": "Export template operation completed with errors. Some resources were not exported. Please see details \
                    for more information.",
        "details": [{"code": "ExportTemplateProviderError", "target": "Microsoft.Compute/virtualMachines/extensions",
            "message": "Could not get resources of the type 'Microsoft.Compute/virtualMachines/extensions'. Resources of \
                        this type will not be exported."}]});
    assert_eq!(exported.error(), Some(expected));
    assert_eq!(exported.template["resources"].as_array().unwrap().len(), 1);
    let no_version = json!({"id": format!("{GROUP}/providers/a.b/c/d"), "type": "a.b/c"});
    let error = &export(&[no_version, json!({"type": "x"})], &ExportOptions::default(), &|_| false).errors;
    assert!(error[0].message.starts_with("The schema of resource type 'a.b/c' is not available."));
    assert_eq!(error[1].target, "x");
}

#[test]
fn resources_that_name_each_other_lose_one_dependency() {
    let thing = |name: &str, other: &str| {
        json!({"id": format!("{GROUP}/providers/a.b/c/{name}"), "apiVersion": "1", "type": "a.b/c",
            "properties": {"other": format!("{GROUP}/providers/a.b/c/{other}")}})
    };
    let exported = export(&[thing("x", "y"), thing("y", "x")], &ExportOptions::default(), &|_| false);
    let depends = |at: usize| exported.template["resources"][at].get("dependsOn").is_some();
    assert!(depends(0) != depends(1));
    // Of a ring one is lost, of a list none.
    let ids: Vec<_> = (0..50).map(|at| format!("t{at}")).collect();
    let ring: Vec<_> = (0..50).map(|at| thing(&ids[at], &ids[(at + 1) % 50])).collect();
    for (list, expected) in [(&ring[..], 49), (&ring[..49], 48)] {
        let template = export(list, &ExportOptions::default(), &|_| false).template;
        let resources = template["resources"].as_array().unwrap();
        assert_eq!(resources.iter().filter(|resource| resource.get("dependsOn").is_some()).count(), expected);
    }
}
