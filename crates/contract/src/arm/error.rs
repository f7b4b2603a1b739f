//! Errors of the control plane: `{"error":{"code","message","target"?,"details"?}}`.
//!
//! Public sources: Microsoft's "Azure virtual machine error messages", "Common Azure deployment errors" and the
//! answers that others published; where the real words aren't known they are ours.

use serde_json::{Map, Value, json};

/// A code that clients act upon or people look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the wire's own word")]
pub enum Code {
    ArtifactNotFound,
    ArtifactVersionNotFound,
    AuthenticationFailed,
    AuthorizationFailed,
    BadRequest,
    Conflict,
    DeploymentActive,
    DeploymentFailed,
    DeploymentNotFound,
    DeploymentOutputEvaluationFailed,
    DeploymentQuotaExceeded,
    ExpiredAuthenticationToken,
    ExportTemplateProviderError,
    FailedIdentityOperation,
    InternalServerError,
    InvalidAuthenticationToken,
    InvalidAuthenticationTokenTenant,
    InvalidParameter,
    InvalidRequestContent,
    InvalidResourceLocation,
    InvalidResourceName,
    InvalidResourceType,
    InvalidTemplate,
    LinkedAuthorizationFailed,
    LocationNotAvailableForResourceGroup,
    LocationNotAvailableForResourceType,
    LocationRequired,
    MethodNotAllowed,
    MissingApiVersionParameter,
    InvalidApiVersionParameter,
    NotFound,
    OperationNotAllowed,
    ParentResourceNotFound,
    PrincipalNotFound,
    PropertyChangeNotAllowed,
    RequestEntityTooLarge,
    ResourceDeploymentFailure,
    ResourceGroupBeingDeleted,
    ResourceGroupNotFound,
    ResourceNotFound,
    RoleAssignmentExists,
    RoleAssignmentNotFound,
    RoleDefinitionDoesNotExist,
    ServiceUnavailable,
    SubscriptionNotFound,
    TooManyTags,
}

impl Code {
    /// The word itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ArtifactNotFound => "ArtifactNotFound",
            Self::ArtifactVersionNotFound => "ArtifactVersionNotFound",
            Self::AuthenticationFailed => "AuthenticationFailed",
            Self::AuthorizationFailed => "AuthorizationFailed",
            Self::BadRequest => "BadRequest",
            Self::Conflict => "Conflict",
            Self::DeploymentActive => "DeploymentActive",
            Self::DeploymentFailed => "DeploymentFailed",
            Self::DeploymentNotFound => "DeploymentNotFound",
            Self::DeploymentQuotaExceeded => "DeploymentQuotaExceeded",
            Self::DeploymentOutputEvaluationFailed => "DeploymentOutputEvaluationFailed",
            Self::ExpiredAuthenticationToken => "ExpiredAuthenticationToken",
            Self::ExportTemplateProviderError => "ExportTemplateProviderError",
            Self::FailedIdentityOperation => "FailedIdentityOperation",
            Self::InternalServerError => "InternalServerError",
            Self::InvalidAuthenticationToken => "InvalidAuthenticationToken",
            Self::InvalidAuthenticationTokenTenant => "InvalidAuthenticationTokenTenant",
            Self::InvalidParameter => "InvalidParameter",
            Self::InvalidRequestContent => "InvalidRequestContent",
            Self::InvalidResourceLocation => "InvalidResourceLocation",
            Self::InvalidResourceName => "InvalidResourceName",
            Self::InvalidResourceType => "InvalidResourceType",
            Self::InvalidTemplate => "InvalidTemplate",
            Self::LinkedAuthorizationFailed => "LinkedAuthorizationFailed",
            Self::LocationNotAvailableForResourceGroup => "LocationNotAvailableForResourceGroup",
            Self::LocationNotAvailableForResourceType => "LocationNotAvailableForResourceType",
            Self::LocationRequired => "LocationRequired",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::MissingApiVersionParameter => "MissingApiVersionParameter",
            Self::InvalidApiVersionParameter => "InvalidApiVersionParameter",
            Self::NotFound => "NotFound",
            Self::OperationNotAllowed => "OperationNotAllowed",
            Self::ParentResourceNotFound => "ParentResourceNotFound",
            Self::PrincipalNotFound => "PrincipalNotFound",
            Self::PropertyChangeNotAllowed => "PropertyChangeNotAllowed",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::ResourceDeploymentFailure => "ResourceDeploymentFailure",
            Self::ResourceGroupBeingDeleted => "ResourceGroupBeingDeleted",
            Self::ResourceGroupNotFound => "ResourceGroupNotFound",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::RoleAssignmentExists => "RoleAssignmentExists",
            Self::RoleAssignmentNotFound => "RoleAssignmentNotFound",
            Self::RoleDefinitionDoesNotExist => "RoleDefinitionDoesNotExist",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::SubscriptionNotFound => "SubscriptionNotFound",
            Self::TooManyTags => "TooManyTags",
        }
    }

    /// The status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest
            | Self::DeploymentFailed
            | Self::DeploymentOutputEvaluationFailed
            | Self::ExportTemplateProviderError
            | Self::FailedIdentityOperation
            | Self::InvalidParameter
            | Self::InvalidRequestContent
            | Self::InvalidResourceName
            | Self::InvalidTemplate
            | Self::LocationNotAvailableForResourceGroup
            | Self::LocationNotAvailableForResourceType
            | Self::LocationRequired
            | Self::MissingApiVersionParameter
            | Self::InvalidApiVersionParameter
            | Self::PrincipalNotFound
            | Self::ResourceDeploymentFailure
            | Self::RoleDefinitionDoesNotExist
            | Self::TooManyTags => 400,
            Self::AuthenticationFailed
            | Self::ExpiredAuthenticationToken
            | Self::InvalidAuthenticationToken
            | Self::InvalidAuthenticationTokenTenant => 401,
            Self::AuthorizationFailed | Self::LinkedAuthorizationFailed => 403,
            Self::ArtifactNotFound
            | Self::ArtifactVersionNotFound
            | Self::DeploymentNotFound
            | Self::InvalidResourceType
            | Self::NotFound
            | Self::ParentResourceNotFound
            | Self::ResourceGroupNotFound
            | Self::ResourceNotFound
            | Self::RoleAssignmentNotFound
            | Self::SubscriptionNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict
            | Self::DeploymentActive
            | Self::DeploymentQuotaExceeded
            | Self::InvalidResourceLocation
            | Self::OperationNotAllowed
            | Self::PropertyChangeNotAllowed
            | Self::ResourceGroupBeingDeleted
            | Self::RoleAssignmentExists => 409,
            Self::RequestEntityTooLarge => 413,
            Self::InternalServerError => 500,
            Self::ServiceUnavailable => 503,
        }
    }
}

/// An error of the control plane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ArmError {
    /// Which one.
    pub code: Code,
    /// In words.
    pub message: String,
    /// What it is about: a member of the body, a resource id.
    pub target: Option<String>,
    /// What it is made of: code, message, target.
    pub details: Vec<Detail>,
    /// More for programs: the place in a template.
    pub additional_info: Option<Box<Value>>,
}

/// A part of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// A code; also one that isn't among ours.
    pub code: String,
    /// In words.
    pub message: String,
    /// What it is about.
    pub target: Option<String>,
    /// What it is made of in turn.
    pub details: Vec<Detail>,
    /// More for programs: the place in a template.
    pub additional_info: Option<Box<Value>>,
}

impl ArmError {
    /// An error.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: None, details: Vec::new(), additional_info: None }
    }

    /// Says what it is about.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Says where in a template it is, counted from 1.
    #[must_use]
    pub fn place(mut self, line: u32, column: u32) -> Self {
        if line > 0 {
            let info = json!({"lineNumber": line, "linePosition": column, "path": ""});
            self.additional_info = Some(Box::new(json!([{"type": "TemplateViolation", "info": info}])));
        }
        self
    }

    /// Adds a part.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    /// A member of the body that can't be as it is.
    #[must_use]
    pub fn parameter(target: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameter, message).target(target)
    }

    /// A resource that isn't there. `kind` is its type with all names, e.g. `Microsoft.Compute/virtualMachines/vm1`.
    #[must_use]
    pub fn resource_not_found(kind: &str, group: &str) -> Self {
        Self::new(
            Code::ResourceNotFound,
            format!(
                "The Resource '{kind}' under resource group '{group}' was not found. For more details please go to \
                 https://aka.ms/ARMResourceNotFoundFix"
            ),
        )
    }

    /// A resource group that isn't there.
    #[must_use]
    pub fn group_not_found(group: &str) -> Self {
        Self::new(Code::ResourceGroupNotFound, format!("Resource group '{group}' could not be found."))
    }

    /// A parent that isn't there.
    #[must_use]
    pub fn parent_not_found(resource_type: &str, parent: &str) -> Self {
        Self::new(
            Code::ParentResourceNotFound,
            format!(
                "Failed to perform 'write' on resource(s) of type '{resource_type}', because the parent resource \
                 '{parent}' could not be found."
            ),
        )
    }

    /// A refusal of the identity service, as the control plane wraps it.
    #[must_use]
    pub fn identity_operation(message: &str) -> Self {
        let inner = json!({"error": {"code": "BadRequest", "message": message}});
        Self::new(
            Code::FailedIdentityOperation,
            format!("Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{inner}'"),
        )
    }

    /// A template that isn't sound.
    #[must_use]
    pub fn invalid_template(message: &str) -> Self {
        Self::new(Code::InvalidTemplate, format!("Deployment template validation failed: '{message}'"))
    }

    /// The `error` member alone, as it stands in an operation's answer.
    #[must_use]
    pub fn value(&self) -> Value {
        let Self { code, message, target, details, additional_info } = self;
        value(code.as_str(), message, target.as_deref(), details, additional_info.as_deref())
    }

    /// The body of an answer.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({"error": self.value()})
    }
}

impl Detail {
    /// A part without a target.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), target: None, details: Vec::new(), additional_info: None }
    }

    fn value(&self) -> Value {
        let Self { code, message, target, details, additional_info } = self;
        value(code, message, target.as_deref(), details, additional_info.as_deref())
    }
}

fn value(code: &str, message: &str, target: Option<&str>, details: &[Detail], more: Option<&Value>) -> Value {
    let mut members = Map::new();
    members.insert("code".to_owned(), code.into());
    members.insert("message".to_owned(), message.into());
    if let Some(target) = target {
        members.insert("target".to_owned(), target.into());
    }
    if !details.is_empty() {
        members.insert("details".to_owned(), details.iter().map(Detail::value).collect());
    }
    if let Some(more) = more {
        members.insert("additionalInfo".to_owned(), more.clone());
    }
    members.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let error = ArmError::resource_not_found("Microsoft.Compute/virtualMachines/vm1", "rg1");
        assert_eq!(
            error.body().to_string(),
            r#"{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.Compute/virtualMachines/vm1' under resource group 'rg1' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"}}"#
        );
        let error = ArmError::parameter("settings.port", "no port").detail(Detail::new("X", "y"));
        assert_eq!(
            error.value().to_string(),
            r#"{"code":"InvalidParameter","message":"no port","target":"settings.port","details":[{"code":"X","message":"y"}]}"#
        );
        let error = ArmError::identity_operation(
            "User Assigned Identities Number '151' Assign exceed limit '150' in one request.",
        );
        assert_eq!(
            error.message,
            r#"Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"User Assigned Identities Number '151' Assign exceed limit '150' in one request."}}'"#
        );
    }
}
