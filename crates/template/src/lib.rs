//! ARM deployment templates: read, evaluate, order, compare, export.
//!
//! Pure: values in, values out. Nothing here opens a socket, reads a clock, draws a random number or knows a server.
//!
//! 1. [`DeploymentRequest::parse`] reads the body of PUT deployment, `validate` or `whatIf`, strict JSON or the raw form
//!    that `az deployment` sends ([`reader`]).
//! 2. [`plan`](plan()) evaluates parameters, variables, names, conditions and copies, and puts the resources in an order.
//!    It needs no state; so it is `validate` too.
//! 3. [`PlannedResource::body`] and [`Plan::outputs`] evaluate what may depend on resources that are there by then, which
//!    a [`Runtime`] gives.
//! 4. [`what_if::compare`] tells what a plan would change, and [`export::export`] makes a template of resources.
//!
//! Everything that a template can make large has a bound in [`limits`], and every error says where in the author's
//! template its cause stands ([`Place`]).
//!
//! # Adding a function
//! The functions of the language are in `functions/`, one file a family; the doc of `functions.rs` says how to add one.

mod check;
mod context;
mod copy;
mod definition;
mod dependency;
mod error;
mod evaluate;
pub mod export;
mod expression;
mod functions;
mod hash;
mod kind;
mod known;
pub mod limits;
mod members;
mod nested;
mod node;
mod output;
mod parameter;
mod plan;
mod planned;
pub mod reader;
mod request;
mod resource;
mod resource_id;
mod runtime;
mod secret;
mod session;
mod settle;
mod text;
mod user_function;
mod variable;
pub mod what_if;

pub use context::{Context, ProviderType, ResourceGroup, Subscription};
pub use error::{Code, Place, TemplateError};
pub use hash::template_hash;
pub use members::Members;
pub use node::{Data, Member, Node};
pub use plan::{Plan, plan};
pub use planned::PlannedResource;
pub use request::{DeploymentRequest, GivenParameter, Mode, ResultFormat};
pub use runtime::{Nothing, Runtime};
