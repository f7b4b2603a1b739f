//! For tests only: fixtures, a source of tokens that does what a test says, and HTTP as raw bytes.
//!
//! No program links this crate (`cargo xtask tidy` sees to it).
#![expect(clippy::expect_used, reason = "a test whose set-up fails has failed")]

pub mod fixtures;
pub mod raw;
pub mod source;
