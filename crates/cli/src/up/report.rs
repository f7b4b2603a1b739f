//! What `up` says when it is ready.

use std::io;
use std::time::Duration;

use super::instance::Instance;
use crate::args::EnvFormat;
use crate::commands::env;
use crate::env_vars::{AZURE_POD_IDENTITY_AUTHORITY_HOST, MSI_ENDPOINT};
use crate::printer::Printer;

/// Prints every endpoint, the lines that lead SDKs to them, and a request to paste.
pub(crate) fn print(printer: &Printer, instance: &Instance, data: &str, took: Duration) -> io::Result<()> {
    printer.line(format!("symbolon {} is up", env!("CARGO_PKG_VERSION")))?;
    for vm in &instance.vms {
        printer.line("")?;
        printer.line(format!("VM {}", vm.name))?;
        printer.line(format!("  metadata service  {}", vm.imds))?;
        if let Some(extension) = &vm.extension {
            printer.line(format!("  extension         {extension}"))?;
        }
        for identity in &vm.identities {
            let name = if identity.kind == "SystemAssigned" { "system-assigned" } else { &identity.name };
            printer.line(format!("  identity          {name}, client id {}", identity.client_id))?;
        }
    }
    printer.line("")?;
    printer.line(format!("authority           {}", instance.authority))?;
    printer.line(format!("its CA              {}", instance.ca_file.display()))?;
    printer.line(format!("metrics             {}/metrics", instance.metrics))?;
    printer.line(format!("tenant              {}", instance.tenant_id))?;
    printer.line(format!("subscription        {}", instance.subscription_id))?;
    printer.line(format!("data                {data}"))?;
    if let Some(imds) = &instance.imds {
        printer.line("")?;
        printer
            .line("Lead Azure SDKs to the metadata service (not those for Go and Rust; see: symbolon run --help):")?;
        printer.line(format!("  {}", env::line(EnvFormat::Sh, AZURE_POD_IDENTITY_AUTHORITY_HOST, imds)))?;
        if let Some(extension) = &instance.extension {
            printer.line("or to the extension:")?;
            printer.line(format!("  {}", env::line(EnvFormat::Sh, MSI_ENDPOINT, extension)))?;
        }
        printer.line("Ask by hand:")?;
        printer.line(format!(
            "  curl -s -H Metadata:true '{imds}/metadata/identity/oauth2/token?api-version=2018-02-01\
             &resource=https://management.azure.com/'"
        ))?;
    }
    printer.line("")?;
    printer.line(format!("ready in {} ms", took.as_millis()))
}
