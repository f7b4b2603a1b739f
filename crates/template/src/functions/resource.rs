//! Ids of resources, and what resources and their providers are.

use serde_json::{Value, json};

use super::{Call, Function, MANY, function};
use crate::context::ProviderType;
use crate::error::Fault;
use crate::evaluate::all;
use crate::resource_id::{build, group, member, take_apart};

pub(super) const TABLE: &[Function] = &[
    function("resourceId", 2, MANY, resource_id),
    function("subscriptionResourceId", 2, MANY, subscription_resource_id),
    function("tenantResourceId", 2, MANY, |call| id(call, "", 0)),
    function("managementGroupResourceId", 3, MANY, |call| {
        id(call, &format!("/providers/Microsoft.Management/managementGroups/{}", call.text(0)?), 1)
    }),
    function("extensionResourceId", 3, MANY, |call| id(call, call.text(0)?, 1)),
    function("reference", 1, 3, reference),
    function("references", 1, 2, references),
    function("providers", 1, 2, providers),
    function("pickZones", 3, 5, pick_zones),
];

/// `resourceId([subscription], [group], type, name…)`: a type is the first argument with a slash.
fn resource_id(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let context = &call.evaluator.scope.context;
    let (mut subscription, mut group_name) = (&*context.subscription.subscription_id, &*context.resource_group.name);
    let at = type_position(call, 2)?;
    match at {
        0 => {}
        1 if uuid::Uuid::try_parse(call.text(0)?).is_ok() => subscription = call.text(0)?,
        1 => group_name = call.text(0)?,
        _ => (subscription, group_name) = (call.text(0)?, call.text(1)?),
    }
    id(call, &group(subscription, group_name), at)
}

fn subscription_resource_id(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let at = type_position(call, 1)?;
    let subscription =
        if at == 0 { &*call.evaluator.scope.context.subscription.subscription_id } else { call.text(0)? };
    id(call, &format!("/subscriptions/{subscription}"), at)
}

fn type_position(call: &Call<'_, '_>, last: usize) -> Result<usize, Fault> {
    let found = call.values().take(last + 1).position(|value| value.as_str().is_some_and(|text| text.contains('/')));
    found.ok_or_else(|| call.fail("no argument is a resource type."))
}

/// The id of the type at a position and of the names that follow it.
fn id(call: &Call<'_, '_>, scope: &str, at: usize) -> Result<Value, Fault> {
    let resource_type = call.text(at)?;
    let names: Vec<&str> = (at + 1..call.arguments.len()).map(|at| call.text(at)).collect::<Result<_, _>>()?;
    let made = build(scope.trim_end_matches('/'), resource_type, &names.join("/"));
    made.map(Value::from).ok_or_else(|| {
        let expected = resource_type.split('/').count().saturating_sub(1);
        Fault::invalid(format!(
            "Unable to evaluate template language function '{}': the type '{resource_type}' requires '{expected}' \
             resource name argument(s). Please see https://aka.ms/arm-functions-resource for usage details.",
            call.name
        ))
    })
}

/// The `properties` of a resource, or with `'Full'` all of it. It is named by its id, by its name in this template or by
/// its symbolic name.
fn reference(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let evaluator = call.evaluator;
    let named = call.text(0)?;
    let known = evaluator.scope.known.resolve(named);
    let id = known.map_or_else(|| named.to_owned(), |known| known.id.clone());
    if !id.starts_with('/') {
        return Err(no_reference(call, named));
    }
    let full = full(call, 2)?;
    let version = match call.given(1) {
        Some(Value::Null) | None => known.map(|known| known.api_version.clone()),
        Some(_) => Some(call.text(1)?.to_owned()),
    };
    state(call, &id, version, full)
}

/// The same of each resource of a copy that is deployed.
fn references(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (named, full) = (call.text(0)?, full(call, 1)?);
    let resources = call.evaluator.scope.known.collection(named).ok_or_else(|| no_reference(call, named))?;
    let states = resources.map(|known| state(call, &known.id, Some(known.api_version.clone()), full));
    Ok(Value::Array(all(states)?))
}

fn full(call: &Call<'_, '_>, at: usize) -> Result<bool, Fault> {
    match call.given(at) {
        Some(Value::String(full)) if full.eq_ignore_ascii_case("Full") => Ok(true),
        Some(Value::String(full)) if full.eq_ignore_ascii_case("Properties") => Ok(false),
        Some(_) => Err(call.expected(at, "'Full' or 'Properties'")),
        None => Ok(false),
    }
}

fn no_reference(call: &Call<'_, '_>, named: &str) -> Fault {
    if call.evaluator.scope.known.is_empty() {
        return Fault::NeedsRuntime;
    }
    Fault::invalid(format!(
        "The template reference '{named}' is not valid: could not find template resource or resource copy with this name. \
         Please see https://aka.ms/arm-function-reference for usage details."
    ))
}

fn state(call: &Call<'_, '_>, id: &str, version: Option<String>, full: bool) -> Result<Value, Fault> {
    let evaluator = call.evaluator;
    evaluator.session.refer(id);
    let Some(runtime) = evaluator.runtime else { return Err(Fault::NeedsRuntime) };
    evaluator.session.read()?;
    let mut resource = runtime.resource(id).ok_or_else(|| Fault::Missing(id.to_owned()))?;
    if !full {
        return Ok(resource.get_mut("properties").map(Value::take).unwrap_or_else(|| json!({})));
    }
    if let Value::Object(members) = &mut resource {
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.into());
            }
        };
        add("apiVersion", version.filter(|version| !version.is_empty()));
        add("subscriptionId", member(id, "subscriptions").map(str::to_owned));
        add("resourceGroupName", member(id, "resourceGroups").map(str::to_owned));
        add("resourceId", take_apart(id).map(|(_, kind, names)| format!("{kind}/{names}")));
    }
    Ok(resource)
}

/// A resource type as its provider publishes it, or all types of a namespace.
fn providers(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let namespace = call.text(0)?;
    let known = call.evaluator.scope.context.providers.iter();
    let mut known = known.filter(|known| known.namespace.eq_ignore_ascii_case(namespace)).peekable();
    if known.peek().is_none() {
        return Err(call.fail(format_args!("the resource provider '{namespace}' is not known.")));
    }
    if call.given(1).is_none() {
        let types: Vec<_> = known.map(ProviderType::value).collect();
        return Ok(json!({ "namespace": namespace, "resourceTypes": types }));
    }
    let wanted = call.text(1)?;
    let found = known.find(|known| known.resource_type.eq_ignore_ascii_case(wanted));
    let found = found.map(ProviderType::value);
    found.ok_or_else(|| call.fail(format_args!("the resource type '{namespace}/{wanted}' is not known.")))
}

/// The availability zones of a resource type in a location. No location here has any.
fn pick_zones(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (namespace, wanted, _) = (call.text(0)?, call.text(1)?, call.text(2)?);
    for at in 3..call.arguments.len() {
        call.integer(at)?;
    }
    let known = call.evaluator.scope.context.providers.iter();
    let of = |known: &ProviderType| {
        known.namespace.eq_ignore_ascii_case(namespace) && known.resource_type.eq_ignore_ascii_case(wanted)
    };
    if !known.into_iter().any(of) {
        return Err(call.fail(format_args!("the resource type '{namespace}/{wanted}' is not known.")));
    }
    Ok(json!([]))
}
