//! `symbolon deployment`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::arm::{ArmArgs, LongArgs, NamedArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentCommand {
    /// List the deployments of a resource group
    List(ArmArgs),
    /// Show a deployment
    Show(NamedArgs),
    /// Deploy a template
    Create(DeploymentCreateArgs),
    /// Check a template and change nothing
    Validate(DeploymentCheckArgs),
    /// Tell what a template would change, and change nothing
    WhatIf(DeploymentCheckArgs),
    /// Print a template of what is in the resource group
    Export(ArmArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// What the template doesn't name stays
    Incremental,
    /// What the template doesn't name is deleted
    Complete,
}

#[derive(Debug, Args)]
pub(crate) struct TemplateArgs {
    /// The template: JSON, which may have comments
    #[arg(long, value_name = "FILE")]
    pub(crate) template: PathBuf,
    /// Values for its parameters: a file, or NAME=VALUE, where a VALUE that reads as JSON is JSON; may be repeated
    #[arg(long, value_name = "FILE|NAME=VALUE", num_args = 1..)]
    pub(crate) parameters: Vec<String>,
    /// What becomes of what the template doesn't name
    #[arg(long, value_enum, default_value = "incremental")]
    pub(crate) mode: Mode,
}

#[derive(Debug, Args)]
pub(crate) struct DeploymentCreateArgs {
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) template: TemplateArgs,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeploymentCheckArgs {
    /// Its name
    #[arg(default_value = "check")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) template: TemplateArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}
