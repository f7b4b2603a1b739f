//! From a request to resources in an order.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::check::check;
use crate::context::Context;
use crate::dependency::{self, Circle, Edges};
use crate::error::{Fault, TemplateError};
use crate::evaluate::{Evaluator, Scope, Values};
use crate::hash::template_hash;
use crate::known::{Known, Names};
use crate::limits::NESTED_DEPLOYMENTS;
use crate::nested::Apart;
use crate::output::Outputs;
use crate::planned::PlannedResource;
use crate::request::{DeploymentRequest, Mode};
use crate::resource::{self, Expanded, Instance, refused};
use crate::runtime::Runtime;
use crate::secret::Secrets;
use crate::session::Session;
use crate::user_function::UserFunctions;
use crate::{parameter, variable};

/// What a deployment does, in which order.
#[derive(Debug)]
pub struct Plan {
    /// The mode of the deployment.
    pub mode: Mode,
    /// What is deployed; each stands after everything that it depends on, else in the order of the template.
    pub resources: Vec<PlannedResource>,
    /// What `properties.parameters` of the deployment shows: `{name: {type, value}}`, of secure ones the type alone.
    pub parameters: Value,
    /// `properties.templateHash`.
    pub template_hash: String,
    outputs: Outputs,
    scope: Arc<Scope>,
}

/// What a deployment in the deployment costs beside what is in it, in steps.
const NESTED_DEPLOYMENT: usize = 1_000;

/// Plans a deployment to a resource group, without the state of any resource. Everything that can be checked without it
/// is checked, also in what is evaluated later; so this is `validate` as well.
///
/// # Errors
/// `InvalidTemplate` in Azure's words where they are known; `InvalidRequestContent` when a resource lacks a member that
/// each must have. A message shows the value of a parameter only where the template uses it as a name.
pub fn plan(request: &DeploymentRequest, context: &Context) -> Result<Plan, TemplateError> {
    plan_within(request, context, &Session::default(), 0)
}

impl Plan {
    /// What `properties.outputs` shows, once all resources are deployed: `{name: {type, value}}`, names in camel case.
    ///
    /// # Errors
    /// `DeploymentOutputEvaluationFailed` with the output's name as target.
    pub fn outputs(&self, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        self.outputs.evaluate(&self.scope, runtime)
    }

    /// The values of secure parameters, which nobody is shown.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.scope.secrets
    }
}

fn plan_within(
    request: &DeploymentRequest,
    context: &Context,
    session: &Session,
    depth: usize,
) -> Result<Plan, TemplateError> {
    if depth > NESTED_DEPLOYMENTS {
        let what = format!("Deployments are nested deeper than {NESTED_DEPLOYMENTS}.");
        return Err(TemplateError::invalid(what, Some(request.template.place)));
    }
    let planned = plan_alone(request, context, session)?;
    for resource in &planned.resources {
        if let Some((request, context)) = resource.nested_while_planning(session)? {
            charge_nested(&request, session)?;
            plan_within(&request, &context, session, depth + 1)?;
        }
    }
    Ok(planned)
}

/// Plans a deployment in a deployment, without those that are in it: whoever compares walks through them.
pub(crate) fn plan_nested(
    request: &DeploymentRequest,
    context: &Context,
    session: &Session,
) -> Result<Plan, TemplateError> {
    charge_nested(request, session)?;
    plan_alone(request, context, session)
}

fn charge_nested(request: &DeploymentRequest, session: &Session) -> Result<(), TemplateError> {
    session.steps(NESTED_DEPLOYMENT).map_err(|fault| fault.into_error(request.template.place, str::to_owned))
}

fn plan_alone(request: &DeploymentRequest, context: &Context, session: &Session) -> Result<Plan, TemplateError> {
    let source = request.template.to_value();
    let template_hash = template_hash(&source);
    let mut scope = Scope {
        context: context.clone(),
        mode: request.mode,
        template: source,
        parameters: Values::default(),
        secrets: Secrets::default(),
        variables: Values::default(),
        functions: UserFunctions::of(&request.template)?,
        known: Known::default(),
    };
    UserFunctions::check(&scope, session)?;
    let mut template = request.template.clone();
    let parameters = parameter::evaluate(&template, &request.parameters, &mut scope, session)?;
    variable::evaluate(&template, &mut scope, session)?;
    let outputs = template.take("outputs");
    let definitions = resource::definitions(&mut template)?;
    check_all(&definitions, &scope, session)?;
    let expanded = resource::expand(&definitions, &Evaluator::planning(&scope, session))?;
    scope.known = known(&expanded)?;
    let (edges, deferred) = edges(&expanded.instances, &scope, session)?;
    let outputs = Outputs::plan(outputs, template.take("definitions"), &scope, session)?;
    let scope = Arc::new(scope);
    let resources = in_order(expanded.instances, &edges, &deferred, &scope)?;
    Ok(Plan { mode: request.mode, resources, parameters, template_hash, outputs, scope })
}

fn check_all(definitions: &[resource::Definition], scope: &Scope, session: &Session) -> Result<(), TemplateError> {
    let mut sources = Vec::new();
    resource::each(definitions, &mut |definition| sources.push(&*definition.source));
    sources.into_iter().try_for_each(|source| {
        let apart = Apart::of(source, session).map_err(|fault| refused(&source.own, fault))?;
        check(&source.own, &apart, scope, session)?;
        check(&source.body, &apart, scope, session)
    })
}

fn known(expanded: &Expanded) -> Result<Known, TemplateError> {
    let mut known = Known::default();
    for copy in &expanded.copies {
        known.define(copy);
    }
    for instance in &expanded.instances {
        let fresh = known.add(&Names {
            id: &instance.id,
            resource_type: &instance.resource_type,
            name: &instance.name,
            api_version: &instance.api_version,
            symbols: &instance.symbols,
            deployed: instance.deployed,
        });
        if !fresh && instance.deployed && deployed_before(expanded, instance) {
            let (line, column) = (instance.source.own.place.line, instance.source.own.place.column);
            let what = format!(
                "The resource '{}' at line '{line}' and column '{column}' is defined multiple times in a template. Please \
                 see https://aka.ms/arm-syntax-resources for usage details.",
                instance.id
            );
            return Err(TemplateError::invalid(what, Some(instance.source.own.place)));
        }
    }
    Ok(known)
}

fn deployed_before(expanded: &Expanded, instance: &Instance) -> bool {
    let same = expanded.instances.iter().filter(|other| other.id.eq_ignore_ascii_case(&instance.id));
    same.filter(|other| other.deployed).count() > 1
}

/// What each resource depends on, and which bodies wait for the state of resources.
fn edges(instances: &[Instance], scope: &Scope, session: &Session) -> Result<(Edges, BTreeSet<usize>), TemplateError> {
    let (mut edges, mut deferred) = (Edges::new(), BTreeSet::new());
    for (at, instance) in instances.iter().enumerate() {
        let evaluator = Evaluator { turns: instance.turns.clone(), ..Evaluator::planning(scope, session) };
        let mut before = BTreeSet::new();
        if instance.deployed || instance.existing {
            before = dependency::explicit(instance, &scope.known, &evaluator)?;
        }
        if !instance.deployed {
            edges.push(before);
            continue;
        }
        session.take_references();
        match crate::planned::body(instance, &evaluator) {
            Ok(_) => {}
            Err(Fault::NeedsRuntime) => {
                deferred.insert(at);
            }
            Err(fault @ (Fault::Invalid(..) | Fault::Missing(_) | Fault::Pending(_))) => {
                return Err(refused(&instance.source.own, fault));
            }
        }
        before.extend(session.take_references().iter().filter_map(|id| scope.known.by_id(id)));
        edges.push(before);
    }
    let place = |fault: Fault| fault.into_error(crate::error::Place::default(), str::to_owned);
    dependency::batches(instances, &mut edges, session).map_err(place)?;
    Ok((dependency::among_deployed(instances, &edges, session).map_err(place)?, deferred))
}

fn in_order(
    instances: Vec<Instance>,
    edges: &Edges,
    deferred: &BTreeSet<usize>,
    scope: &Arc<Scope>,
) -> Result<Vec<PlannedResource>, TemplateError> {
    let order = dependency::order(edges).map_err(|circle| circular(&instances, &circle))?;
    let mut instances: Vec<Option<Instance>> = instances.into_iter().map(Some).collect();
    let mut positions = vec![0; instances.len()];
    let mut resources: Vec<PlannedResource> = Vec::with_capacity(order.len());
    for at in order {
        let Some(instance) = instances.get_mut(at).and_then(Option::take) else { continue };
        if !instance.deployed {
            continue;
        }
        if let Some(position) = positions.get_mut(at) {
            *position = resources.len();
        }
        let before = edges.get(at).into_iter().flatten();
        let mut depends_on: Vec<usize> = before.filter_map(|before| positions.get(*before).copied()).collect();
        depends_on.sort_unstable();
        resources.push(PlannedResource::new(instance, depends_on, deferred.contains(&at), Arc::clone(scope)));
    }
    Ok(resources)
}

fn circular(instances: &[Instance], circle: &Circle) -> TemplateError {
    let members = circle.0.iter().filter_map(|at| instances.get(*at));
    let mut ids: Vec<&str> = members.map(|instance| instance.id.as_str()).collect();
    let first = circle.0.first().and_then(|at| instances.get(*at));
    ids.extend(first.map(|instance| instance.id.as_str()));
    let path = ids.join("' -> '");
    let what = format!(
        "Circular dependency detected on resource: '{path}'. Please see https://aka.ms/arm-syntax-resources for usage \
         details."
    );
    TemplateError::invalid(what, first.map(|instance| instance.source.own.place))
}
