//! SQLite's errors as ours.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::change_feed::{Noun, Op};
use crate::error::{Error, Unique};

/// The unique columns, as SQLite names them in its message, and what each holds.
const UNIQUE: [(&str, Unique); 27] = [
    ("tenant.name", Unique::Name),
    ("subscription.name", Unique::Name),
    ("application.tenant, application.name", Unique::Name),
    ("service_principal.principal_id", Unique::PrincipalId),
    ("user_assigned_identity.principal_id", Unique::PrincipalId),
    ("virtual_machine.principal_id", Unique::PrincipalId),
    ("application.principal_id", Unique::PrincipalId),
    ("service_principal.client_id", Unique::ClientId),
    ("virtual_machine.vm_id", Unique::VmId),
    ("retired_vm_id.vm_id", Unique::VmId),
    ("virtual_machine.listen", Unique::Attachment),
    ("certificate_credential.thumbprint_sha256", Unique::Thumbprint),
    ("role_assignment.principal_id, role_assignment.role, role_assignment.scope_key", Unique::RoleAssignment),
    ("role_assignment.id", Unique::Id),
    ("tenant.id", Unique::Id),
    ("subscription.id", Unique::Id),
    ("resource_group.key", Unique::Id),
    ("user_assigned_identity.key", Unique::Id),
    ("virtual_machine.key", Unique::Id),
    ("vm_extension.key", Unique::Id),
    ("client_secret.id", Unique::Id),
    ("scale_set.key", Unique::Id),
    ("scale_set.unique_id", Unique::Id),
    ("scale_set.principal_id", Unique::PrincipalId),
    ("scale_set_extension.scale_set, scale_set_extension.name", Unique::Name),
    ("virtual_machine.scale_set, virtual_machine.instance", Unique::Id),
    ("operation.id", Unique::Id),
];

/// A failure to do something that changes nothing.
pub(super) fn driver(doing: &str) -> impl FnOnce(rusqlite::Error) -> Error {
    let doing = doing.to_owned();
    move |error| match code(&error) {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { doing },
        _ => Error::Driver { doing, source: error.into() },
    }
}

/// A failure to change a noun.
pub(super) fn change(noun: Noun, key: &str, op: Op, error: rusqlite::Error) -> Error {
    let key = key.to_owned();
    match (extended(&error), op) {
        (Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY), _) => match taken(&error) {
            Some(what) => Error::Taken { noun, key, what },
            None => driver(&format!("store {noun} '{key}'"))(error),
        },
        (Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY), Op::Removed) => Error::InUse { noun, key },
        (Some(_) | None, _) => driver(&format!("store {noun} '{key}'"))(error),
    }
}

fn taken(error: &rusqlite::Error) -> Option<Unique> {
    let message = error.to_string();
    let (_, columns) = message.split_once("UNIQUE constraint failed: ")?;
    UNIQUE.iter().find(|(known, _)| *known == columns).map(|(_, what)| *what)
}

fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
