//! The whole crate on real files: what is found, what is written.
#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod apply;
mod bad_input;
mod corpus;
mod report;
