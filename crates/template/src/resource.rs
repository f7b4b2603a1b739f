//! From the section `resources` to single resources: children get their parents' type and name, copies their turns.

use std::sync::Arc;

use serde_json::Value;

use crate::copy;
use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Turn};
use crate::limits::RESOURCES;
use crate::nested::check_name;
use crate::node::{Data, Member, Node};
use crate::resource_id::{build, group};

/// The type of a deployment in a deployment.
pub(crate) const DEPLOYMENTS: &str = "Microsoft.Resources/deployments";

/// Members that are the template's own, and no part of a body.
const OWN: [&str; 8] = ["type", "name", "apiVersion", "dependsOn", "condition", "copy", "scope", "existing"];
/// What is told to people, and is nothing to anybody else.
const TOLD: [&str; 2] = ["comments", "metadata"];

/// A resource as it is written, its children taken out.
#[derive(Debug)]
pub(crate) struct Source {
    /// The members that are the template's own: few, whatever the body holds.
    pub(crate) own: Node,
    /// The others.
    pub(crate) body: Node,
}

/// A resource as the template defines it.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) source: Arc<Source>,
    symbol: Option<String>,
    children: Vec<Definition>,
}

/// One resource of the plan to be, or one turn of its copy.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) source: Arc<Source>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) id: String,
    pub(crate) resource_type: String,
    pub(crate) name: String,
    pub(crate) api_version: String,
    pub(crate) location: Option<String>,
    /// Symbolic names and the name of its copy.
    pub(crate) symbols: Vec<String>,
    pub(crate) symbolic_name: Option<String>,
    /// Whether it is deployed: its condition holds, and it isn't one that exists already.
    pub(crate) deployed: bool,
    /// Whether it exists already, and is only there to be named.
    pub(crate) existing: bool,
    /// The batch of a serial copy: the name of the copy's definition, the batch.
    pub(crate) batch: Option<usize>,
    /// Which definition it comes from.
    pub(crate) definition: usize,
}

/// Takes the resources out of a template.
pub(crate) fn definitions(template: &mut Node) -> Result<Vec<Definition>, TemplateError> {
    match template.take("resources") {
        Some(section) => section_definitions(section),
        None => Ok(Vec::new()),
    }
}

fn section_definitions(section: Node) -> Result<Vec<Definition>, TemplateError> {
    match section.data {
        Data::Array(elements) => elements.into_iter().map(|node| definition(node, None)).collect(),
        Data::Object(members) => {
            members.into_iter().map(|member| definition(member.value, Some(member.name))).collect()
        }
        Data::Null => Ok(Vec::new()),
        Data::Bool(_) | Data::Number(_) | Data::Text(_) => {
            Err(TemplateError::invalid("'resources' is neither an array nor an object.", Some(section.place)))
        }
    }
}

fn definition(mut node: Node, symbol: Option<String>) -> Result<Definition, TemplateError> {
    if !node.is_object() {
        return Err(TemplateError::invalid("A resource is not an object.", Some(node.place)));
    }
    let children = node.take("resources").map_or(Ok(Vec::new()), section_definitions)?;
    let mut own = Vec::new();
    if let Data::Object(members) = &mut node.data {
        members.retain(|member| !TOLD.iter().any(|told| told.eq_ignore_ascii_case(&member.name)));
        let is_own = |member: &mut Member| OWN.iter().any(|own| own.eq_ignore_ascii_case(&member.name));
        own.extend(members.extract_if(.., is_own));
    }
    let own = Node { place: node.place, data: Data::Object(own) };
    Ok(Definition { source: Arc::new(Source { own, body: node }), symbol, children })
}

/// All definitions, parents before their children.
pub(crate) fn each<'d>(definitions: &'d [Definition], visit: &mut impl FnMut(&'d Definition)) {
    for definition in definitions {
        visit(definition);
        each(&definition.children, visit);
    }
}

/// Evaluates types, names, conditions and copies.
pub(crate) fn expand(definitions: &[Definition], evaluator: &Evaluator<'_>) -> Result<Expanded, TemplateError> {
    let mut expanded = Expanded::default();
    for definition in definitions {
        expanded.definition(definition, None, evaluator)?;
    }
    Ok(expanded)
}

/// What the resources of a template become.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) instances: Vec<Instance>,
    /// The names of copies, those without a turn too.
    pub(crate) copies: Vec<String>,
    definitions: usize,
}

impl Expanded {
    fn definition(
        &mut self,
        definition: &Definition,
        parent: Option<(&str, &str)>,
        evaluator: &Evaluator<'_>,
    ) -> Result<(), TemplateError> {
        self.definitions += 1;
        let number = self.definitions;
        let node = &definition.source.own;
        let wrap = |fault: Fault| refused(node, fault);
        let Some(copy) = node.given("copy") else {
            return self.instance(definition, parent, evaluator, number, None);
        };
        let part = |name: &str| {
            let what = || Fault::invalid(format!("The copy has no '{name}'.")).at(copy.place);
            copy.given(name).ok_or_else(what).map_err(wrap)
        };
        let name = evaluator.node(part("name")?).map_err(wrap)?;
        let name = name.as_str().ok_or_else(|| wrap(Fault::invalid("The name of the copy is not a string.")))?;
        let count = copy::count(evaluator, part("count")?).map_err(wrap)?;
        let batch = batch_size(copy, evaluator).map_err(wrap)?;
        self.copies.push(name.to_owned());
        self.copies.extend(definition.symbol.clone());
        let name: Arc<str> = name.into();
        for index in 0..count {
            let turn = Turn { name: Arc::clone(&name), of_property: false, index };
            let copied = Copied { name: &name, index, batch: batch.map(|size| index / size) };
            self.instance(definition, parent, &evaluator.with_turn(turn), number, Some(&copied))?;
        }
        Ok(())
    }

    fn instance(
        &mut self,
        definition: &Definition,
        parent: Option<(&str, &str)>,
        evaluator: &Evaluator<'_>,
        number: usize,
        copied: Option<&Copied<'_>>,
    ) -> Result<(), TemplateError> {
        let node = &definition.source.own;
        if self.instances.len() >= RESOURCES {
            let what = format!(
                "The number of template resources limit exceeded. Limit: '{RESOURCES}' and actual: more, copies counted."
            );
            return Err(TemplateError::invalid(what, Some(node.place)));
        }
        let wrap = |fault: Fault| refused(node, fault);
        let existing = node.get("existing").is_some_and(|node| node.to_value() == Value::Bool(true));
        let (own_type, own_name) = (required(node, "type", evaluator)?, required(node, "name", evaluator)?);
        let (resource_type, name) = match parent {
            // A child may also give its whole type, and then gives its whole name.
            Some((parent_type, parent_name)) if !is_whole(&own_type) => {
                (format!("{parent_type}/{own_type}"), format!("{parent_name}/{own_name}"))
            }
            Some(_) | None => (own_type, own_name),
        };
        if resource_type.eq_ignore_ascii_case(DEPLOYMENTS) {
            check_name(&name)
                .map_err(|fault| wrap(fault.at(node.get("name").map_or(node.place, |name| name.place))))?;
        }
        let scope = scope(&definition.source, &resource_type, evaluator).map_err(wrap)?;
        let id = build(&scope, &resource_type, &name).ok_or_else(|| segments(node, &resource_type, &name))?;
        let condition =
            node.given("condition").map_or(Ok(true), |condition| truth(condition, evaluator)).map_err(wrap)?;
        let location = optional(&definition.source.body, "location", evaluator).map_err(wrap)?;
        let api_version = required(node, "apiVersion", evaluator)?;
        self.instances.push(Instance {
            source: Arc::clone(&definition.source),
            turns: evaluator.turns.clone(),
            id,
            resource_type: resource_type.clone(),
            name: name.clone(),
            api_version,
            location,
            symbolic_name: definition.symbol.clone(),
            symbols: symbols(definition.symbol.as_deref(), copied),
            deployed: condition && !existing,
            existing: condition && existing,
            batch: copied.and_then(|copied| copied.batch),
            definition: number,
        });
        for child in &definition.children {
            self.definition(child, Some((&resource_type, &name)), evaluator)?;
        }
        Ok(())
    }
}

/// A turn of a copy of resources.
struct Copied<'c> {
    name: &'c str,
    index: usize,
    /// Its batch, when the copy is serial.
    batch: Option<usize>,
}

/// What a resource is called beside its id: its symbolic name, also with its turn, and the name of its copy.
fn symbols(symbol: Option<&str>, copied: Option<&Copied<'_>>) -> Vec<String> {
    let turn = symbol.zip(copied).map(|(symbol, copied)| format!("{symbol}[{}]", copied.index));
    let copy =
        copied.map(|copied| copied.name).filter(|name| !symbol.is_some_and(|own| own.eq_ignore_ascii_case(name)));
    [symbol.map(str::to_owned), turn, copy.map(str::to_owned)].into_iter().flatten().collect()
}

/// `ns.x/y`, and not the `y` of a child.
fn is_whole(resource_type: &str) -> bool {
    resource_type.split_once('/').is_some_and(|(namespace, _)| namespace.contains('.'))
}

/// What an id begins with: the group, the group of a nested deployment, or what an extension resource extends.
fn scope(source: &Source, resource_type: &str, evaluator: &Evaluator<'_>) -> Result<String, Fault> {
    let context = &evaluator.scope.context;
    let own = context.group_id();
    if let Some(scope) = optional(&source.own, "scope", evaluator)? {
        let scope = scope.trim_end_matches('/');
        if scope.is_empty() || scope.starts_with('/') {
            return Ok(scope.to_owned());
        }
        let (kind, names) = split_scope(scope).unwrap_or((scope, ""));
        let built = build(&own, kind, names);
        return built.ok_or_else(|| Fault::invalid(format!("The scope '{scope}' is not a resource's.")));
    }
    if !resource_type.eq_ignore_ascii_case(DEPLOYMENTS) {
        return Ok(own);
    }
    let subscription = optional(&source.body, "subscriptionId", evaluator)?;
    let name = optional(&source.body, "resourceGroup", evaluator)?;
    Ok(group(
        subscription.as_deref().unwrap_or(&context.subscription.subscription_id),
        name.as_deref().unwrap_or(&context.resource_group.name),
    ))
}

/// `ns/a/b/x/y` into type and names: half of what follows the namespace each.
fn split_scope(scope: &str) -> Option<(&str, &str)> {
    let segments = scope.split('/').count();
    let kind = segments.checked_sub(1)?.checked_div(2)?;
    let (at, _) = scope.match_indices('/').nth(kind)?;
    Some((scope.get(..at)?, scope.get(at + 1..)?))
}

fn batch_size(copy: &Node, evaluator: &Evaluator<'_>) -> Result<Option<usize>, Fault> {
    let serial = optional(copy, "mode", evaluator)?.unwrap_or_else(|| "parallel".to_owned());
    match serial.to_ascii_lowercase().as_str() {
        "parallel" => return Ok(None),
        "serial" => {}
        _ => return Err(Fault::invalid("The mode of the copy is neither 'Parallel' nor 'Serial'.").at(copy.place)),
    }
    let Some(node) = copy.given("batchSize") else { return Ok(Some(1)) };
    let size = evaluator.node(node)?.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    size.map(Some).ok_or_else(|| Fault::invalid("The batch size is not a positive integer.").at(node.place))
}

fn truth(node: &Node, evaluator: &Evaluator<'_>) -> Result<bool, Fault> {
    let value = evaluator.node(node)?;
    value.as_bool().ok_or_else(|| Fault::invalid("The condition is not a boolean.").at(node.place))
}

fn optional(node: &Node, name: &str, evaluator: &Evaluator<'_>) -> Result<Option<String>, Fault> {
    let Some(member) = node.given(name) else { return Ok(None) };
    match evaluator.node(member)? {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Fault::invalid(format!("The member '{name}' is not a string.")).at(member.place))
        }
    }
}

fn required(node: &Node, name: &str, evaluator: &Evaluator<'_>) -> Result<String, TemplateError> {
    let value = optional(node, name, evaluator).map_err(|fault| refused(node, fault))?;
    value.ok_or_else(|| {
        let Place { line, column } = node.place;
        let what = format!("Required property '{name}' not found in JSON. Line {line}, position {column}.");
        TemplateError::content(what, Some(node.place))
    })
}

/// The sentence about a resource of the template.
pub(crate) fn refused(node: &Node, fault: Fault) -> TemplateError {
    let name = node.get("name").and_then(Node::text).unwrap_or_default();
    let Place { line, column } = node.place;
    fault.into_error(node.place, |why| {
        format!("The template resource '{name}' at line '{line}' and column '{column}' is not valid: {why}")
    })
}

fn segments(node: &Node, resource_type: &str, name: &str) -> TemplateError {
    let Place { line, column } = node.place;
    let what = format!(
        "The template resource '{name}' for type '{resource_type}' at line '{line}' and column '{column}' has incorrect \
         segment lengths. A nested resource type must have identical number of segments as its resource name. A root \
         resource type must have segment length one greater than its resource name. Please see \
         https://aka.ms/arm-syntax-resources for usage details."
    );
    TemplateError::invalid(what, Some(node.place))
}
