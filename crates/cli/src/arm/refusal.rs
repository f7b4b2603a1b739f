//! What the control plane refuses, for people: its code, its words, and what to do.

use std::fmt;

use contract::arm::Code;
use serde_json::Value;

use super::document;
use crate::http_client::Answer;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: String,
    message: String,
    target: Option<String>,
    details: Vec<Self>,
}

impl Refusal {
    /// The refusal that an answer is.
    pub(crate) fn of(answer: &Answer) -> Self {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        body.get("error").and_then(Self::read).unwrap_or_else(|| Self {
            code: answer.status.as_str().to_owned(),
            message: answer.status.canonical_reason().unwrap_or("no reason was given").to_owned(),
            target: None,
            details: Vec::new(),
        })
    }

    /// The refusal in an error's JSON.
    pub(crate) fn read(error: &Value) -> Option<Self> {
        let text = |pointer: &str| document::text(error, pointer).map(str::to_owned);
        let details = error.get("details").and_then(Value::as_array);
        Some(Self {
            code: text("/code")?,
            message: text("/message")?,
            target: text("/target"),
            details: details.into_iter().flatten().filter_map(Self::read).collect(),
        })
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        let is = |codes: &[Code]| codes.iter().any(|code| self.is(*code));
        if is(&[Code::ResourceNotFound, Code::ParentResourceNotFound, Code::NotFound, Code::DeploymentNotFound]) {
            return "the `list` commands say what is there; another resource group is named with -g";
        }
        if is(&[Code::ResourceGroupNotFound]) {
            return "name a resource group that is there with -g, or make it with az group create";
        }
        if is(&[Code::SubscriptionNotFound]) {
            return "name a subscription that is there with --subscription, or leave it out";
        }
        if matches!(self.code.as_str(), "TooManyRequests" | "429") {
            return "try again later";
        }
        if is(&[Code::Conflict, Code::DeploymentActive, Code::ResourceGroupBeingDeleted, Code::ServiceUnavailable]) {
            return "wait until what goes on there has ended, and try again";
        }
        if is(&[
            Code::AuthenticationFailed,
            Code::AuthorizationFailed,
            Code::ExpiredAuthenticationToken,
            Code::InvalidAuthenticationToken,
            Code::InvalidAuthenticationTokenTenant,
            Code::LinkedAuthorizationFailed,
        ]) {
            return "the admin of this data directory may not; is it that of the symbolon up that answers?";
        }
        if is(&[Code::OperationNotAllowed]) {
            return "see its state with the `show` command or symbolon migrate status; a VM that is off is started with symbolon vm start";
        }
        if is(&[Code::InternalServerError]) {
            return "the log of symbolon up says why; symbolon doctor looks at the rest";
        }
        "correct what it names and try again"
    }

    /// The details, each below what it is a detail of.
    fn write_details(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        for detail in &self.details {
            write!(f, "\n{:indent$}{}: {}", "", detail.code, detail.message, indent = depth * 2)?;
            detail.write_details(f, depth + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let Some(target) = &self.target {
            write!(f, "\n  target: {target}")?;
        }
        self.write_details(f, 1)?;
        write!(f, "\n{}", self.advice())
    }
}

impl std::error::Error for Refusal {}
