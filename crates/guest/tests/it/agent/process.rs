//! The agent as a program.

use std::fs;
use std::process::Stdio;

use contract::guest_agent::WantedState::Enabled;
use tokio::process::{Child, Command};

use super::package::{NAME, manifest, offer, wanted, zipped};
use super::world::World;

fn program(world: &World) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_symbolon-guest"));
    program.args(["agent", "--host", &format!("http://{}", world.host.wire), "--period", "1"]);
    program.args(["--plugin-port", &world.host.plugin.port().to_string()]).arg("--root").arg(world.root());
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    program
}

fn started(world: &World) -> Child {
    program(world).spawn().expect("started")
}

#[tokio::test]
async fn what_a_handler_makes_is_not_hidden_as_the_agents_own_files_are() {
    let world = World::without_agent().await;
    let script = b"#!/bin/sh\numask > ../umask-of-$1\n";
    let package = zipped(&[("HandlerManifest.json", manifest().text().as_bytes()), ("handler.sh", script)]);
    let listed = offer(&world.host, NAME, &[("1.0.0.0", package, None)]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let _agent = started(&world);
    world.gone_through(number).await;
    for command in ["install", "enable"] {
        let umask = fs::read_to_string(world.library().join(format!("umask-of-{command}"))).expect("told");
        assert_eq!(umask.trim(), "0022", "{command}");
    }
}
