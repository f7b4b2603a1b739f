//! Faults on purpose, for people who test their own software: a playbook says which requests of which VM are answered as
//! in an outage, and what was asked meanwhile is written down.
//!
//! A [`Playbook`] is read from YAML, which JSON is too. [`Playbooks`] holds those that run, one for each subscription,
//! and decides by a clock alone. [`Faulty`] stands in front of the service of a data plane and does what was decided. Only
//! requests that the gate lets through are counted and written down; a fault never makes an answer of a refusal, and no
//! byte of a query, a header or an answer is kept. Nothing that a request says can set or change a playbook.

mod body;
mod calls;
mod faulty;
mod parse;
mod playbooks;
mod progress;
mod schema;
mod step;
mod yaml;

pub use body::{BrokenOff, MayBreak};
pub use calls::{Call, MAX_CALLS};
pub use faulty::{Expire, Faulty, Front};
pub use parse::{MAX_STEPS, MAX_TEXT, parse};
pub use playbooks::{Playbooks, Shown, ShownStep};
pub use step::{Fault, Outcome, Playbook, Step, When};
pub use yaml::Mistake;
