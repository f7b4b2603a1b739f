//! symbolon: managed identities for any machine.

mod args;
mod arm;
mod attachment;
mod commands;
mod data_dir;
mod decode;
mod env_vars;
mod files;
mod hardening;
mod host;
mod http_client;
mod logging;
mod playbook_file;
mod printer;
mod retry;
mod seed;
mod up;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::commands::ExitStatus;
use crate::printer::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer;
    match dispatch(cli.command, &printer) {
        Ok(status) => status.into(),
        Err(error) => {
            // Nothing can be done when even this can't be written.
            drop(printer.note(format!("error: {error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        Command::Up(args) => commands::up::up(args, printer),
        Command::Host(args) => commands::host::host(&args, printer),
        Command::Run(args) => commands::run::run(&args),
        Command::Env(args) => commands::env::env(&args, printer),
        Command::Token(args) => small_runtime()?.block_on(commands::token::token(&args, printer)),
        Command::Vm(command) => small_runtime()?.block_on(commands::vm::vm(&command, printer)),
        Command::Vmss(command) => small_runtime()?.block_on(commands::vmss::vmss(&command, printer)),
        Command::Identity(command) => small_runtime()?.block_on(commands::identity::identity(&command, printer)),
        Command::Extension(command) => small_runtime()?.block_on(commands::extension::extension(&command, printer)),
        Command::Event(command) => small_runtime()?.block_on(commands::event::event(&command, printer)),
        Command::Deployment(command) => small_runtime()?.block_on(commands::deployment::deployment(&command, printer)),
        Command::Migrate(command) => small_runtime()?.block_on(commands::migrate::migrate(&command, printer)),
        Command::Playbook(command) => small_runtime()?.block_on(commands::playbook::playbook(&command, printer)),
        Command::Doctor(args) => small_runtime()?.block_on(commands::doctor::doctor(&args, printer)),
        Command::Version(args) => commands::version::version(&args, printer),
    }
}

/// For commands that ask a few questions and end.
fn small_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
