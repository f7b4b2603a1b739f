//! What is exported can be planned again, and gives the same bodies.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use template::export::{ExportOptions, export};
use template::{Members, Nothing};

use crate::fixture::{group, planned};
use crate::properties::any_json;

/// Some ids, of resources that may be exported and of others.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-d]".prop_map(|name| format!("{}/providers/Test.Things/things/{name}", group())),
        "[a-d]/parts/[a-c]".prop_map(|name| format!("{}/providers/Test.Things/things/{name}", group())),
        "[a-d]/bits/it's".prop_map(|name| format!("{}/providers/Test.Things/things/{name}", group())),
        "[a-b]".prop_map(|name| format!("/subscriptions/s/resourceGroups/other/providers/Test.Things/things/{name}")),
        "[a-b]"
            .prop_map(|name| format!("{}/providers/Test.Things/things/a/providers/Test.Locks/locks/{name}", group())),
    ]
}

/// JSON without what an export leaves out or a template reads otherwise.
fn free(value: Value) -> Value {
    match value {
        Value::Null => Value::from(0),
        Value::Array(elements) => elements.into_iter().map(free).collect(),
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("copy"));
            Value::Object(kept.map(|(name, value)| (name, free(value))).collect::<Map<_, _>>())
        }
        // Numbers pass through a text once.
        Value::Number(_) => serde_json::from_str(&value.to_string()).unwrap(),
        Value::Bool(_) | Value::String(_) => value,
    }
}

fn properties() -> impl Strategy<Value = Value> {
    (any_json(), prop::collection::vec((id(), "\\[{0,2}[a-z()']{0,6}\\]?"), 0..4)).prop_map(|(any, ids)| {
        let map: Map<_, _> = ids.iter().map(|(id, text)| (id.clone(), json!({ "text": text }))).collect();
        let list: Vec<_> = ids.into_iter().map(|(id, _)| json!({ "id": id })).collect();
        json!({"any": free(any), "list": list, "map": map, "etag": "1"})
    })
}

/// Resources by id, so that none is there twice.
fn world() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let resource = (id(), properties()).prop_map(|(id, properties)| {
        let resource = json!({"id": id, "apiVersion": "1", "location": "West US", "properties": properties});
        (id, resource)
    });
    prop::collection::vec(resource, 0..8)
        .prop_map(|resources| resources.into_iter().filter(|(id, _)| id.starts_with(&group())).collect())
}

proptest! {
    #[test]
    fn what_is_exported_gives_the_same_bodies(world in world(), skip_all: bool, skip_names: bool, comments: bool) {
        let resources: Vec<_> = world.values().cloned().collect();
        let options = ExportOptions {
            include_comments: comments,
            include_parameter_default_value: true,
            skip_resource_name_parameterization: skip_names,
            skip_all_parameterization: skip_all,
            read_only: Members(&["etag"]),
        };
        let exported = export(&resources, &options, &|_| false);
        prop_assert_eq!(exported.error(), None);
        let plan = planned(&exported.template).unwrap();
        prop_assert_eq!(plan.resources.len(), world.len());
        for resource in &plan.resources {
            let mut expected = world[&resource.id].clone();
            for name in ["id", "apiVersion"] {
                expected.as_object_mut().unwrap().remove(name);
            }
            strip_etags(&mut expected);
            prop_assert_eq!(resource.body(&Nothing).unwrap(), expected);
        }
    }
}

fn strip_etags(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.eq_ignore_ascii_case("etag"));
            members.values_mut().for_each(strip_etags);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip_etags),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
