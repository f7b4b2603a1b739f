//! Deployments of templates.

use domain::{Deployment, DeploymentOperation, ResourceId, Scope};

use crate::{Error, Put};

/// Looks up deployments.
pub trait DeploymentReader {
    /// By resource id.
    ///
    /// # Errors
    /// When the store fails.
    fn deployment(&self, id: &ResourceId) -> Result<Option<Deployment>, Error>;

    /// Those within a scope, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn deployments(&self, within: &Scope) -> Result<Vec<Deployment>, Error>;

    /// Those that haven't ended, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn deployments_under_way(&self) -> Result<Vec<Deployment>, Error>;

    /// What a deployment did, in the order of its plan.
    ///
    /// # Errors
    /// When the store fails.
    fn deployment_operations(&self, id: &ResourceId) -> Result<Vec<DeploymentOperation>, Error>;
}

/// Changes deployments.
pub trait DeploymentWriter {
    /// Stores a deployment under its resource id.
    ///
    /// # Errors
    /// When the store fails, or its operation is not there.
    fn put_deployment(&mut self, deployment: &Deployment) -> Result<Put, Error>;

    /// Stores what a deployment did to one resource, under its number.
    ///
    /// # Errors
    /// [`Error::Missing`] when the deployment is not there.
    fn put_deployment_operation(&mut self, of: &ResourceId, operation: &DeploymentOperation) -> Result<(), Error>;

    /// Removes a deployment with what it did written down; the resources stay. Says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_deployment(&mut self, id: &ResourceId) -> Result<bool, Error>;

    /// Removes what a deployment did, before it does it anew.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_deployment_operations(&mut self, id: &ResourceId) -> Result<(), Error>;
}
