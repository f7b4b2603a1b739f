//! One resource of a plan, and its body.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Code, Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Scope, Turn, all};
use crate::nested::{Apart, deployment_properties, nested_template};
use crate::request::DeploymentRequest;
use crate::resource::{DEPLOYMENTS, Instance, Source};
use crate::resource_id::member;
use crate::runtime::Runtime;
use crate::session::Session;

/// A resource that a deployment puts.
///
/// A deployment in the template is one of them: its [`body`](Self::body) carries its own request, and
/// [`nested`](Self::nested) reads it. Whoever deploys plans it again when its turn has come, since its parameters may
/// wait for the state of resources.
#[derive(Debug)]
pub struct PlannedResource {
    /// The full resource id.
    pub id: String,
    /// `Microsoft.Compute/virtualMachines/extensions`, as the template spells it.
    pub resource_type: String,
    /// `vm1/ext1`.
    pub name: String,
    /// The api-version of its PUT.
    pub api_version: String,
    /// Its location, as the template gives it.
    pub location: Option<String>,
    /// Its key in a template whose resources are an object.
    pub symbolic_name: Option<String>,
    /// What must be deployed before it: positions in [`Plan::resources`](crate::Plan::resources), all before its own.
    pub depends_on: Vec<usize>,
    /// Whether its body waits for the state of other resources.
    pub needs_runtime: bool,
    /// Where it stands in the template; 0 when that wasn't read from a text.
    pub line: u32,
    /// Where it stands in the template; 0 when that wasn't read from a text.
    pub column: u32,
    instance: Instance,
    scope: Arc<Scope>,
}

impl PlannedResource {
    pub(crate) fn new(mut instance: Instance, depends_on: Vec<usize>, needs_runtime: bool, scope: Arc<Scope>) -> Self {
        let Place { line, column } = instance.source.own.place;
        Self {
            id: std::mem::take(&mut instance.id),
            resource_type: std::mem::take(&mut instance.resource_type),
            name: std::mem::take(&mut instance.name),
            api_version: std::mem::take(&mut instance.api_version),
            location: instance.location.take(),
            symbolic_name: instance.symbolic_name.take(),
            depends_on,
            needs_runtime,
            line,
            column,
            instance,
            scope,
        }
    }

    /// The body of its PUT: all members but `type`, `name`, `apiVersion` and those that are the template's own.
    ///
    /// # Errors
    /// `ResourceNotFound` when a `reference` is to a resource that isn't there; `InvalidTemplate` when an expression
    /// fails on what the resources hold.
    pub fn body(&self, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        self.body_within(runtime, &Session::default())
    }

    /// The same on the account of something larger.
    pub(crate) fn body_within(&self, runtime: &dyn Runtime, session: &Session) -> Result<Value, TemplateError> {
        body_of(&self.instance.source, &self.resource_type, &self.evaluator(Some(runtime), session))
            .map_err(|fault| self.fail(fault))
    }

    /// The request of a nested deployment; nothing for any other resource. It may hold values of secure parameters, also
    /// as parameters that aren't secure and, with the scope `outer`, in its template.
    ///
    /// # Errors
    /// As [`body`](Self::body), and as [`DeploymentRequest::parse`].
    pub fn nested(&self, runtime: &dyn Runtime) -> Result<Option<DeploymentRequest>, TemplateError> {
        self.nested_within(runtime, &Session::default())
    }

    /// The same on the account of something larger.
    pub(crate) fn nested_within(
        &self,
        runtime: &dyn Runtime,
        session: &Session,
    ) -> Result<Option<DeploymentRequest>, TemplateError> {
        if !self.is_deployment() {
            return Ok(None);
        }
        self.request(&self.body_within(runtime, session)?).map(Some)
    }

    /// The context of a nested deployment: this one's, with its own name and group. The location and the tags of
    /// another group are not known here and are left empty.
    pub fn nested_context(&self) -> Context {
        let mut context = self.scope.context.clone();
        context.deployment_name.clone_from(&self.name);
        context.seed = Uuid::new_v5(&context.seed, self.id.to_ascii_lowercase().as_bytes());
        let subscription = member(&self.id, "subscriptions").unwrap_or_default();
        let group = member(&self.id, "resourceGroups").unwrap_or_default();
        let same = subscription.eq_ignore_ascii_case(&context.subscription.subscription_id)
            && group.eq_ignore_ascii_case(&context.resource_group.name);
        if !same {
            subscription.clone_into(&mut context.subscription.subscription_id);
            context.resource_group = crate::context::ResourceGroup { name: group.to_owned(), ..Default::default() };
        }
        context
    }

    /// The request of a nested deployment, when it doesn't wait for the state of resources.
    pub(crate) fn nested_while_planning(
        &self,
        session: &Session,
    ) -> Result<Option<(DeploymentRequest, Context)>, TemplateError> {
        if !self.is_deployment() || self.needs_runtime {
            return Ok(None);
        }
        let body = body_of(&self.instance.source, &self.resource_type, &self.evaluator(None, session));
        let request = self.request(&body.map_err(|fault| self.fail(fault))?)?;
        Ok(Some((request, self.nested_context())))
    }

    /// Whether it is a deployment in the deployment.
    pub fn is_deployment(&self) -> bool {
        self.resource_type.eq_ignore_ascii_case(DEPLOYMENTS)
    }

    fn request(&self, body: &Value) -> Result<DeploymentRequest, TemplateError> {
        let mut request = DeploymentRequest::from_value(body)?;
        // A template that is evaluated on its own keeps its places.
        if let Some(template) = nested_template(&self.instance.source) {
            request.template = template.clone();
        }
        Ok(request)
    }

    fn evaluator<'s>(&'s self, runtime: Option<&'s dyn Runtime>, session: &'s Session) -> Evaluator<'s> {
        Evaluator { runtime, turns: self.turns().to_vec(), ..Evaluator::planning(&self.scope, session) }
    }

    fn turns(&self) -> &[Turn] {
        &self.instance.turns
    }

    fn fail(&self, fault: Fault) -> TemplateError {
        let (id, Place { line, column }) = (&self.id, self.instance.source.own.place);
        match fault {
            Fault::Missing(id) => crate::error::not_found(&id),
            Fault::Invalid(..) | Fault::Pending(_) | Fault::NeedsRuntime => {
                let cause = fault.into_error(self.instance.source.own.place, str::to_owned);
                let why = cause.message.strip_prefix("Deployment template validation failed: ");
                let message = format!(
                    "Unable to process template language expressions for resource '{id}' at line '{line}' and column \
                     '{column}'. {}",
                    why.unwrap_or(&cause.message)
                );
                TemplateError { code: Code::InvalidTemplate, message, target: Some(id.clone()), ..cause }
            }
        }
    }
}

pub(crate) fn body(instance: &Instance, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    body_of(&instance.source, &instance.resource_type, evaluator)
}

/// Members of a deployment in a deployment that are no part of its body.
const OWN_OF_DEPLOYMENTS: [&str; 2] = ["subscriptionId", "resourceGroup"];

fn body_of(source: &Source, resource_type: &str, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    let deployment = resource_type.eq_ignore_ascii_case(DEPLOYMENTS);
    let own = |name: &str| deployment && OWN_OF_DEPLOYMENTS.iter().any(|own| own.eq_ignore_ascii_case(name));
    let apart = Apart::of(source, evaluator.session)?;
    let members = source.body.members().iter().filter(|member| !own(&member.name));
    let members = members.map(|member| {
        let value = if deployment && member.name.eq_ignore_ascii_case("properties") {
            deployment_properties(&member.value, &apart, evaluator)?
        } else {
            evaluator.node(&member.value)?
        };
        Ok((member.name.clone(), value))
    });
    Ok(Value::Object(all(members)?.into_iter().collect()))
}
