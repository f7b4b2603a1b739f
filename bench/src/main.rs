//! The benchmarks: ratios between symbolon and baselines, measured side by side in one run.
//!
//! Only ratios count: machines are noisy. The server under test runs on the first processor, the load on the
//! second; what is compared is the CPU time that a server's process used for each request, read from the
//! kernel, over rounds that alternate between the two.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark reads the clock and prints a table")]

mod baseline;
mod control_plane;
mod data_plane;
mod flood;
mod in_process;
mod load;
mod process;
mod scan;
mod startup;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use crate::table::Table;

/// The benchmarks.
#[derive(Parser)]
struct Args {
    /// Few rounds: whether they run, not what they say
    #[arg(long)]
    short: bool,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
    /// Where the table is written, as Markdown
    #[arg(long)]
    out: Option<PathBuf>,
    /// The program under test
    #[arg(long, default_value = "target/release/symbolon")]
    binary: PathBuf,

    /// Be the baseline server instead, with an answer's body of so many bytes
    #[arg(long, hide = true)]
    baseline: Option<usize>,
    /// Take a random byte, say so, and wait to be ended
    #[arg(long, hide = true)]
    random: bool,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    DataPlane,
    ControlPlane,
    GoalState,
    Startup,
    Scan,
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) machines: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(length) = args.baseline {
        return baseline::serve(length);
    }
    if args.random {
        aws_lc_rs::rand::fill(&mut [0; 1]).ok().context("no random byte")?;
        println!("{{}}");
        loop {
            std::thread::park();
        }
    }
    let effort = if args.short {
        Effort { rounds: 2, requests: 4_000, machines: 5_000 }
    } else {
        Effort { rounds: 9, requests: 40_000, machines: 100_000 }
    };
    let mut table = Table::default();
    let wanted = |part| args.only.is_none_or(|only| only == part);
    if wanted(Part::DataPlane) {
        let request = data_plane::measure(&args.binary, effort, &mut table)?;
        flood::measure(&args.binary, effort, request, &mut table)?;
        in_process::measure(effort, request, &mut table)?;
    }
    if wanted(Part::ControlPlane) {
        control_plane::measure(effort, &mut table)?;
    }
    if wanted(Part::GoalState) {
        control_plane::goal_states(effort, &mut table)?;
    }
    if wanted(Part::Startup) {
        startup::measure(&args.binary, effort, &mut table)?;
    }
    if wanted(Part::Scan) {
        scan::measure(&args.binary, effort, &mut table)?;
    }
    let text = table.markdown();
    println!("{text}");
    if let Some(out) = args.out {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(out, format!("{}{text}", table::HEAD))?;
    }
    Ok(())
}
