//! A template made of resources that are there, as `exportTemplate` gives it.

use serde_json::{Map, Value, json};

use crate::dependency::Edges;
use crate::members::Members;

mod names;
mod options;
mod rewrite;
#[cfg(test)]
mod tests;

use names::{Exportable, Names};
pub use options::ExportOptions;
use rewrite::Rewriter;

/// What an export gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The template.
    pub template: Value,
    /// What isn't in it.
    pub errors: Vec<ExportError>,
}

/// Why resources of a type are not in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportError {
    /// The code of the detail.
    pub code: &'static str,
    /// Its text.
    pub message: String,
    /// The resource type.
    pub target: String,
}

impl Exported {
    /// The member `error` of the answer; none when all was exported.
    pub fn error(&self) -> Option<Value> {
        let detail =
            |error: &ExportError| json!({ "code": error.code, "target": error.target, "message": error.message });
        (!self.errors.is_empty()).then(|| {
            json!({
                "code": "ExportTemplateCompletedWithErrors",
                "message": "Export template operation completed with errors. Some resources were not exported. Please \
                            see details for more information.",
                "details": self.errors.iter().map(detail).collect::<Vec<_>>(),
            })
        })
    }
}

/// Exports resources of one group. Each is a resource as a GET gives it, with the `apiVersion` that its type is exported
/// with beside. Resources of a type that `excluded` names are left out with an error, once for a type; so are those
/// without an id or an `apiVersion`.
///
/// Names become parameters, ids of exported resources calls of `resourceId` with an entry in `dependsOn`, and ids of
/// others parameters, unless the options say otherwise. Planned again in the same group, with the same names, the
/// template gives the same bodies.
pub fn export(resources: &[Value], options: &ExportOptions<'_>, excluded: &dyn Fn(&str) -> bool) -> Exported {
    let mut errors: Vec<ExportError> = Vec::new();
    let mut exported = Vec::new();
    for resource in resources {
        match Exportable::read(resource, excluded) {
            Ok(resource) => exported.push(resource),
            Err(error) if errors.contains(&error) => {}
            Err(error) => errors.push(error),
        }
    }
    let mut names = Names::new(&exported, options);
    let mut edges = Edges::new();
    let mut bodies = Vec::with_capacity(exported.len());
    for (at, resource) in exported.iter().enumerate() {
        let mut rewriter = Rewriter::new(&mut names);
        bodies.push((rewriter.scope(resource), body(resource, &mut rewriter, &options.read_only)));
        rewriter.before.remove(&at);
        edges.push(rewriter.before);
    }
    without_circles(&mut edges);
    let entries = exported.iter().zip(bodies).zip(&edges).map(|((resource, (scope, body)), before)| {
        let calls = before.iter().filter_map(|at| names.call_of(*at));
        entry(resource, &names, scope, calls.map(|call| format!("[{call}]").into()).collect(), body, options)
    });
    let resources: Vec<_> = entries.collect();
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": names.parameters(),
        "variables": {},
        "resources": resources,
    });
    Exported { template, errors }
}

/// Members that the template names otherwise, or that are resources of their own.
const OWN: [&str; 7] = ["id", "name", "type", "apiVersion", "dependsOn", "scope", "resources"];

fn body(resource: &Exportable<'_>, rewriter: &mut Rewriter<'_, '_>, read_only: &Members<'_>) -> Map<String, Value> {
    let Value::Object(members) = read_only.strip("", resource.resource) else { return Map::new() };
    let own = |name: &str| OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
    members.into_iter().filter(|(name, _)| !own(name)).map(|(name, value)| (name, rewriter.value(value))).collect()
}

fn entry(
    resource: &Exportable<'_>,
    names: &Names<'_>,
    scope: Option<String>,
    depends_on: Vec<Value>,
    mut body: Map<String, Value>,
    options: &ExportOptions<'_>,
) -> Value {
    let mut entry = Map::new();
    if options.include_comments {
        let comment = format!("Generalized from resource: '{}'.", resource.id);
        entry.insert("comments".to_owned(), crate::expression::escape(&comment).into());
    }
    entry.insert("type".to_owned(), resource.resource_type.as_str().into());
    entry.insert("apiVersion".to_owned(), resource.api_version.into());
    entry.insert("name".to_owned(), names.name(resource).into());
    entry.extend(scope.map(|scope| ("scope".to_owned(), scope.into())));
    entry.extend(body.shift_remove("location").map(|location| ("location".to_owned(), location)));
    if !depends_on.is_empty() {
        entry.insert("dependsOn".to_owned(), depends_on.into());
    }
    entry.extend(body);
    Value::Object(entry)
}

/// Resources may name each other; a template may not. Walks along the edges, and leaves out each that leads back.
fn without_circles(edges: &mut Edges) {
    let mut states = vec![Walk::Before; edges.len()];
    for start in 0..edges.len() {
        let mut path = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(at) = next.take() {
                let Some(state) = states.get_mut(at) else { continue };
                match *state {
                    Walk::Before => {
                        *state = Walk::On;
                        path.push((at, edges.get(at).cloned().unwrap_or_default()));
                    }
                    Walk::On => {
                        if let Some(edges) = path.last().and_then(|(from, _)| edges.get_mut(*from)) {
                            edges.remove(&at);
                        }
                    }
                    Walk::After => {}
                }
            }
            let Some((at, rest)) = path.last_mut() else { break };
            next = rest.pop_first();
            if next.is_none() {
                if let Some(state) = states.get_mut(*at) {
                    *state = Walk::After;
                }
                path.pop();
            }
        }
    }
}

/// Where the walk is with a resource.
#[derive(Clone, Copy)]
enum Walk {
    Before,
    On,
    After,
}
