//! Every route of the control plane with every built-in role at every kind of scope.

use domain::role_definition::BUILT_IN;

use super::*;

/// The lowest scope at which a role is enough for a row: one above is too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Tenant,
    Subscription,
    Group,
    Resource,
}

use Level::{Group, Resource, Subscription as Sub, Tenant as Root};

/// Roles, one letter each in the order of [`BUILT_IN`]: Owner, Contributor, Reader, User access administrator,
/// managed identity Operator (P), managed identity contributor (M), Virtual machine contributor.
const ALL: &str = "OCRUPMV";
/// Whoever may read anything.
const READERS: &str = "OCRU---";
/// Whoever may write anything but roles.
const WRITERS: &str = "OC-----";

/// Route, method, path, roles that are enough, the lowest scope at which they are. `{…}` stand for the samples.
const TABLE: &[(&str, &str, &str, &str, Level)] = &[
    ("subscription", "GET", "{sub}", READERS, Resource),
    ("locations", "GET", "{sub}/locations", READERS, Resource),
    ("providers", "GET", "{sub}/providers", READERS, Resource),
    ("provider", "GET", "{sub}/providers/Microsoft.Compute", READERS, Resource),
    ("groups", "GET", "{sub}/resourcegroups", ALL, Resource),
    ("group", "GET", "{group}", ALL, Group),
    ("group", "HEAD", "{group}", ALL, Group),
    ("resources", "GET", "{sub}/resources", READERS, Resource),
    ("resources", "GET", "{group}/resources", READERS, Resource),
    ("exportTemplate", "POST", "{group}/exportTemplate", WRITERS, Group),
    ("resource", "GET", "{vm}", "OCRU--V", Resource),
    ("resource", "HEAD", "{vm}", "OCRU--V", Resource),
    ("resource", "GET", "{vm}/extensions/x", "OCRU--V", Resource),
    ("resource", "GET", "{set}", "OCRU--V", Resource),
    ("resource", "GET", "{set}/virtualMachines/0", "OCRU--V", Resource),
    ("resource", "GET", "{set}/virtualMachines/0/extensions/x", "OCRU--V", Resource),
    ("resource", "GET", "{set}/extensions/x", "OCRU--V", Resource),
    ("resource", "GET", "{id}", "OCRUPM-", Resource),
    ("resource", "GET", "{id}/federatedIdentityCredentials/fic", "OCRUPM-", Resource),
    ("resource", "GET", "{net}", "OCRU--V", Resource),
    ("collection", "GET", "{group}/providers/Microsoft.Compute/virtualMachines", "OCRU--V", Resource),
    ("collection", "GET", "{sub}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "OCRUPM-", Resource),
    ("collection", "GET", "{vm}/extensions", "OCRU--V", Resource),
    ("roleAssignment", "GET", "{group}{roles}/{guid}", ALL, Group),
    ("roleAssignments", "GET", "{group}{roles}", ALL, Group),
    ("roleAssignments", "GET", "{roles}", ALL, Root),
    ("roleAssignments", "GET", "{vm}{roles}", ALL, Resource),
    ("roleDefinition", "GET", "{sub}{definitions}/acdd72a7-3385-48ef-bd42-f606fba81ae7", ALL, Sub),
    ("roleDefinitions", "GET", "{group}{definitions}", ALL, Group),
    ("instanceView", "GET", "{vm}/instanceView", "OCRU--V", Resource),
    ("instanceView", "GET", "{set}/instanceView", "OCRU--V", Resource),
    ("listAssociatedResources", "POST", "{id}/listAssociatedResources", WRITERS, Resource),
    ("scheduledEvents", "GET", "{vm}/scheduledEvents", "OCRU--V", Resource),
    ("deployment", "GET", "{deployment}", "OCRUPMV", Resource),
    ("deployment", "HEAD", "{deployment}", "OCRUPMV", Resource),
    ("deployments", "GET", "{group}/providers/Microsoft.Resources/deployments", ALL, Group),
    ("deployments", "GET", "{group}/deployments/", ALL, Group),
    ("deployment.operations", "GET", "{deployment}/operations", ALL, Resource),
    ("deployment.operations", "GET", "{group}/deployments/d/operations", ALL, Resource),
    ("deployment.status", "GET", "{deployment}/operationStatuses/{guid}", ALL, Resource),
    ("catalogue", "GET", "{sub}/providers/Microsoft.Compute/locations/westus/publishers", "OCRU--V", Resource),
    ("cutover", "GET", "{vm}/providers/Symbolon.Migration/cutovers/default", READERS, Resource),
    ("cutover", "GET", "{set}/virtualMachines/0/providers/Symbolon.Migration/cutovers/default", READERS, Resource),
    ("machines", "GET", "{sub}/providers/Symbolon.Migration/machines", READERS, Resource),
    ("machines", "GET", "{group}/providers/Symbolon.Migration/machines", READERS, Resource),
    ("group.put", "PUT", "{group}", WRITERS, Group),
    ("group.patch", "PATCH", "{group}", WRITERS, Group),
    ("group.delete", "DELETE", "{sub}/resourceGroups/nope", WRITERS, Sub),
    ("resource.put", "PUT", "{vm}", "OC----V", Resource),
    ("resource.put", "PUT", "{vm}/extensions/x", "OC----V", Resource),
    ("resource.put", "PUT", "{set}", "OC----V", Resource),
    ("resource.put", "PUT", "{set}/extensions/x", "OC----V", Resource),
    ("resource.put", "PUT", "{id}", "OC---M-", Resource),
    ("resource.put", "PUT", "{id}/federatedIdentityCredentials/fic", "OC---M-", Resource),
    ("resource.put", "PUT", "{net}", "OC----V", Resource),
    ("resource.patch", "PATCH", "{vm}", "OC----V", Resource),
    ("resource.patch", "PATCH", "{id}", "OC---M-", Resource),
    ("resource.delete", "DELETE", "{vm}/extensions/x", "OC----V", Resource),
    ("resource.delete", "DELETE", "{set}/virtualMachines/0", "OC----V", Resource),
    ("resource.delete", "DELETE", "{id}/federatedIdentityCredentials/fic", "OC---M-", Resource),
    ("roleAssignment.put", "PUT", "{group}{roles}/{guid}", "O--U---", Group),
    ("roleAssignment.put", "PUT", "{roles}/{guid}", "O--U---", Root),
    ("roleAssignment.patch", "PATCH", "{group}{roles}/{guid}", "O--U---", Group),
    ("roleAssignment.delete", "DELETE", "{vm}{roles}/{guid}", "O--U---", Resource),
    ("register", "POST", "{sub}/providers/Microsoft.Compute/register", WRITERS, Sub),
    ("start", "POST", "{vm}/start", "OC----V", Resource),
    ("restart", "POST", "{vm}/restart", "OC----V", Resource),
    ("powerOff", "POST", "{vm}/powerOff", "OC----V", Resource),
    ("deallocate", "POST", "{vm}/deallocate", "OC----V", Resource),
    ("fireScheduledEvent", "POST", "{vm}/fireScheduledEvent", "OC----V", Resource),
    ("fireScheduledEvent", "POST", "{set}/virtualMachines/0/fireScheduledEvent", "OC----V", Resource),
    ("simulateEviction", "POST", "{vm}/simulateEviction", "OC----V", Resource),
    ("enable", "POST", "{vm}/extensions/x/enable", "OC----V", Resource),
    ("disable", "POST", "{vm}/extensions/x/disable", "OC----V", Resource),
    ("manualupgrade", "POST", "{set}/manualupgrade", "OC----V", Resource),
    ("deleteInstances", "POST", "{set}/delete", "OC----V", Resource),
    ("deployment.delete", "DELETE", "{deployment}", "OC--PMV", Resource),
    ("deployment.cancel", "POST", "{deployment}/cancel", "OC--PMV", Resource),
    ("cutover.put", "PUT", "{vm}/providers/Symbolon.Migration/cutovers/default", WRITERS, Resource),
    ("deployment.put", "PUT", "{deployment}", "OC--PMV", Resource),
    ("deployment.validate", "POST", "{deployment}/validate", "OC--PMV", Resource),
    ("deployment.whatIf", "POST", "{deployment}/whatIf", "OC--PMV", Resource),
    ("playbook.put", "PUT", "{sub}/providers/Symbolon.Faults/playbooks/current", WRITERS, Sub),
    ("playbook", "GET", "{sub}/providers/Symbolon.Faults/playbooks/current", READERS, Sub),
    ("playbook.delete", "DELETE", "{sub}/providers/Symbolon.Faults/playbooks/current", WRITERS, Sub),
];

/// What is there for everybody with a token, and shows only what is one's own.
const OPEN: &[(&str, &str, u16)] = &[
    ("tenants", "/tenants", 200),
    ("subscriptions", "/subscriptions", 200),
    ("operation", "{sub}/providers/Microsoft.Compute/locations/westus/operations/{guid}", 404),
    ("operationResult", "{sub}/operationresults/{guid}", 404),
];

fn path(sample: &str) -> String {
    let network = format!("{G}/providers/Microsoft.Network/networkInterfaces/nic");
    [
        ("{sub}", SUB.to_owned()),
        ("{group}", G.to_owned()),
        ("{vm}", vm("vm1")),
        ("{set}", scale_set("ss1")),
        ("{id}", identity("id1")),
        ("{net}", network),
        ("{deployment}", deployment("d")),
        ("{roles}", "/providers/Microsoft.Authorization/roleAssignments".to_owned()),
        ("{definitions}", "/providers/Microsoft.Authorization/roleDefinitions".to_owned()),
        ("{guid}", "60000000-0000-4000-8000-000000000001".to_owned()),
    ]
    .iter()
    .fold(sample.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[test]
fn every_route_has_its_row() {
    for (name, method, sample, ..) in TABLE {
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(control::arm::route_name(&method, &path(sample)).unwrap(), *name, "{method} {sample}");
    }
    for (name, sample, _) in OPEN {
        assert_eq!(control::arm::route_name(&http::Method::GET, &path(sample)).unwrap(), *name, "{sample}");
    }
    for name in control::arm::ROUTES {
        let there = TABLE.iter().any(|row| row.0 == *name) || OPEN.iter().any(|row| row.0 == *name);
        assert!(there, "the route {name} has no row in the table");
    }
}

#[tokio::test]
async fn every_role_at_every_scope() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.put(&identity("id1"), json!({"location": "westus"})).await.is(201);
    // Something of each type, so that a role at a resource is one at every sample.
    let samples = ["{vm}", "{set}", "{id}", "{net}", "{deployment}"].map(path);
    let scopes: [(Level, Vec<String>); 4] = [
        (Root, vec!["/".to_owned()]),
        (Sub, vec![SUB.to_owned()]),
        (Group, vec![G.to_owned()]),
        (Resource, samples.to_vec()),
    ];
    let mut clients = Vec::new();
    for (at, role) in BUILT_IN.iter().enumerate() {
        for (level, scopes) in &scopes {
            let roles: Vec<_> = scopes.iter().map(|scope| (role.name.to_owned(), scope_of(scope))).collect();
            clients.push((at, role.name, *level, u8::try_from(clients.len() + 1).unwrap(), roles));
        }
    }
    let described: Vec<_> = clients.iter().map(|(.., number, roles)| (*number, roles.clone())).collect();
    let tokens = arm.clients(&described).await;
    let mut refused = 0;
    for ((at, role, level, number, _), token) in clients.iter().zip(&tokens) {
        for (name, method, sample, roles, lowest) in TABLE {
            let allowed = roles.as_bytes()[*at] != b'-' && level <= lowest;
            // Nothing that could be done: a write without a body is refused, once it is allowed.
            let answer = arm.send(token, method, &path(sample), "").await;
            let what = format!("{role} at {level:?}: {name}, {method} {sample}: {} {}", answer.status, answer.body);
            assert_eq!(answer.status != StatusCode::FORBIDDEN, allowed, "{what}");
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            if !allowed {
                refused += 1;
                let start = format!(
                    "The client '{}' with object id '{}' does not have authorization to perform action '",
                    client_id(*number),
                    principal_id(*number)
                );
                if *method != "HEAD" {
                    assert!(answer.message().starts_with(&start), "{what}");
                }
            }
        }
        for (name, sample, status) in OPEN {
            let answer = arm.send(token, "GET", &path(sample), "").await;
            assert_eq!(answer.status.as_u16(), *status, "{role} at {level:?}: {name}");
        }
    }
    let audit = arm.audit().await;
    assert_eq!(audit.iter().filter(|(_, action, _)| action.starts_with("refused: ")).count(), refused);
}
