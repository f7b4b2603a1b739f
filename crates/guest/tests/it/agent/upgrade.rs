//! An upgrade in the middle of which the agent is ended.

use std::fs;

use contract::guest_agent::WantedState::Enabled;

use super::package::{NAME, manifest, offer, package, wanted};
use super::world::{World, of_handler};

const OLD: &str = "1.0.0.0";
const NEW: &str = "1.0.1.0";
const STEPS: [(&str, &str); 5] =
    [(OLD, "disable"), (NEW, "update"), (OLD, "uninstall"), (NEW, "install"), (NEW, "enable")];

/// A machine on which the old version is at work.
async fn world() -> (World, String) {
    let world = World::new().await;
    let packages = [OLD, NEW].map(|version| (version, package(version, &manifest()), None));
    let listed = offer(&world.host, NAME, &packages);
    let number = world.host.want(vec![wanted(&listed, OLD, Enabled, 0)]);
    world.gone_through(number).await;
    world.forget_calls();
    (world, listed)
}

/// Wants the new version and ends the agent while the step of this number is being done.
async fn ended_in(world: &mut World, listed: &str, step: usize) -> u64 {
    let waits = format!("{}-waits", STEPS[step].1);
    world.note(&waits, "");
    let number = world.host.want(vec![wanted(listed, NEW, Enabled, 0)]);
    world.until(|| world.calls().len() == step + 1).await;
    world.kill_agent().await;
    world.unnote(&waits);
    number
}

fn lines(steps: &[(&str, &str)]) -> Vec<String> {
    steps.iter().map(|(version, command)| format!("{version} {command}")).collect()
}

#[tokio::test]
async fn an_agent_that_is_ended_between_two_steps_goes_on_with_the_second() {
    for step in 0..STEPS.len() {
        let (mut world, listed) = world().await;
        let number = ended_in(&mut world, &listed, step).await;
        fs::write(world.folder(NAME, NEW).join("carried"), "over").expect("written");
        assert!(step == 4 || world.folder(NAME, OLD).exists(), "{step}: it stays until the new one is installed");
        // What is done would fail if it were done again.
        for (_, command) in &STEPS[..step] {
            world.note(&format!("{command}-code"), "9");
        }
        world.start_agent();
        let blob = world.gone_through(number).await;
        assert_eq!(of_handler(&blob), ("Ready", 0, "Plugin enabled"), "{step}");
        let order = [lines(&STEPS[..=step]), lines(&STEPS[step..])].concat();
        assert_eq!(world.commands(), order, "{step}");
        let told = |version: &str, command: &str, what: &str| {
            let start = format!("{version} {command} ");
            let mut calls = world.calls().into_iter().filter(|call| call.starts_with(&start)).peekable();
            assert!(calls.peek().is_some() && calls.all(|call| call.contains(what)), "{step}: {:?}", world.calls());
        };
        told(NEW, "update", " disabled=0 from=1.0.0.0 to=1.0.1.0 ");
        told(NEW, "install", " uninstalled=0 ");
        told(NEW, "enable", " uninstalled=0 ");
        let folder = world.folder(NAME, NEW);
        assert_eq!(fs::read_to_string(folder.join("carried")).expect("kept"), "over", "{step}");
        assert!(!world.folder(NAME, OLD).exists() && !folder.join("config/ExchangeState").exists(), "{step}");
    }
}

#[tokio::test]
async fn one_that_is_ended_in_an_upgrade_can_go_back_and_forth() {
    for step in 0..STEPS.len() - 1 {
        let (mut world, listed) = world().await;
        ended_in(&mut world, &listed, step).await;
        world.start_agent();
        let number = world.host.want(vec![wanted(&listed, OLD, Enabled, 1)]);
        let blob = world.gone_through(number).await;
        assert_eq!(of_handler(&blob).0, "Ready", "{step}: {blob:#?}");
        assert_eq!(world.state(NAME, OLD), "Enabled", "{step}");
        world.forget_calls();
        let number = world.host.want(vec![wanted(&listed, NEW, Enabled, 2)]);
        assert_eq!(of_handler(&world.gone_through(number).await).0, "Ready", "{step}");
        assert_eq!(world.commands(), lines(&STEPS), "{step}");
        assert!(!world.folder(NAME, OLD).exists(), "{step}");
    }
}
