//! For tests only: fixtures, a source of tokens that does what a test says, HTTP as raw bytes, and gates that lack a
//! defence.
//!
//! No program links this crate (`cargo xtask tidy` sees to it).
#![expect(clippy::expect_used, reason = "a test whose set-up fails has failed")]

pub mod fixtures;
pub mod raw;
pub mod source;
pub mod weak;
