//! How exported resources are named in their template.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{ExportError, ExportOptions};
use crate::expression::{escape, quoted};
use crate::limits::PARAMETERS;
use crate::resource_id::take_apart;

/// A resource that can be exported.
pub(super) struct Exportable<'r> {
    pub(super) resource: &'r Value,
    pub(super) id: &'r str,
    /// What comes before the last `/providers/` of its id.
    pub(super) scope: &'r str,
    pub(super) resource_type: String,
    /// Slash-joined.
    pub(super) name: String,
    pub(super) api_version: &'r str,
}

impl<'r> Exportable<'r> {
    pub(super) fn read(resource: &'r Value, excluded: &dyn Fn(&str) -> bool) -> Result<Self, ExportError> {
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        let named = text("type").unwrap_or_default();
        let error = |target: &str, message: String| ExportError {
            code: "ExportTemplateProviderError",
            target: target.to_owned(),
            message,
        };
        let unreadable = |target: &str| {
            let what = "Resources of this type will not be exported.";
            error(target, format!("Could not get resources of the type '{target}'. {what}"))
        };
        let id = text("id").ok_or_else(|| unreadable(named))?;
        let (scope, resource_type, name) = take_apart(id).ok_or_else(|| unreadable(named))?;
        if excluded(&resource_type) {
            return Err(unreadable(&resource_type));
        }
        let no_schema = || {
            let what = "Resources of this type will not be exported to the template.";
            error(&resource_type, format!("The schema of resource type '{resource_type}' is not available. {what}"))
        };
        let api_version = text("apiVersion").ok_or_else(no_schema)?;
        Ok(Self { resource, id, scope, resource_type, name, api_version })
    }
}

/// The parameters of the template, and what goes by them.
pub(super) struct Names<'o> {
    options: &'o ExportOptions<'o>,
    exported: &'o [Exportable<'o>],
    /// Position by id in lower case.
    index: HashMap<String, usize>,
    /// Parameter by top-level resource: type and name in lower case.
    of_resources: HashMap<(String, String), String>,
    /// Parameter by id, of what isn't exported.
    of_others: HashMap<String, String>,
    parameters: Map<String, Value>,
}

impl<'o> Names<'o> {
    pub(super) fn new(exported: &'o [Exportable<'o>], options: &'o ExportOptions<'o>) -> Self {
        let ids = exported.iter().enumerate().map(|(at, resource)| (resource.id.to_ascii_lowercase(), at));
        let mut names = Self {
            options,
            exported,
            index: ids.collect(),
            of_resources: HashMap::new(),
            of_others: HashMap::new(),
            parameters: Map::new(),
        };
        if options.skip_all_parameterization || options.skip_resource_name_parameterization {
            return names;
        }
        for resource in exported {
            let (key, name) = top_level(&resource.resource_type, &resource.name);
            if !names.of_resources.contains_key(&key) {
                let kind = key.0.len();
                let kind = resource.resource_type.get(..kind).unwrap_or_default();
                let added = names.add(kind, name, "name", name);
                names.of_resources.extend(added.map(|parameter| (key, parameter)));
            }
        }
        names
    }

    /// The `name` of a resource: literal, or its parameter with what follows it.
    pub(super) fn name(&self, resource: &Exportable<'_>) -> String {
        let (key, first) = top_level(&resource.resource_type, &resource.name);
        let Some(parameter) = self.of_resources.get(&key) else { return escape(&resource.name) };
        match resource.name.get(first.len()..) {
            None | Some("") => format!("[parameters('{parameter}')]"),
            Some(rest) => format!("[concat(parameters('{parameter}'), {})]", quoted(rest)),
        }
    }

    /// The call that gives the id of an exported resource, without brackets.
    pub(super) fn call_of(&self, at: usize) -> Option<String> {
        self.exported.get(at).map(|resource| self.call(resource))
    }

    fn call(&self, resource: &Exportable<'_>) -> String {
        let (key, first) = top_level(&resource.resource_type, &resource.name);
        let mut arguments = vec![quoted(&resource.resource_type)];
        let rest = match self.of_resources.get(&key) {
            Some(parameter) => {
                arguments.push(format!("parameters('{parameter}')"));
                resource.name.get(first.len()..).and_then(|rest| rest.strip_prefix('/'))
            }
            None => Some(resource.name.as_str()),
        };
        arguments.extend(rest.into_iter().flat_map(|rest| rest.split('/')).map(quoted));
        if is_in_group(resource.scope) {
            return format!("resourceId({})", arguments.join(", "));
        }
        let extended = self.position(resource.scope).and_then(|at| self.exported.get(at));
        let extended = extended.map_or_else(|| quoted(resource.scope), |extended| self.call(extended));
        format!("extensionResourceId({extended}, {})", arguments.join(", "))
    }

    /// A parameter for the id of a resource that isn't exported; nothing when there may be none.
    pub(super) fn other(&mut self, id: &str) -> Option<String> {
        if self.options.skip_all_parameterization {
            return None;
        }
        if !self.of_others.contains_key(id) {
            let (_, kind, name) = take_apart(id)?;
            let parameter = self.add(&kind, &name, "externalid", id)?;
            self.of_others.insert(id.to_owned(), parameter);
        }
        self.of_others.get(id).map(|parameter| format!("[parameters('{parameter}')]"))
    }

    /// The exported resource of an id.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.index.get(&id.to_ascii_lowercase()).copied()
    }

    pub(super) fn parameters(&self) -> Value {
        Value::Object(self.parameters.clone())
    }

    /// Adds a parameter `{type}_{name}_{what}`, made unique; nothing when the template has as many as it may.
    fn add(&mut self, resource_type: &str, name: &str, what: &str, value: &str) -> Option<String> {
        if self.parameters.len() >= PARAMETERS {
            return None;
        }
        let plain = |text: &str| -> String {
            text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
        };
        let kind = resource_type.rsplit('/').next().unwrap_or_default();
        let base = format!("{}_{}_{what}", plain(kind), plain(name));
        let taken = |name: &str| self.parameters.keys().any(|known| known.eq_ignore_ascii_case(name));
        let numbered = (1..=PARAMETERS).map(|number| format!("{base}_{number}"));
        let parameter = std::iter::once(base.clone()).chain(numbered).find(|name| !taken(name))?;
        let definition = if self.options.include_parameter_default_value {
            json!({ "defaultValue": escape(value), "type": "String" })
        } else {
            json!({ "type": "String" })
        };
        self.parameters.insert(parameter.clone(), definition);
        Some(parameter)
    }
}

/// Type and name of the topmost parent in lower case, and the name as it is.
fn top_level<'n>(resource_type: &str, name: &'n str) -> ((String, String), &'n str) {
    let end = resource_type.match_indices('/').nth(1).map_or(resource_type.len(), |(at, _)| at);
    let kind = resource_type.get(..end).unwrap_or(resource_type);
    let first = name.split('/').next().unwrap_or(name);
    ((kind.to_ascii_lowercase(), first.to_ascii_lowercase()), first)
}

/// Whether a scope is a resource group, and not a resource.
pub(super) fn is_in_group(scope: &str) -> bool {
    scope.split('/').count() == 5
}
