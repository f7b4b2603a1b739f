//! The WireServer's documents, below `/machine`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::GoalState;
use contract::headers::X_MS_GUEST_AGENT_CERTIFICATE;
use http::Response;
use http::request::Parts;

use crate::answer;
use crate::refusal::Refusal;
use crate::route::{Config, Machine};
use crate::service::{Body, Shared};

impl Shared {
    /// `GET /machine/?comp=goalstate`
    pub(crate) async fn goal_state_xml(&self) -> Result<Response<Body>, Refusal> {
        self.host.joined().await;
        Ok(answer::xml(self.host.goal_state().await?.xml()))
    }

    /// What the addresses in a goal state lead to. The document is the one of now, whichever goal state its address came
    /// with: an agent learns of a newer one by its next request.
    pub(crate) async fn config(&self, config: Config, machine: Machine<'_>) -> Result<Response<Body>, Refusal> {
        let wanted = self.of(machine).await?;
        Ok(answer::xml(match config {
            Config::HostingEnvironment => wanted.hosting_environment_xml(),
            Config::Shared => wanted.shared_config_xml(),
            Config::Extensions => wanted.extensions_config_xml(),
        }))
    }

    /// The VM's certificates, for the agent's own. `x-ms-cipher-name` isn't looked at: agents that ask for 3DES read AES.
    pub(crate) async fn certificates(&self, machine: Machine<'_>, head: &Parts) -> Result<Response<Body>, Refusal> {
        let wanted = self.of(machine).await?;
        let mut shown = head.headers.get_all(X_MS_GUEST_AGENT_CERTIFICATE).iter();
        let (Some(shown), None) = (shown.next(), shown.next()) else { return Err(Refusal::Certificate) };
        let certificate = STANDARD.decode(shown.as_bytes()).map_err(|_| Refusal::Certificate)?;
        let sealed = self.host.certificates(&certificate).await?.ok_or(Refusal::NoCertificates)?;
        Ok(answer::xml(wanted.certificates_xml(&sealed)))
    }

    /// The goal state, for an address that is this VM's.
    async fn of(&self, machine: Machine<'_>) -> Result<Arc<GoalState>, Refusal> {
        let wanted = self.host.goal_state().await?;
        let same = machine.container.eq_ignore_ascii_case(&wanted.container_id)
            && machine.instance.eq_ignore_ascii_case(&wanted.instance_id());
        if same { Ok(wanted) } else { Err(Refusal::Moved) }
    }
}
