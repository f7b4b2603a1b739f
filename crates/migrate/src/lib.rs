//! Leaving the VM extension: find what uses it, change what can be changed safely.
//!
//! 1. [`scan`] walks trees and gives a [`Finding`] for each use of the extension; each follows a [`Rule`].
//! 2. [`apply`] rewrites what is safe to rewrite, and says what to do by hand.
//! 3. [`report`] writes them for people, as JSON and as SARIF.
//! 4. [`plan`] orders the machines that a control plane shows ([`machine`]), [`cutover`] says what is next for one, and
//!    [`verify`] searches a machine's disk for what is left.
//!
//! # Adding a rule
//! A variant of [`Rule`] with its entry in `rule.rs`, what finds it below `scan/`, a file of `testdata/` that stands for
//! the public pattern, then `cargo xtask gen`.

pub mod apply;
pub mod cutover;
mod finding;
pub mod machine;
pub mod plan;
pub mod report;
mod rule;
pub mod scan;
mod shown;
pub mod verify;

pub use finding::{Finding, Level, Problem};
pub use rule::{Info, Rule};
pub use shown::shown;
