//! What `up` says when it is ready.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::instance::{Admin, Instance};
use super::world::ADMIN_FILE;
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
    if let Some(issuer) = &instance.issuer_certificate {
        printer.line(format!("served as DER       {issuer}"))?;
    }
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
    print_az(printer, instance)?;
    printer.line("")?;
    printer.line(format!("ready in {} ms", took.as_millis()))
}

/// The lines that bring the Azure CLI here. They work as pasted; the secret itself isn't in them.
fn print_az(printer: &Printer, instance: &Instance) -> io::Result<()> {
    // The CA lies in a folder of its own in the data directory.
    let (Some(admin), Some(data)) = (&instance.admin, instance.ca_file.ancestors().nth(2)) else { return Ok(()) };
    printer.line("")?;
    printer.line("Lead the Azure CLI here, as the admin:")?;
    for line in az_login(instance, admin, data) {
        printer.line(format!("  {line}"))?;
    }
    if let Some(imds) = &instance.imds {
        printer.line("or as the first VM, whose identity sees what roles let it:")?;
        let host = format!("{AZURE_POD_IDENTITY_AUTHORITY_HOST}={}", quoted(imds));
        printer.line(format!("  {host} az login --identity --allow-no-subscriptions"))?;
    }
    Ok(())
}

fn az_login(instance: &Instance, admin: &Admin, data: &Path) -> [String; 5] {
    let secret = quoted(&data.join(ADMIN_FILE).display().to_string());
    [
        format!("export REQUESTS_CA_BUNDLE={}", quoted(&instance.ca_file.display().to_string())),
        "az config set core.instance_discovery=false".to_owned(),
        format!("az cloud register -n symbolon --endpoint-resource-manager {}", instance.arm),
        "az cloud set -n symbolon".to_owned(),
        // With `=`, because a secret may begin with a hyphen.
        format!(
            "az login --service-principal -u {} --password=\"$(cut -d'\"' -f4 {secret})\" --tenant {}",
            admin.client_id, instance.tenant_id
        ),
    ]
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(&byte));
    if plain && !text.is_empty() { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        assert_eq!(quoted("/a/b-c.d"), "/a/b-c.d");
        assert_eq!(quoted("/a b/it's"), "'/a b/it'\\''s'");
    }
}
