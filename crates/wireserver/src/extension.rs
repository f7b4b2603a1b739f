//! The package repository.

use std::sync::Arc;

use contract::guest_agent::package_manifest::PackageManifest;
use contract::headers::X_MS_ARTIFACT_LOCATION;
use http::Response;
use http::request::Parts;

use crate::refusal::Refusal;
use crate::route::Artifact;
use crate::service::{Body, Shared};
use crate::{PackageStore, answer};

impl Shared {
    /// `GET /extensionArtifact`: what the address in a header leads to, for an agent that can't go there itself. Only our
    /// own addresses lead anywhere.
    pub(crate) async fn extension_artifact(&self, head: &Parts) -> Result<Response<Body>, Refusal> {
        let wanted = self.consistent(head).await?;
        let location = head.headers.get(X_MS_ARTIFACT_LOCATION).and_then(|value| value.to_str().ok());
        let path = location.and_then(|location| location.strip_prefix(wanted.base_url.as_str()));
        let artifact = path.and_then(Artifact::resolve).ok_or(Refusal::NoPackage)?;
        self.artifact(artifact).await
    }

    /// `GET /extensions/…`
    pub(crate) async fn artifact(&self, artifact: Artifact<'_>) -> Result<Response<Body>, Refusal> {
        match artifact {
            // No version of an agent: it isn't to replace itself.
            Artifact::AgentManifest => Ok(answer::xml(PackageManifest::default().xml())),
            Artifact::Manifest { name } => {
                let base = format!("{}/extensions", self.host.goal_state().await?.base_url);
                let name = name.to_owned();
                let manifest = self.blocking(move |packages| packages.manifest(&name, &base)).await?;
                manifest.map(|manifest| answer::xml(manifest.xml())).ok_or(Refusal::NoPackage)
            }
            Artifact::Package { name, version } => {
                let (name, version) = (name.to_owned(), version.to_owned());
                let package = self.blocking(move |packages| packages.open(&name, &version)).await?;
                package.map(answer::package).ok_or(Refusal::NoPackage)
            }
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        task: impl FnOnce(&PackageStore) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let packages = Arc::clone(&self.packages);
        let done = tokio::task::spawn_blocking(move || task(&packages)).await;
        Ok(done.map_err(|why| Refusal::Unavailable(why.into()))??)
    }
}
