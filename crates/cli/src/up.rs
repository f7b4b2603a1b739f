//! The parts of `symbolon up`.

pub(crate) mod connections;
pub(crate) mod extension;
pub(crate) mod instance;
pub(crate) mod machines;
pub(crate) mod operations;
pub(crate) mod report;
pub(crate) mod world;
