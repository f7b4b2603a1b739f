//! Bodies of deployments: reading, planning, evaluating and comparing end in a value or a refusal.
#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use symbolon_fuzz::accepted;
use template::what_if::{Change, ChangeType, WhatIf, compare};
use template::{Context, DeploymentRequest, Mode, Plan, ProviderType, ResourceGroup, Runtime, Subscription, plan};

/// A resource of the group.
const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/a.b/c/d";

/// A world in which everything is there.
struct Everything;

impl Runtime for Everything {
    fn resource(&self, id: &str) -> Option<Value> {
        Some(json!({ "id": id, "location": "westus", "properties": { "x": [1, { "y": "z" }] } }))
    }
}

/// All that a plan puts, and all of the group, is told of, as what it can be where everything is there.
fn assert_compared(plan: &Plan, changes: &[Change]) {
    let told: HashMap<String, &Change> =
        changes.iter().map(|change| (change.resource_id.to_ascii_lowercase(), change)).collect();
    for change in changes {
        assert_ne!(change.change_type, ChangeType::Create, "everything is there");
        assert_eq!(change.change_type == ChangeType::Modify, !change.delta.is_empty());
        assert!(change.before.is_some());
        assert_eq!(change.change_type == ChangeType::Delete, change.after.is_none());
    }
    for resource in plan.resources.iter().filter(|resource| !resource.is_deployment()) {
        let change = told.get(&resource.id.to_ascii_lowercase()).expect("each resource is told of");
        assert!(!matches!(change.change_type, ChangeType::Delete | ChangeType::Ignore), "it is in the template");
    }
    let others = changes.iter().filter(|change| matches!(change.change_type, ChangeType::Delete | ChangeType::Ignore));
    for other in others {
        assert_eq!(other.resource_id, GROUP);
        assert_eq!(other.change_type == ChangeType::Delete, plan.mode == Mode::Complete);
    }
    assert!(told.contains_key(&GROUP.to_ascii_lowercase()));
}

fuzz_target!(|body: &[u8]| {
    let Ok(request) = DeploymentRequest::parse(body) else { return };
    let context = Context {
        subscription: Subscription {
            subscription_id: "11111111-1111-1111-1111-111111111111".to_owned(),
            ..Default::default()
        },
        resource_group: ResourceGroup { name: "rg1".to_owned(), location: "westus".to_owned(), ..Default::default() },
        deployment_name: "d1".to_owned(),
        environment: json!({}),
        providers: vec![ProviderType {
            namespace: "Microsoft.Compute".to_owned(),
            resource_type: "virtualMachineScaleSets".to_owned(),
            api_versions: vec!["2026-04-01".to_owned()],
            locations: Vec::new(),
        }]
        .into(),
        started_at: 0,
        seed: Default::default(),
    };
    let plan = match plan(&request, &context) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.message.is_empty());
            assert_eq!(error.line.is_some(), error.column.is_some());
            return;
        }
    };
    accepted();
    for (at, resource) in plan.resources.iter().enumerate() {
        assert!(resource.depends_on.iter().all(|before| *before < at), "an order keeps what it is made for");
        assert!(resource.id.starts_with('/'));
        let body = resource.body(&Everything);
        if !resource.needs_runtime {
            assert!(body.is_ok(), "what waits for nothing was checked");
        }
    }
    let _ = plan.outputs(&Everything);
    let group = [GROUP.to_owned()];
    let options = WhatIf { group: &group, ..WhatIf::default() };
    if let Ok(changes) = compare(&plan, &Everything, &options) {
        assert_compared(&plan, &changes);
    }
});
