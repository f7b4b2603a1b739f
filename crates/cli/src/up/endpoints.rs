//! The open endpoints of one VM's guest. Extensions that want the same port share one.

use std::net::{IpAddr, SocketAddr};

use domain::ResourceId;
use domain::cutover::Port;
use guest::Backend;
use guest::discovery_file::DiscoveryFile;

use super::extension::{self, Guest};
use super::stage::Stage;

/// The open endpoints of a guest, the oldest first: that is the one which is told to whoever asks.
#[derive(Default)]
pub(crate) struct Endpoints {
    open: Vec<Open>,
    /// The files that tell of the first one.
    told: Option<(Place, Vec<DiscoveryFile>)>,
}

/// An open endpoint.
struct Open {
    /// The port that its extensions' settings name.
    wanted: u16,
    place: Place,
    extensions: Vec<ResourceId>,
    endpoint: guest::Endpoint,
    stage: Stage,
}

/// Where an endpoint is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The VM's own address, where that isn't localhost.
    pub(crate) own: Option<IpAddr>,
    pub(crate) port: u16,
}

impl Place {
    /// The full token URL.
    pub(crate) fn url(self) -> String {
        match self.own {
            None => format!("http://localhost:{}/oauth2/token", self.port),
            Some(own) => format!("http://{}/oauth2/token", SocketAddr::new(own, self.port)),
        }
    }
}

impl Endpoints {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// What answers at their ports.
    pub(crate) fn port(&self) -> Port {
        match self.open.first() {
            None => Port::Closed,
            Some(open) if open.endpoint.forwards() => Port::Forwarding,
            Some(_) => Port::Serving,
        }
    }

    /// Answers from elsewhere from now on, at all of them. Their ports stay open.
    pub(crate) fn answer_from(&self, backend: &Backend) {
        for open in &self.open {
            open.endpoint.answer_from(backend.clone());
        }
    }

    /// Where the first one is.
    pub(crate) fn first(&self) -> Option<Place> {
        self.open.first().map(|endpoint| endpoint.place)
    }

    /// Lets an extension have the endpoint that is there for the port of its settings, if one is.
    pub(crate) fn share(&mut self, extension: &ResourceId, wanted: u16) -> Option<Place> {
        let there = self.open.iter_mut().find(|endpoint| endpoint.wanted == wanted)?;
        there.extensions.push(extension.clone());
        Some(there.place)
    }

    /// Takes one that was opened for an extension.
    pub(crate) fn add(
        &mut self,
        extension: ResourceId,
        wanted: u16,
        place: Place,
        (endpoint, stage): (guest::Endpoint, Stage),
    ) {
        self.open.push(Open { wanted, place, extensions: vec![extension], endpoint, stage });
    }

    /// Takes an extension from what it has, and closes what nobody has then.
    pub(crate) async fn leave(&mut self, extension: &ResourceId) {
        for endpoint in &mut self.open {
            endpoint.extensions.retain(|other| other != extension);
        }
        for closed in self.open.extract_if(.., |endpoint| endpoint.extensions.is_empty()).collect::<Vec<_>>() {
            if self.told.as_ref().is_some_and(|(place, _)| *place == closed.place) {
                self.told = None;
            }
            close(closed).await;
        }
    }

    /// Closes all of them.
    pub(crate) async fn close(&mut self) {
        self.told = None;
        for endpoint in std::mem::take(&mut self.open) {
            close(endpoint).await;
        }
    }

    /// Writes down where the first one is, for callers to find.
    pub(crate) fn tell(&mut self, guest: &Guest) -> anyhow::Result<()> {
        let first = self.first();
        if self.told.as_ref().map(|(place, _)| *place) != first {
            // Before the next ones, which have the same names.
            self.told = None;
            self.told =
                first.map(|place| Ok::<_, anyhow::Error>((place, extension::tell(guest, place)?))).transpose()?;
        }
        Ok(())
    }
}

async fn close(endpoint: Open) {
    if let Err(error) = endpoint.stage.end().await {
        tracing::error!(%error, "the extension's endpoint ended badly");
    }
}
