//! A small world for templates to be deployed to.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use template::{
    Context, DeploymentRequest, Plan, ProviderType, ResourceGroup, Runtime, Subscription, TemplateError, plan,
};

pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

pub(crate) fn group() -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg1")
}

pub(crate) fn context() -> Context {
    let provider = |resource_type: &str| ProviderType {
        namespace: "Microsoft.Compute".to_owned(),
        resource_type: resource_type.to_owned(),
        api_versions: vec!["2026-04-01".to_owned(), "2018-06-01".to_owned()],
        locations: vec!["West US".to_owned()],
    };
    Context {
        subscription: Subscription {
            subscription_id: SUBSCRIPTION.to_owned(),
            tenant_id: "22222222-2222-2222-2222-222222222222".to_owned(),
            display_name: "sample".to_owned(),
        },
        resource_group: ResourceGroup { name: "rg1".to_owned(), location: "westus".to_owned(), ..Default::default() },
        deployment_name: "d1".to_owned(),
        environment: json!({"name": "symbolon"}),
        providers: vec![provider("virtualMachines"), provider("virtualMachineScaleSets")].into(),
        started_at: 1_586_271_194,
        seed: uuid::uuid!("33333333-3333-3333-3333-333333333333"),
    }
}

/// Resources by id in lower case.
#[derive(Default)]
pub(crate) struct World(pub(crate) BTreeMap<String, Value>);

impl World {
    pub(crate) fn with(mut self, id: &str, resource: Value) -> Self {
        self.0.insert(id.to_lowercase(), resource);
        self
    }
}

impl Runtime for World {
    fn resource(&self, id: &str) -> Option<Value> {
        self.0.get(&id.to_lowercase()).cloned()
    }
}

/// Plans a template with parameters `{name: value}`.
pub(crate) fn planned_with(template: &Value, parameters: &Value) -> Result<Plan, TemplateError> {
    let parameters: serde_json::Map<_, _> =
        parameters.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!({ "value": value }))).collect();
    let body = json!({"properties": {"mode": "Incremental", "parameters": parameters, "template": template}});
    plan(&DeploymentRequest::parse(body.to_string().as_bytes())?, &context())
}

pub(crate) fn planned(template: &Value) -> Result<Plan, TemplateError> {
    planned_with(template, &json!({}))
}

/// Plans a template that has nothing but resources.
pub(crate) fn resources(resources: Value) -> Result<Plan, TemplateError> {
    planned(&json!({ "resources": resources }))
}

pub(crate) fn refused(resources_of_template: Value) -> String {
    resources(resources_of_template).unwrap_err().message
}

/// A resource of a type that nobody knows.
pub(crate) fn thing(name: &str, depends_on: &[&str]) -> Value {
    json!({"type": "Test.Things/things", "name": name, "apiVersion": "1", "dependsOn": depends_on})
}

pub(crate) fn names(plan: &Plan) -> Vec<&str> {
    plan.resources.iter().map(|resource| resource.name.as_str()).collect()
}
