//! `symbolon env`: the variables that lead an Azure SDK to its endpoint.

use std::collections::BTreeMap;

use super::ExitStatus;
use crate::args::{EnvArgs, EnvFormat, Source, TargetArgs};
use crate::data_dir;
use crate::env_vars::{AZURE_POD_IDENTITY_AUTHORITY_HOST, MSI_ENDPOINT};
use crate::printer::Printer;
use crate::up::instance;

pub(crate) fn env(args: &EnvArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let variables = variables(&args.target)?;
    if args.format == EnvFormat::Json {
        printer.json_pretty(&variables)?;
        return Ok(ExitStatus::Ok);
    }
    for (name, value) in variables {
        printer.line(line(args.format, name, &value))?;
    }
    Ok(ExitStatus::Ok)
}

/// The variables for a VM and a source of the running `up`.
pub(super) fn variables(target: &TargetArgs) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let instance = instance::find(&data_dir::locate(target.data.data_dir.as_deref())?)?;
    let vm = instance.vm(target.vm.as_deref())?;
    Ok(match target.source {
        Source::Imds => BTreeMap::from([(AZURE_POD_IDENTITY_AUTHORITY_HOST, vm.reachable()?.to_owned())]),
        Source::Extension => BTreeMap::from([(MSI_ENDPOINT, vm.extension()?.to_owned())]),
    })
}

/// One assignment in the words of a shell. The values are URLs of our own, without quotes in them.
pub(crate) fn line(format: EnvFormat, name: &str, value: &str) -> String {
    match format {
        EnvFormat::Sh => format!("export {name}='{value}'"),
        EnvFormat::Powershell => format!("$env:{name} = '{value}'"),
        EnvFormat::Dotenv | EnvFormat::Json => format!("{name}=\"{value}\""),
    }
}
