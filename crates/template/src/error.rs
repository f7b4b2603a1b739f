//! What can be wrong with a template, in the words of Azure Resource Manager where they are known.

use std::fmt;

use crate::node::Node;

/// Where something stands: line and column, both counted from 1, columns in characters.
///
/// Lines are counted from the start of the value of the body's `template`, so that they are those of the author's own
/// file when a client splices the file into the request as it is. What stands before it, or in a body without a
/// template, is counted from the start of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1; 0 when the value was not read from a text.
    pub line: u32,
    /// The column, from 1; 0 when the value was not read from a text.
    pub column: u32,
}

/// The `code` of an error body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The template is wrong.
    InvalidTemplate,
    /// The request around the template is wrong.
    InvalidRequestContent,
    /// A `reference` to a resource that is not there.
    ResourceNotFound,
    /// An output could not be evaluated after the deployment.
    DeploymentOutputEvaluationFailed,
}

impl Code {
    /// The code as it stands in an error body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidTemplate => "InvalidTemplate",
            Self::InvalidRequestContent => "InvalidRequestContent",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::DeploymentOutputEvaluationFailed => "DeploymentOutputEvaluationFailed",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a template or its request is refused. `message` is for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct TemplateError {
    /// The code of the error body.
    pub code: Code,
    /// The text of the error body.
    pub message: String,
    /// The line of the cause, see [`Place`].
    pub line: Option<u32>,
    /// The column of the cause, see [`Place`].
    pub column: Option<u32>,
    /// What it is about: a resource id, or the name of an output.
    pub target: Option<String>,
}

impl TemplateError {
    /// `Deployment template validation failed: '…'`.
    pub(crate) fn invalid(what: impl fmt::Display, place: Option<Place>) -> Self {
        Self::new(Code::InvalidTemplate, format!("Deployment template validation failed: '{what}'"), place)
    }

    /// A request whose form is wrong.
    pub(crate) fn content(what: impl fmt::Display, place: Option<Place>) -> Self {
        Self::new(
            Code::InvalidRequestContent,
            format!("The request content was invalid and could not be deserialized: '{what}'"),
            place,
        )
    }

    /// A section with more members than it may have.
    pub(crate) fn too_many(what: &str, limit: usize, section: &Node) -> Self {
        let actual = section.members().len();
        let text = format!(
            "The number of template {what} limit exceeded. Limit: '{limit}' and actual: '{actual}'. Please see \
             https://aka.ms/arm-syntax-{what} for usage details."
        );
        Self::invalid(text, Some(section.place))
    }

    pub(crate) fn new(code: Code, message: String, place: Option<Place>) -> Self {
        let place = place.filter(|place| place.line > 0);
        let (line, column) = (place.map(|place| place.line), place.map(|place| place.column));
        Self { code, message, line, column, target: None }
    }

    pub(crate) fn with_target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }
}

/// Why an evaluation stopped, before it is known what was being evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The template is wrong; a text without a full sentence's context.
    Invalid(String, Option<Place>),
    /// A referenced resource, by id, is not there.
    Missing(String),
    /// A parameter or variable that is defined and not evaluated yet.
    Pending(String),
    /// The state of resources is needed, and planning has none.
    NeedsRuntime,
}

impl Fault {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(what.into(), None)
    }

    /// Says where it happened, unless a more exact place is known.
    pub(crate) fn at(self, place: Place) -> Self {
        match self {
            Self::Invalid(what, None) => Self::Invalid(what, Some(place)),
            Self::Invalid(_, Some(_)) | Self::Missing(_) | Self::Pending(_) | Self::NeedsRuntime => self,
        }
    }

    /// Turns a fault into an error of planning; `wrap` puts the cause into its sentence.
    pub(crate) fn into_error(self, place: Place, wrap: impl FnOnce(&str) -> String) -> TemplateError {
        match self {
            Self::Invalid(what, at) => TemplateError::invalid(wrap(&what), Some(at.unwrap_or(place))),
            Self::Missing(id) => not_found(&id),
            Self::Pending(name) => {
                TemplateError::invalid(wrap(&format!("'{name}' is not evaluated yet.")), Some(place))
            }
            Self::NeedsRuntime => TemplateError::invalid(
                wrap(
                    "The template function 'reference' is not expected at this location. \
                     Please see https://aka.ms/arm-functions for usage details.",
                ),
                Some(place),
            ),
        }
    }
}

/// The sentence of a resource that a `reference` names and that is not there.
pub(crate) fn not_found(id: &str) -> TemplateError {
    let (group, rest) = crate::resource_id::describe(id);
    let message = format!(
        "The Resource '{rest}' under resource group '{group}' was not found. \
         For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    TemplateError::new(Code::ResourceNotFound, message, None).with_target(id)
}
