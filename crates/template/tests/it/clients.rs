//! What real clients send. The golden files have the shapes of azure-cli 2.91.0: the raw form of its
//! `command_modules/resource/custom.py`, and templates as its `command_modules/vm/_template_builder.py` makes them. The
//! two with the extension are Microsoft's "How to stop using the virtual machine managed identities extension and start
//! using the Azure Instance Metadata Service". `bicep.raw.json` has the shape of what Bicep builds of a file with types,
//! functions, loops and a module.

use serde_json::{Value, json};
use template::{DeploymentRequest, Nothing, Plan, plan};

use crate::fixture::{World, context, group, names};

fn read(body: &str) -> Plan {
    plan(&DeploymentRequest::parse(body.as_bytes()).unwrap(), &context()).unwrap()
}

fn shown(plan: &Plan, world: &World) -> Value {
    let resources = plan.resources.iter().map(|resource| {
        json!({
            "id": resource.id, "type": resource.resource_type, "name": resource.name,
            "apiVersion": resource.api_version, "dependsOn": resource.depends_on,
            "body": resource.body(world).unwrap(),
        })
    });
    let resources: Vec<_> = resources.collect();
    json!({ "parameters": plan.parameters, "resources": resources, "outputs": plan.outputs(world).unwrap() })
}

#[test]
fn the_documents_virtual_machine_template() {
    let raw = include_str!("../golden/vm_extension.raw.json");
    let expected: Value = serde_json::from_str(include_str!("../golden/vm_extension.plan.json")).unwrap();
    let vm = json!({"identity": {"principalId": "ab267dbd-ee5b-5496-9c12-80af14837d3d"}, "properties": {}});
    let world = World::default().with(&format!("{}/providers/Microsoft.Compute/virtualMachines/vm1", group()), vm);
    assert_eq!(shown(&read(raw), &world), expected);
    // The same from a file with Windows line ends.
    let plan = read(&raw.replace('\n', "\r\n"));
    assert_eq!(shown(&plan, &world), expected);
    assert_eq!((plan.resources[1].line, plan.resources[1].column), (15, 5));
}

#[test]
fn the_documents_scale_set_template() {
    let expected: Value = serde_json::from_str(include_str!("../golden/vmss_extension.plan.json")).unwrap();
    assert_eq!(shown(&read(include_str!("../golden/vmss_extension.raw.json")), &World::default()), expected);
}

#[test]
fn az_vm_create_sends_literals_and_a_password() {
    let plan = read(include_str!("../golden/vm_create.raw.json"));
    assert_eq!(names(&plan), ["vmcVNET", "vmcNSG", "vmcPublicIP", "vmcVMNic", "vmc"]);
    assert_eq!(plan.resources[3].depends_on, [0, 1, 2]);
    assert_eq!(plan.resources[4].depends_on, [3]);
    let body = plan.resources[4].body(&Nothing).unwrap();
    assert_eq!(body["properties"]["osProfile"]["adminPassword"], "hunter2hunter2");
    assert_eq!(body["identity"]["type"], "SystemAssigned,UserAssigned");
    assert_eq!(plan.parameters, json!({"adminPassword": {"type": "secureString"}}));
    assert!(plan.resources.iter().all(|resource| !resource.needs_runtime));
}

#[test]
fn az_vmss_create_reads_its_output_in_camel_case() {
    let plan = read(include_str!("../golden/vmss_create.raw.json"));
    assert_eq!(names(&plan), ["ssLB", "ssLB/NatRule", "ss"]);
    assert_eq!(plan.resources[1].depends_on, [0]);
    let frontend = &plan.resources[1].body(&Nothing).unwrap()["properties"]["frontendIPConfiguration"]["id"];
    let expected = "/providers/Microsoft.Network/loadBalancers/ssLB/frontendIPConfigurations/loadBalancerFrontEnd";
    assert_eq!(frontend, &json!(group() + expected));
    let set = format!("{}/providers/Microsoft.Compute/virtualMachineScaleSets/ss", group());
    let world = World::default().with(&set, json!({"id": set, "properties": {"provisioningState": "Succeeded"}}));
    let outputs = plan.outputs(&world).unwrap();
    assert_eq!(outputs, json!({"vmss": {"type": "object", "value": {"provisioningState": "Succeeded"}}}));
    let error = plan.outputs(&Nothing).unwrap_err();
    assert_eq!((error.code.as_str(), error.target.as_deref()), ("DeploymentOutputEvaluationFailed", Some("VMSS")));
    assert!(error.message.contains("virtualMachineScaleSets/ss' under resource group 'rg1' was not found"));
}

#[test]
fn an_expression_may_go_over_lines() {
    let raw = "{\"properties\": {\"parameters\": {}, \"mode\": \"Incremental\", template:{\r\n  \"outputs\": {\r\n    \"a\": {\"type\": \
               \"string\", \"value\": \"[concat('b',\r\n      'c')]\"}, // d\r\n  },\r\n}\r\n}}";
    assert_eq!(read(raw).outputs(&Nothing).unwrap(), json!({"a": {"type": "string", "value": "bc"}}));
}

#[test]
fn what_bicep_makes_of_types_functions_and_modules() {
    let raw = include_str!("../golden/bicep.raw.json");
    let plan = read(raw);
    let prefix = "vmmgy6";
    let machines = [format!("{prefix}-a"), format!("{prefix}-b")];
    let module = "module-c4nct7jmq5cie";
    assert_eq!(names(&plan), [machines[0].as_str(), machines[1].as_str(), "lock", module]);
    let depends: Vec<_> = plan.resources.iter().map(|resource| resource.depends_on.clone()).collect();
    assert_eq!(depends, [vec![], vec![0], vec![0], vec![0, 1]]);
    assert_eq!(plan.parameters["password"], json!({"type": "secureString"}));
    assert_eq!(plan.parameters["tag"]["value"], "2020-04-07");
    let id = |kind: &str, name: &str| format!("{}/providers/{kind}/{name}", group());
    let vm = |name: &str| id("Microsoft.Compute/virtualMachines", name);
    let shared = id("Microsoft.ManagedIdentity/userAssignedIdentities", "shared");
    assert_eq!(plan.resources[2].id, format!("{}/providers/Microsoft.Authorization/locks/lock", vm(&machines[0])));
    let world = World::default()
        .with(&shared, json!({"properties": {"clientId": "c"}}))
        .with(&vm(&machines[0]), json!({"properties": {"vmId": 1}}))
        .with(&vm(&machines[1]), json!({"properties": {"vmId": 2}}))
        .with(&plan.resources[3].id, json!({"properties": {"outputs": {"joined": {"value": machines.join(",")}}}}));
    let body = plan.resources[1].body(&world).unwrap();
    let expected = json!({
        "location": "westus", "tags": {"day": "2020-04-07"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {shared.as_str(): {}}},
        "properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}, "osProfile": {"adminPassword": "hunter2hunter2"}},
    });
    assert_eq!(body, expected);
    assert_eq!(plan.resources[2].body(&world).unwrap()["properties"]["notes"], "c");
    let request = plan.resources[3].nested(&world).unwrap().unwrap();
    let inner = template::plan(&request, &plan.resources[3].nested_context()).unwrap();
    assert_eq!(inner.outputs(&world).unwrap()["joined"]["value"], machines.join(","));
    let outputs = plan.outputs(&world).unwrap();
    assert_eq!(outputs["ids"]["value"], json!([vm(&machines[0]), vm(&machines[1])]));
    assert_eq!((&outputs["vmIds"]["value"], &outputs["joined"]["value"]), (&json!([1, 2]), &json!(machines.join(","))));
    // A type that isn't fulfilled is told in the words of the parameter.
    let error = DeploymentRequest::parse(raw.replace(r#""name": "b""#, r#""name": """#).as_bytes()).unwrap();
    let message = template::plan(&error, &context()).unwrap_err().message;
    assert!(message.contains("'machines' at line '54' and column '17' is not valid. Length of the value"), "{message}");
    assert!(message.contains("Path '[1].name'."), "{message}");
}
