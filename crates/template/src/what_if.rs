//! What a deployment would change.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::error::{Code, Fault, Place, TemplateError};
use crate::limits::NESTED_DEPLOYMENTS;
use crate::members::Members;
use crate::plan::{Plan, plan_nested};
use crate::planned::PlannedResource;
use crate::request::{Mode, ResultFormat};
use crate::resource_id::take_apart;
use crate::runtime::Runtime;
use crate::secret::Secrets;
use crate::session::Session;

mod delta;
#[cfg(test)]
mod tests;

pub use delta::{PropertyChange, PropertyChangeType};

/// What a comparison goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhatIf<'a> {
    /// How much of each change is told.
    pub format: ResultFormat,
    /// What the server makes, or never shows (`protectedSettings`): not compared.
    pub ignored: Members<'a>,
    /// What besides isn't compared of resources of a type, case ignored.
    pub ignored_of: &'a [(&'a str, Members<'a>)],
    /// The ids of all resources of the group. Those that the template doesn't name are ignored, or deleted in a
    /// Complete deployment.
    pub group: &'a [String],
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeType {
    /// It isn't there, and will be.
    Create,
    /// It stays as it is.
    NoChange,
    /// It is there, and will be another.
    Modify,
    /// It is there, and won't be.
    Delete,
    /// It is there, and the deployment doesn't touch it.
    Ignore,
    /// It is deployed; how it changes isn't known before other resources are there.
    Deploy,
}

impl ChangeType {
    /// As Azure spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::NoChange => "NoChange",
            Self::Modify => "Modify",
            Self::Delete => "Delete",
            Self::Ignore => "Ignore",
            Self::Deploy => "Deploy",
        }
    }
}

/// A change of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its id.
    pub resource_id: String,
    /// What happens to it.
    pub change_type: ChangeType,
    /// As it is, without what is not compared.
    pub before: Option<Value>,
    /// As it would be put.
    pub after: Option<Value>,
    /// How the two differ, of a [`ChangeType::Modify`].
    pub delta: Vec<PropertyChange>,
}

impl Change {
    /// The change as an element of `properties.changes`.
    pub fn to_value(&self) -> Value {
        let mut change = Map::new();
        change.insert("resourceId".to_owned(), self.resource_id.as_str().into());
        change.insert("changeType".to_owned(), self.change_type.as_str().into());
        let states = [("before", &self.before), ("after", &self.after)];
        let states = states.into_iter().filter_map(|(name, state)| Some((name.to_owned(), state.clone()?)));
        change.extend(states);
        if !self.delta.is_empty() {
            change.insert("delta".to_owned(), self.delta.iter().map(PropertyChange::to_value).collect());
        }
        Value::Object(change)
    }
}

/// Compares what a plan would put with what is there. Resources of nested deployments are listed in their place. Values
/// of secure parameters, and strings that they stand in, are shown as `*******` in every resource that the template names.
///
/// The whole comparison, nested deployments with it, has one account of steps and bytes ([`limits`](crate::limits)).
///
/// # Errors
/// As [`PlannedResource::body`], but for resources that aren't there yet; `InvalidTemplate` that names the limit when the
/// account is used up.
pub fn compare(plan: &Plan, runtime: &dyn Runtime, options: &WhatIf<'_>) -> Result<Vec<Change>, TemplateError> {
    let (session, secrets) = (Session::default(), Secrets::default());
    let mut comparison = Comparison { runtime, options, session, secrets, changes: Vec::new(), named: HashSet::new() };
    comparison.plan(plan, 0)?;
    for id in options.group {
        comparison.rest(id, plan.mode);
    }
    Ok(comparison.changes)
}

struct Comparison<'a> {
    runtime: &'a dyn Runtime,
    options: &'a WhatIf<'a>,
    session: Session,
    /// The plan's own, and those of the plans around, which a nested deployment may hold under other names.
    secrets: Secrets,
    changes: Vec<Change>,
    /// What the template names, in lower case.
    named: HashSet<String>,
}

impl Comparison<'_> {
    fn plan(&mut self, plan: &Plan, depth: usize) -> Result<(), TemplateError> {
        let around = self.secrets.len();
        self.secrets.extend(plan.secrets());
        for resource in &plan.resources {
            self.named.insert(resource.id.to_ascii_lowercase());
            match resource.nested_within(self.runtime, &self.session) {
                Ok(None) => self.resource(resource)?,
                Ok(Some(request)) if depth < NESTED_DEPLOYMENTS => {
                    let nested = plan_nested(&request, &resource.nested_context(), &self.session)?;
                    self.plan(&nested, depth + 1)?;
                }
                Ok(Some(_)) => self.unknown(resource)?,
                Err(error) if error.code == Code::ResourceNotFound => self.unknown(resource)?,
                Err(error) => return Err(error),
            }
        }
        self.secrets.truncate(around);
        Ok(())
    }

    fn resource(&mut self, resource: &PlannedResource) -> Result<(), TemplateError> {
        let body = match resource.body_within(self.runtime, &self.session) {
            Ok(body) => body,
            Err(error) if error.code == Code::ResourceNotFound => return self.unknown(resource),
            Err(error) => return Err(error),
        };
        self.compared(resource, &body).map_err(|fault| refused(resource, fault))
    }

    /// Secrets are hidden after the comparison: that one isn't shown is no change.
    fn compared(&mut self, resource: &PlannedResource, body: &Value) -> Result<(), Fault> {
        let (secrets, session) = (&self.secrets, &self.session);
        let after = self.stripped(&resource.id, body);
        let before = self.counted(&resource.id)?;
        let delta = match &before {
            Some(before) => {
                let kept = self.stripped(&resource.id, &self.runtime.kept(&resource.id, body.clone()));
                Some(delta::of_resources(before, &kept, session)?)
            }
            None => None,
        };
        let change_type = match &delta {
            None => ChangeType::Create,
            Some(delta) if delta.is_empty() => ChangeType::NoChange,
            Some(_) => ChangeType::Modify,
        };
        let delta = delta.unwrap_or_default().into_iter().map(|change| change.masked(secrets, session));
        let delta = delta.collect::<Result<_, _>>()?;
        let before = before.map(|before| secrets.masked(before, session)).transpose()?;
        let after = shown(resource, secrets.masked(after, session)?);
        self.add(&resource.id, change_type, before, Some(after), delta);
        Ok(())
    }

    /// A resource whose body waits for others.
    fn unknown(&mut self, resource: &PlannedResource) -> Result<(), TemplateError> {
        let before = self
            .counted(&resource.id)
            .and_then(|before| before.map(|before| self.secrets.masked(before, &self.session)).transpose());
        let before = before.map_err(|fault| refused(resource, fault))?;
        let after = shown(resource, json!({}));
        self.add(&resource.id, ChangeType::Deploy, before, Some(after), Vec::new());
        Ok(())
    }

    /// A resource of the group that the template doesn't name.
    fn rest(&mut self, id: &str, mode: Mode) {
        if !self.named.insert(id.to_ascii_lowercase()) {
            return;
        }
        let before = self.current(id);
        match mode {
            Mode::Incremental => self.add(id, ChangeType::Ignore, before.clone(), before, Vec::new()),
            Mode::Complete => self.add(id, ChangeType::Delete, before, None, Vec::new()),
        }
    }

    /// A resource that the template names, as often as it likes.
    fn counted(&self, id: &str) -> Result<Option<Value>, Fault> {
        self.session.read()?;
        let found = self.current(id);
        found.iter().try_for_each(|found| self.session.shown(found))?;
        Ok(found)
    }

    fn current(&self, id: &str) -> Option<Value> {
        Some(self.stripped(id, &self.runtime.resource(id)?))
    }

    /// A resource without what isn't compared.
    fn stripped(&self, id: &str, resource: &Value) -> Value {
        let resource_type = take_apart(id).map(|(_, resource_type, _)| resource_type).unwrap_or_default();
        let of_type = self.options.ignored_of.iter().filter(|(of, _)| of.eq_ignore_ascii_case(&resource_type));
        of_type.fold(self.options.ignored.strip("", resource), |left, (_, ignored)| ignored.strip("", &left))
    }

    fn add(
        &mut self,
        id: &str,
        change_type: ChangeType,
        before: Option<Value>,
        after: Option<Value>,
        delta: Vec<PropertyChange>,
    ) {
        let resource_id = id.to_owned();
        self.changes.push(match self.options.format {
            ResultFormat::FullResourcePayloads => Change { resource_id, change_type, before, after, delta },
            ResultFormat::ResourceIdOnly => {
                Change { resource_id, change_type, before: None, after: None, delta: Vec::new() }
            }
        });
    }
}

fn refused(resource: &PlannedResource, fault: Fault) -> TemplateError {
    fault.into_error(Place { line: resource.line, column: resource.column }, str::to_owned)
}

/// A body with what names its resource.
fn shown(resource: &PlannedResource, body: Value) -> Value {
    let name = resource.name.rsplit('/').next().unwrap_or_default();
    let mut shown = json!({
        "apiVersion": resource.api_version,
        "id": resource.id,
        "type": resource.resource_type,
        "name": name,
    });
    if let (Value::Object(shown), Value::Object(body)) = (&mut shown, body) {
        shown.extend(body);
    }
    shown
}
