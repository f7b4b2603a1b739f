//! The parts of `symbolon up`.

pub(crate) mod calls;
pub(crate) mod connections;
pub(crate) mod control_plane;
pub(crate) mod description;
pub(crate) mod endpoints;
pub(crate) mod extension;
pub(crate) mod faults;
pub(crate) mod fleet;
pub(crate) mod guest_process;
pub(crate) mod guest_report;
pub(crate) mod instance;
pub(crate) mod issuer_certificate;
pub(crate) mod machines;
pub(crate) mod moves;
pub(crate) mod news;
pub(crate) mod operations;
pub(crate) mod outside;
pub(crate) mod plain;
pub(crate) mod report;
pub(crate) mod roster;
pub(crate) mod stage;
pub(crate) mod wanted;
pub(crate) mod wire_server;
pub(crate) mod world;
