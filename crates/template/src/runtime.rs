//! The state of resources, which a template reads with `reference`.

use serde_json::Value;

/// Gives resources as they are now. Asked only by [`PlannedResource::body`](crate::PlannedResource::body),
/// [`Plan::outputs`](crate::Plan::outputs) and [`what_if::compare`](crate::what_if::compare).
pub trait Runtime {
    /// The whole resource as a GET gives it, by its id in any case; none when it isn't there.
    fn resource(&self, id: &str) -> Option<Value>;

    /// What a resource that is there becomes when this is put: with what the server adds where the body says nothing. A
    /// comparison goes by it.
    fn kept(&self, _id: &str, body: Value) -> Value {
        body
    }
}

/// A world with no resource in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Runtime for Nothing {
    fn resource(&self, _id: &str) -> Option<Value> {
        None
    }
}
