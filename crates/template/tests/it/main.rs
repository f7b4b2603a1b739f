//! Whole templates: planned, given their bodies, compared, exported.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod clients;
mod copies;
mod definitions;
mod dependencies;
mod export;
mod fixture;
mod nested;
mod parameters;
mod properties;
mod refusals;
mod user_functions;
