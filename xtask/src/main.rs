//! The project's own commands: `cargo xtask check|test|tidy|bench|compat|fuzz|gen|package-extension`.

mod check;
mod compat;
mod fuzz;
mod generate;
mod package;
mod process;
mod stages;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints, documents, structure, licences: everything but the tests
    Check,
    /// All tests, with the real clients
    Test(test::TestArgs),
    /// The structure: who imports whom, how long files are, what documents name
    Tidy,
    /// The benchmarks; prints one table and writes docs/reference/performance.md
    Bench(test::BenchArgs),
    /// Real clients against a running symbolon
    Compat(compat::CompatArgs),
    /// Fuzz targets, each for some time
    Fuzz(fuzz::FuzzArgs),
    /// Documents that are made from the program
    Gen(generate::GenArgs),
    /// The package of the VM extension, which a guest agent installs
    PackageExtension(package::PackageArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check => check::check(),
        Command::Test(args) => test::test(&args),
        Command::Tidy => tidy::tidy(),
        Command::Bench(args) => test::bench(&args),
        Command::Compat(args) => compat::compat(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Gen(args) => generate::generate(&args),
        Command::PackageExtension(args) => package::package(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
