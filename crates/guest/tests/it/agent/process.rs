//! The agent as a program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Output, Stdio};

use contract::guest_agent::WantedState::Enabled;
use tokio::process::{Child, Command};

use super::package::{NAME, manifest, offer, wanted, zipped};
use super::world::{PATIENCE, World};

fn program(world: &World) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_symbolon-guest"));
    program.args(["agent", "--host", &format!("http://{}", world.host.wire), "--period", "1"]);
    program.args(["--plugin-port", &world.host.plugin.port().to_string()]).arg("--root").arg(world.root());
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    program
}

/// What a program says and how it ends that isn't to go on.
async fn refused(world: &World) -> Output {
    let ended = program(world).spawn().expect("started").wait_with_output();
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends").expect("its end")
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
        let umask = fs::read_to_string(world.home().join(format!("umask-of-{command}"))).expect("told");
        assert_eq!(umask.trim(), "0022", "{command}");
    }
}

#[tokio::test]
async fn there_is_one_agent_on_a_machine() {
    let world = World::without_agent().await;
    let number = world.host.want(Vec::new());
    let mut agent = started(&world);
    world.gone_through(number).await;
    let second = refused(&world).await;
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success());
    assert!(said.contains(&format!("another agent is at work in {}", world.home().display())), "{said}");
    // However the first one ends, the next one has its place.
    agent.kill().await.expect("killed");
    let next = world.host.want(Vec::new());
    let _agent = started(&world);
    world.gone_through(next).await;
}

#[tokio::test]
async fn it_does_not_work_where_others_can_change_what_it_runs() {
    let world = World::without_agent().await;
    world.host.want(Vec::new());
    let elsewhere = world.root().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    fs::create_dir_all(world.home().parent().expect("a folder")).expect("made");
    symlink(&elsewhere, world.home()).expect("a link");
    let linked = refused(&world).await;
    fs::remove_file(world.home()).expect("removed");
    fs::create_dir(world.home()).expect("made");
    fs::set_permissions(world.home(), fs::Permissions::from_mode(0o777)).expect("set");
    let loose = refused(&world).await;
    for Output { status, stderr, .. } in [linked, loose] {
        let said = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && said.contains(&format!("{} can be changed", world.home().display())), "{said}");
    }
    assert!(fs::read_dir(&elsewhere).expect("a folder").next().is_none());
}
