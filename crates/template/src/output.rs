//! The outputs of a template.

use serde_json::{Map, Value, json};

use crate::check::check;
use crate::copy;
use crate::definition::{Definition, Definitions};
use crate::error::{Code, Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Scope};
use crate::limits::OUTPUTS;
use crate::nested::Apart;
use crate::node::Node;
use crate::runtime::Runtime;
use crate::secret::Secrets;
use crate::session::Session;

/// The section `outputs`, checked.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    section: Option<Node>,
    /// The section `definitions`, which their types may refer to.
    definitions: Option<Node>,
}

/// What is evaluated of an output.
const EVALUATED: [&str; 3] = ["condition", "value", "copy"];

impl Outputs {
    /// Checks what can be checked without the state of resources.
    pub(crate) fn plan(
        section: Option<Node>,
        definitions: Option<Node>,
        scope: &Scope,
        session: &Session,
    ) -> Result<Self, TemplateError> {
        let Some(section) = section else { return Ok(Self::default()) };
        if section.members().len() > OUTPUTS {
            return Err(TemplateError::too_many("outputs", OUTPUTS, &section));
        }
        let outputs = section.members().iter().map(|member| &member.value);
        for evaluated in outputs.flat_map(|output| EVALUATED.into_iter().filter_map(|name| output.get(name))) {
            check(evaluated, &Apart::default(), scope, session)?;
        }
        let evaluator = Evaluator::planning(scope, session);
        for member in section.members() {
            let Place { line, column } = member.value.place;
            let wrap = |why: &str| {
                format!(
                    "The template output '{}' at line '{line}' and column '{column}' is not valid: {why}",
                    member.name
                )
            };
            match output(&evaluator, &member.value, definitions.as_ref()) {
                Ok(_) | Err(Fault::NeedsRuntime) => {}
                Err(fault @ (Fault::Invalid(..) | Fault::Missing(_) | Fault::Pending(_))) => {
                    return Err(fault.into_error(member.value.place, wrap));
                }
            }
        }
        Ok(Self { section: Some(section), definitions })
    }

    /// `{name: {type, value}}`.
    pub(crate) fn evaluate(&self, scope: &Scope, runtime: &dyn Runtime) -> Result<Value, TemplateError> {
        let session = Session::default();
        let evaluator = Evaluator { runtime: Some(runtime), ..Evaluator::planning(scope, &session) };
        let mut outputs = Map::new();
        for member in self.section.iter().flat_map(Node::members) {
            let name = &member.name;
            match output(&evaluator, &member.value, self.definitions.as_ref()) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    outputs.insert(camel_case(name), value);
                }
                Err(fault) => {
                    let cause = fault.into_error(member.value.place, str::to_owned);
                    let why = cause.message.strip_prefix("Deployment template validation failed: '");
                    let why = why.and_then(|why| why.strip_suffix('\'')).unwrap_or(&cause.message);
                    let message = format!("The template output '{name}' is not valid: {why}");
                    let code = Code::DeploymentOutputEvaluationFailed;
                    return Err(TemplateError { code, message, target: Some(name.clone()), ..cause });
                }
            }
        }
        Ok(Value::Object(outputs))
    }
}

/// `{type, value}`; nothing when its condition doesn't hold. The value of a secure one isn't shown.
fn output(evaluator: &Evaluator<'_>, node: &Node, definitions: Option<&Node>) -> Result<Option<Value>, Fault> {
    let definition = Definition::of(node, Definitions { all: definitions, of: "output" });
    let definition = definition.ok_or_else(|| Fault::invalid("it has no type, or one that is not valid."))?;
    if let Some(condition) = node.given("condition") {
        match evaluator.node(condition)? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(None),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Fault::invalid("its condition is not a boolean.").at(condition.place));
            }
        }
    }
    let value = match (node.given("copy"), node.get("value")) {
        (Some(copy), _) => {
            let (Some(count), Some(input)) = (copy.get("count"), copy.get("input")) else {
                return Err(Fault::invalid("its copy has no 'count' or no 'input'.").at(copy.place));
            };
            copy::elements(evaluator, "", false, count, input)?
        }
        (None, Some(value)) => evaluator.node(value)?,
        (None, None) => return Err(Fault::invalid("it has no value.")),
    };
    if let Some(why) = definition.mismatch(&value, evaluator.session)? {
        return Err(Fault::invalid(why));
    }
    let kind = definition.kind.as_str();
    if definition.secrets(&value, &mut Secrets::default()) {
        return Ok(Some(json!({ "type": kind })));
    }
    Ok(Some(json!({ "type": kind, "value": value })))
}

/// The camel case of .NET: a run of capitals at the start becomes small, but for the last of it when a small letter
/// follows. `az vmss create` reads the output that it declares as `VMSS` under `vmss`.
fn camel_case(name: &str) -> String {
    let mut characters: Vec<char> = name.chars().collect();
    let upper: Vec<bool> = characters.iter().map(|character| character.is_uppercase()).collect();
    for (at, character) in characters.iter_mut().enumerate() {
        let before_small = at > 0 && upper.get(at + 1) == Some(&false);
        if upper.get(at) != Some(&true) || before_small {
            break;
        }
        *character = character.to_lowercase().next().unwrap_or(*character);
    }
    characters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_camel_case_of_dotnet() {
        for (name, camel) in [
            ("VMSS", "vmss"),
            ("VmId", "vmId"),
            ("URLValue", "urlValue"),
            ("a", "a"),
            ("A", "a"),
            ("", ""),
            ("iD", "iD"),
        ] {
            assert_eq!(camel_case(name), camel);
        }
    }
}
