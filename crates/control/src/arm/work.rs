//! What a function of a noun needs beside its transaction.

use std::sync::Arc;

use authority::kek::FileKek;
use domain::{
    ClientId, IdentityKind, ManagedIdentity, OperationId, PrincipalId, ResourceId, ScaleSetId, TenantId, Timestamp,
    VmId, derived_ids,
};
use store::ReadTx;
use uuid::Uuid;

use super::body::Query;
use super::failure::Failure;
use super::reply;
use crate::{Agents, App, Ids};

/// How many items a list has at once.
const PAGE: usize = 50;

/// What a function of a noun needs beside its transaction.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) kek: Arc<FileKek>,
    pub(crate) agents: Arc<Agents>,
    pub(crate) base_url: Arc<str>,
    pub(crate) now: Timestamp,
    pub(crate) query: Query,
    /// How whatever is new comes to its ids.
    ids: Ids,
}

impl Work {
    pub(crate) fn new(app: &App, query: Query) -> Self {
        Self {
            kek: Arc::clone(&app.kek),
            agents: Arc::clone(&app.agents),
            base_url: app.base_url.as_str().into(),
            now: app.authority.clock().now(),
            query,
            ids: app.ids,
        }
    }

    /// The same with no query: for what isn't asked for by a request of its own.
    pub(crate) fn without_query(&self) -> Self {
        Self { query: Query::default(), ..self.clone() }
    }

    /// A new managed identity of a resource.
    pub(crate) fn identity(
        &self,
        tx: &dyn ReadTx,
        kind: IdentityKind,
        id: &ResourceId,
        tenant: TenantId,
    ) -> Result<ManagedIdentity, store::Error> {
        let (mut principal_id, mut client_id) = (derived_ids::principal_id(id), derived_ids::client_id(id));
        // A deleted identity's ids stay its own: whoever comes after it gets others.
        let others = self.ids == Ids::Random
            || tx.service_principal(principal_id)?.is_some()
            || tx.service_principal_by_client(client_id)?.is_some();
        if others {
            principal_id = PrincipalId::from_uuid(Uuid::new_v4());
            client_id = ClientId::from_uuid(Uuid::new_v4());
        }
        Ok(ManagedIdentity { kind, id: id.clone(), tenant, principal_id, client_id })
    }

    /// A new `vmId`.
    pub(crate) fn vm_id(&self, tx: &dyn ReadTx, id: &ResourceId) -> Result<VmId, store::Error> {
        let derived = derived_ids::vm_id(id);
        let own = self.ids == Ids::Random || tx.is_vm_id_taken(derived)?;
        Ok(if own { VmId::from_uuid(Uuid::new_v4()) } else { derived })
    }

    /// A new `uniqueId`.
    pub(crate) fn scale_set_id(&self, id: &ResourceId) -> ScaleSetId {
        match self.ids {
            Ids::Random => ScaleSetId::from_uuid(Uuid::new_v4()),
            Ids::Derived => derived_ids::scale_set_id(id),
        }
    }

    /// A new operation.
    pub(crate) fn operation_id(&self) -> OperationId {
        OperationId::from_uuid(Uuid::new_v4())
    }

    /// Where an operation on a resource is followed.
    pub(crate) fn status_url(&self, subject: &ResourceId, location: &str, id: OperationId) -> String {
        reply::operation_url(&self.base_url, &subscription_of(subject), location, id)
    }

    /// Where the end of an operation on a resource is waited for.
    pub(crate) fn monitor_url(&self, subject: &ResourceId, location: &str, id: OperationId) -> String {
        format!("{}&monitor=true", self.status_url(subject, location, id))
    }

    /// Where the result of an operation is had.
    pub(crate) fn result_url(&self, subject: &ResourceId, id: OperationId) -> String {
        reply::result_url(&self.base_url, &subscription_of(subject), id)
    }

    /// Which piece of a list is asked for.
    pub(crate) fn page(&self) -> store::Page {
        let limit = self.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE);
        // One more than is shown tells whether there is more.
        store::Page { after: self.query.get("$skiptoken").map(str::to_ascii_lowercase), limit: limit + 1 }
    }

    /// The answer to a request for a list: `items` are what the store gave for [`Work::page`], and `shown` makes of
    /// each what the client sees, or nothing.
    pub(crate) fn list<T>(
        &self,
        path: &str,
        mut items: Vec<T>,
        id: impl Fn(&T) -> ResourceId,
        mut shown: impl FnMut(T) -> Result<Option<serde_json::Value>, Failure>,
    ) -> Result<serde_json::Value, Failure> {
        let limit = self.page().limit;
        let more = items.len() >= limit;
        if more {
            items.truncate(limit - 1);
        }
        let last = items.last().map(&id);
        let mut value = Vec::with_capacity(items.len());
        for item in items {
            value.extend(shown(item)?);
        }
        let mut list = serde_json::Map::new();
        list.insert("value".to_owned(), value.into());
        if let (true, Some(last)) = (more, last) {
            let token = percent_encoding::utf8_percent_encode(last.key(), percent_encoding::NON_ALPHANUMERIC);
            let version = self.query.get("api-version").unwrap_or_default();
            let path = reply::url_path(path);
            let mut next = format!("{}{path}?api-version={version}&$skiptoken={token}", self.base_url);
            for kept in ["$top", "$filter", "$expand"] {
                if let Some(value) = self.query.get(kept) {
                    let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                    next.push_str(&format!("&{kept}={value}"));
                }
            }
            list.insert("nextLink".to_owned(), next.into());
        }
        Ok(list.into())
    }
}

fn subscription_of(id: &ResourceId) -> String {
    id.subscription().map(|id| id.to_string()).unwrap_or_default()
}
