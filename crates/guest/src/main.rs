//! `symbolon-guest`: what runs inside a VM.

mod args;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use args::{AgentArgs, Args, Command, ServeArgs};
use clap::Parser;
use guest::agent::Agent;
use guest::agent::host::Host;
use guest::env_vars;
use guest::handler::failure::{Code, Failure};
use guest::handler::place::Place;
use guest::handler::watch::Watch;
use guest::handler::{self, Machine, launch};
use guest::log_file::LogFile;
use guest::resolver::Resolver;
use guest::time::Time;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    let args = Args::parse();
    guest::hardening::harden();
    match args.command {
        Command::Agent(args) => done(agent(&args)),
        Command::Install => done(command(handler::Command::Install)),
        Command::Enable => done(command(handler::Command::Enable)),
        Command::Disable => done(command(handler::Command::Disable)),
        Command::Update => done(command(handler::Command::Update)),
        Command::Uninstall => done(command(handler::Command::Uninstall)),
        Command::Serve(args) => done(serve(&args)),
        Command::Watch(args) => done(watch(&args)),
    }
}

/// The guest agent. It isn't a handler, so its lines go where whoever started it looks.
fn agent(args: &AgentArgs) -> Result<(), Failure> {
    let lines = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::INFO);
    lines.with_writer(std::io::stderr).init();
    let told = |why: &dyn std::error::Error| Failure::of(Code::Place, why);
    let root = std::path::absolute(&args.root).map_err(|why| told(&why))?;
    let names = Arc::new(Resolver::new(&root));
    let host = Host::new(&args.host, args.plugin_port, names).map_err(|why| told(&why))?;
    let agent = Agent::new(root, host, Duration::from_secs(args.period), Time::system()).map_err(|why| told(&why))?;
    runtime()?.block_on(async {
        let end = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let [terminate, interrupt] = end;
        let (mut terminate, mut interrupt) =
            (terminate.map_err(|why| told(&why))?, interrupt.map_err(|why| told(&why))?);
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        agent.run(end).await;
        Ok(())
    })
}

/// A handler's command.
fn command(command: handler::Command) -> Result<(), Failure> {
    let program = launch::program()?;
    let place = Place::of(&program)?;
    log(&place);
    let sequence = env_vars::read(env_vars::SEQUENCE).map(|text| {
        let wrong = || Failure::new(Code::Settings, format!("{} isn't a number", env_vars::SEQUENCE));
        text.parse().map_err(|_| wrong())
    });
    let machine = Machine {
        names: Arc::new(Resolver::new(&place.root)),
        place,
        program,
        time: Time::system(),
        sequence: sequence.transpose()?,
        updating_from: env_vars::read(env_vars::UPDATING_FROM),
    };
    runtime()?.block_on(handler::run(command, &machine))
}

/// The process that serves.
fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let place = part()?;
    runtime()?.block_on(handler::serve(&place, args.port, args.launch.clone(), &Time::system(), tell));
    Ok(())
}

/// The process that watches over it.
fn watch(args: &ServeArgs) -> Result<(), Failure> {
    let place = part()?;
    let (program, launch) = (launch::program()?, args.launch.clone());
    let watch = Watch { program: &program, sequence: args.sequence, port: args.port, launch };
    runtime()?.block_on(watch.run(&place, &Time::system(), tell));
    Ok(())
}

/// Leaves the session of whoever started this process.
fn part() -> Result<Place, Failure> {
    // The leader of a session has left already.
    let _ = rustix::process::setsid();
    let place = Place::of(&launch::program()?)?;
    log(&place);
    Ok(place)
}

/// Says to whoever started this process how that went, and closes what it had of them.
fn tell(report: &launch::Report) {
    let line = serde_json::to_string(report).unwrap_or_default();
    // Nobody may be listening; then the log has it.
    drop(writeln!(std::io::stdout(), "{line}"));
    if let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

/// Log lines go where an agent lets its handlers log, and nowhere else. What is refused to callers isn't among them: who
/// calls could fill the log.
fn log(place: &Place) {
    let file = LogFile::new(place.logs.clone(), "handler.log");
    let wanted = Targets::new().with_target("guest::handler", LevelFilter::INFO).with_default(LevelFilter::WARN);
    // What can't be logged is lost, and isn't told to whoever keeps what a command says.
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).log_internal_errors(false);
    tracing_subscriber::registry().with(lines.with_writer(move || file.clone()).with_filter(wanted)).init();
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|why| Failure::of(Code::Endpoint, &why))
}

fn done(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Whoever runs a handler's command keeps what it says here.
            drop(writeln!(std::io::stderr(), "{}: {failure}", u8::from(failure.code)));
            ExitCode::from(u8::from(failure.code))
        }
    }
}
