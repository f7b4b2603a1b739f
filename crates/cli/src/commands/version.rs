//! `symbolon version`.

use serde::Serialize;

use super::ExitStatus;
use crate::args::VersionArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

pub(crate) fn version(args: &VersionArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let version = Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    if args.json {
        printer.json(&version)?;
    } else {
        printer.line(format!("{} {}", version.name, version.version))?;
    }
    Ok(ExitStatus::Ok)
}
