//! The columns of what runs as an extension, which machines and models have in common.

use domain::ExtensionSpec;

use super::row::Row;
use crate::Error;

/// The specification in a row. Absent settings are NULL, or the empty text where the column can't be NULL.
pub(super) fn read(row: &Row<'_, '_>) -> Result<ExtensionSpec, Error> {
    let settings: Option<String> = row.get("settings")?;
    Ok(ExtensionSpec {
        publisher: row.get("publisher")?,
        extension_type: row.get("extension_type")?,
        type_handler_version: row.get("type_handler_version")?,
        auto_upgrade_minor_version: row.get("auto_upgrade_minor_version")?,
        enable_automatic_upgrade: row.get("enable_automatic_upgrade")?,
        force_update_tag: row.get("force_update_tag")?,
        settings: settings.filter(|text| !text.is_empty()),
        protected_settings: row.sealed("protected_kek_id", "protected_settings")?,
    })
}
