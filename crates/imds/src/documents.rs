//! What a VM is told beside its tokens, ready to be sent again.
//!
//! An answer follows from the description, the path and the query alone. So it is made once and kept until the description
//! changes, under path and query as they were sent.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use contract::gate::Refusal;
use contract::imds::{Format, Instance, InstanceRequest, LoadBalancer, NoElement, ScheduledEvents};
use domain::VmSnapshot;

/// How many answers are kept for one VM; clients ask for a few.
const KEPT: usize = 32;
/// How many bytes of answers are kept for one VM.
const KEPT_BYTES: usize = 256 * 1024;

/// What a VM is told beside its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Of itself.
    pub instance: Instance,
    /// Of the load balancers in front of it; none when there are none.
    pub load_balancer: Option<LoadBalancer>,
    /// Of what is going to happen to it.
    pub scheduled_events: ScheduledEvents,
}

impl Description {
    /// What follows from a snapshot, as long as nobody knows more.
    #[must_use]
    pub fn of(snapshot: &VmSnapshot) -> Self {
        let id = &snapshot.id;
        let mut description = Self::default();
        let compute = &mut description.instance.compute;
        id.name().clone_into(&mut compute.name);
        id.as_str().clone_into(&mut compute.resource_id);
        id.resource_group().unwrap_or_default().clone_into(&mut compute.resource_group_name);
        compute.subscription_id = id.subscription().map(|id| id.to_string()).unwrap_or_default();
        compute.vm_id = snapshot.vm_id.to_string();
        description
    }
}

/// A body and its form. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Document {
    /// The bytes.
    pub body: Bytes,
    /// Its form.
    pub format: Format,
}

impl Document {
    /// A JSON document.
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), format: Format::Json }
    }
}

/// A description with the answers that were made of it.
pub(crate) struct Documents {
    pub(crate) description: Description,
    kept: ArcSwap<Vec<Kept>>,
}

#[derive(Clone)]
struct Kept {
    path: Arc<str>,
    query: Arc<str>,
    document: Document,
}

impl Documents {
    pub(crate) fn new(description: Description) -> Self {
        Self { description, kept: ArcSwap::default() }
    }

    /// The answer to a request for `/metadata/instance`.
    pub(crate) fn instance(&self, path: &str, query: &str) -> Result<Document, Refusal> {
        let kept = self.kept.load();
        if let Some(kept) = kept.iter().find(|kept| *kept.query == *query && *kept.path == *path) {
            return Ok(kept.document.clone());
        }
        let request = InstanceRequest::parse(query)?;
        let body =
            self.description.instance.render(&request, InstanceRequest::filter(path)).map_err(|why| match why {
                NoElement::Missing => Refusal::NoElement,
                NoElement::Leaf => Refusal::Leaf,
            })?;
        let document = Document { body: body.into(), format: request.format };
        self.keep(Kept { path: path.into(), query: query.into(), document: document.clone() });
        Ok(document)
    }

    /// Keeps an answer; the oldest go. Of two that are made at once one may be lost, which costs its making.
    fn keep(&self, new: Kept) {
        if new.size() > KEPT_BYTES / 2 {
            return;
        }
        let mut kept = Vec::clone(&self.kept.load());
        kept.push(new);
        let mut room = KEPT_BYTES;
        let fits = kept.iter().rev().take(KEPT).take_while(|kept| {
            let left = room.checked_sub(kept.size());
            room = left.unwrap_or(0);
            left.is_some()
        });
        let gone = kept.len() - fits.count();
        kept.drain(..gone);
        self.kept.store(Arc::new(kept));
    }
}

impl Kept {
    fn size(&self) -> usize {
        self.path.len() + self.query.len() + self.document.body.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(user_data: usize) -> Documents {
        let mut description = Description::default();
        description.instance.compute.user_data = "x".repeat(user_data);
        Documents::new(description)
    }

    #[test]
    fn an_answer_is_kept_and_is_the_same() {
        let documents = documents(0);
        let ask = || documents.instance("/metadata/instance/compute", "api-version=2021-02-01").unwrap();
        let (first, second) = (ask(), ask());
        assert_eq!(first.body.as_ptr(), second.body.as_ptr(), "the very same bytes");
        assert_eq!(first.format, Format::Json);
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        let described = documents(20_000);
        for number in 0..200 {
            let query = format!("api-version=2021-02-01&x={number}");
            described.instance("/metadata/instance", &query).unwrap();
            let kept = described.kept.load();
            assert!(kept.len() <= KEPT && kept.iter().map(Kept::size).sum::<usize>() <= KEPT_BYTES);
            assert_eq!(kept.last().unwrap().query.as_ref(), query);
        }
        described.instance("/metadata/instance/compute", "api-version=x").unwrap_err();
        let large = documents(KEPT_BYTES);
        large.instance("/metadata/instance", "api-version=2021-02-01").unwrap();
        assert_eq!(large.kept.load().len(), 0);
    }
}
