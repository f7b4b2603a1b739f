//! `symbolon deployment`: templates, on a running `up`.

mod create;
mod export;
mod list;
mod show;
mod template;
mod validate;
mod what_if;

use super::ExitStatus;
use crate::args::deployment::DeploymentCommand;
use crate::printer::Printer;

pub(crate) async fn deployment(command: &DeploymentCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        DeploymentCommand::List(args) => list::list(args, printer).await,
        DeploymentCommand::Show(args) => show::show(args, printer).await,
        DeploymentCommand::Create(args) => create::create(args, printer).await,
        DeploymentCommand::Validate(args) => validate::validate(args, printer).await,
        DeploymentCommand::WhatIf(args) => what_if::what_if(args, printer).await,
        DeploymentCommand::Export(args) => export::export(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
