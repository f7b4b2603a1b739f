//! The body of PUT deployment, of `validate` and of `whatIf`.

use std::fmt;

use serde_json::Value;

use crate::error::{Code, Place, TemplateError};
use crate::node::{Data, Node};
use crate::reader;

/// How a deployment treats resources of the group that its template doesn't name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They stay.
    #[default]
    Incremental,
    /// They are deleted.
    Complete,
}

impl Mode {
    /// As Azure spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incremental => "Incremental",
            Self::Complete => "Complete",
        }
    }
}

/// What a what-if answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultFormat {
    /// Resources before and after, and how they differ.
    #[default]
    FullResourcePayloads,
    /// Ids alone.
    ResourceIdOnly,
}

/// A deployment that is asked for. Unknown members of the body are ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct DeploymentRequest {
    /// Its mode; Incremental when the body names none.
    pub mode: Mode,
    /// The parameters that are given, `{name: {value}}` resolved to values.
    pub parameters: Vec<GivenParameter>,
    /// The template, unevaluated.
    pub template: Node,
    /// `whatIfSettings.resultFormat`.
    pub result_format: ResultFormat,
}

/// A parameter of the request.
#[derive(Clone, PartialEq)]
pub struct GivenParameter {
    /// Its name as given.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Its value.
    pub value: Value,
}

impl DeploymentRequest {
    /// Reads a body, strict JSON or the raw form of `az deployment`.
    ///
    /// # Errors
    /// `InvalidRequestContent` when it can't be read, has no template or asks for what isn't served (`templateLink`,
    /// `parametersLink`, a parameter by `reference`); `InvalidTemplate` when the template is not an object.
    pub fn parse(body: &[u8]) -> Result<Self, TemplateError> {
        Self::from_node(&reader::read(body)?)
    }

    /// The same of a value, for example of the body of a nested deployment. Errors then have no place.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_value(body: &Value) -> Result<Self, TemplateError> {
        Self::from_node(&Node::from_value(body))
    }

    /// The same of a body that was [read](reader::read).
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_node(body: &Node) -> Result<Self, TemplateError> {
        let properties = body.given("properties").filter(|node| node.is_object());
        let properties = properties
            .ok_or_else(|| TemplateError::content("The member 'properties' of the request is missing.", None))?;
        for link in ["templateLink", "parametersLink"] {
            if let Some(node) = properties.given(link) {
                let what = format!("'{link}' is not supported here: send the content inline.");
                return Err(TemplateError::content(what, Some(node.place)));
            }
        }
        let template = properties.given("template").ok_or_else(|| {
            TemplateError::content("The request has neither a 'template' nor a 'templateLink'.", Some(properties.place))
        })?;
        if !template.is_object() {
            return Err(TemplateError::invalid("The template is not an object.", Some(template.place)));
        }
        Ok(Self {
            mode: properties.given("mode").map_or(Ok(Mode::default()), mode)?,
            parameters: properties.given("parameters").map_or(Ok(Vec::new()), parameters)?,
            template: template.clone(),
            result_format: result_format(properties)?,
        })
    }
}

impl fmt::Debug for GivenParameter {
    /// Without the value, which may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GivenParameter").field("name", &self.name).finish_non_exhaustive()
    }
}

fn mode(node: &Node) -> Result<Mode, TemplateError> {
    let known = [Mode::Incremental, Mode::Complete];
    let named = node.text().and_then(|text| known.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text)));
    named.ok_or_else(|| {
        TemplateError::content("The deployment mode is not valid: 'Incremental' or 'Complete'.", Some(node.place))
    })
}

fn result_format(properties: &Node) -> Result<ResultFormat, TemplateError> {
    let Some(format) = properties.given("whatIfSettings").and_then(|settings| settings.given("resultFormat")) else {
        return Ok(ResultFormat::default());
    };
    match format.text() {
        Some(text) if text.eq_ignore_ascii_case("FullResourcePayloads") => Ok(ResultFormat::FullResourcePayloads),
        Some(text) if text.eq_ignore_ascii_case("ResourceIdOnly") => Ok(ResultFormat::ResourceIdOnly),
        _ => Err(TemplateError::content(
            "'whatIfSettings.resultFormat' is not valid: 'FullResourcePayloads' or 'ResourceIdOnly'.",
            Some(format.place),
        )),
    }
}

fn parameters(node: &Node) -> Result<Vec<GivenParameter>, TemplateError> {
    let Data::Object(members) = &node.data else {
        return Err(TemplateError::content("'parameters' is not an object.", Some(node.place)));
    };
    let given = members.iter().map(|member| {
        let refuse = |why: &str| {
            let message = format!("The parameter '{}' {why}", member.name);
            Err(TemplateError::new(Code::InvalidRequestContent, message, Some(member.place)))
        };
        if member.value.given("reference").is_some() {
            return refuse("is a reference to a key vault, which is not supported here: send its value.");
        }
        match member.value.get("value") {
            Some(value) => {
                Ok(GivenParameter { name: member.name.clone(), place: member.place, value: value.to_value() })
            }
            None => refuse("has no 'value'."),
        }
    });
    given.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: &str) -> TemplateError {
        DeploymentRequest::parse(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let body = r#"{"location": "x", "properties": {"mode": "incremental", "parameters": {"p": {"value": [1]}},
            "whatIfSettings": {"resultFormat": "resourceIdOnly"}, "debugSetting": {}, template:{"resources": []}}}"#;
        let request = DeploymentRequest::parse(body.as_bytes()).unwrap();
        assert_eq!((request.mode, request.result_format), (Mode::Incremental, ResultFormat::ResourceIdOnly));
        assert_eq!((request.parameters[0].name.as_str(), &request.parameters[0].value), ("p", &json!([1])));
        let complete = r#"{"properties": {"mode": "COMPLETE", "template": {}}}"#;
        assert_eq!(DeploymentRequest::parse(complete.as_bytes()).unwrap().mode, Mode::Complete);
    }

    #[test]
    fn what_is_not_served_is_refused_by_name() {
        for (body, part) in [
            ("[]", "'properties'"),
            (r#"{"properties": {"mode": "Incremental"}}"#, "neither a 'template'"),
            (r#"{"properties": {"templateLink": {"uri": "https://x"}}}"#, "'templateLink' is not supported"),
            (r#"{"properties": {"template": {}, "mode": "Partial"}}"#, "mode is not valid"),
            (r#"{"properties": {"template": {}, "parameters": []}}"#, "'parameters' is not an object"),
            (r#"{"properties": {"template": {}, "parameters": {"p": 1}}}"#, "'p' has no 'value'"),
            (r#"{"properties": {"template": {}, "parameters": {"p": {"reference": {}}}}}"#, "key vault"),
            (r#"{"properties": {"template": {}, "whatIfSettings": {"resultFormat": "x"}}}"#, "resultFormat"),
        ] {
            let error = refused(body);
            assert_eq!(error.code, Code::InvalidRequestContent, "{body}");
            assert!(error.message.contains(part), "{body}: {}", error.message);
        }
        assert_eq!(refused(r#"{"properties": {"template": []}}"#).code, Code::InvalidTemplate);
    }
}
