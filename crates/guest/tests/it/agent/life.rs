//! The life of an extension, as a host wants it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use contract::guest_agent::WantedState::{Disabled, Enabled, Uninstall};
use contract::guest_agent::{Protected, WantedExtension};

use super::package::{NAME, manifest, offer, package, wanted};
use super::world::{World, of_handler, of_settings, only};

/// A machine with two versions on offer, and where they are listed.
async fn world() -> (World, String) {
    let world = World::new().await;
    let packages = ["1.0.0.0", "1.0.1.0"].map(|version| (version, package(version, &manifest()), None));
    let listed = offer(&world.host, NAME, &packages);
    (world, listed)
}

#[tokio::test]
async fn from_install_to_uninstall() {
    let (world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    assert_eq!(of_handler(&blob), ("Ready", 0, "Plugin enabled"));
    assert_eq!(of_settings(&blob), (0, "success", "done of 1.0.0.0"));
    assert_eq!(blob.aggregate_status.guest_agent_status.status, "Ready");
    assert_eq!(blob.guest_os_info.as_ref().expect("a system")["osName"], "debian");
    let told = |command: &str, rest: &str| {
        format!("1.0.0.0 {command} seq=0 in={NAME}-1.0.0.0 of=1.0.0.0 {rest} disabled= from= to= at=127.0.0.1")
    };
    let calls = ["install", "enable"].map(|command| told(command, "uninstalled=NOT_RUN"));
    assert_eq!(world.calls(), calls);
    assert_eq!(world.state(NAME, "1.0.0.0"), "Enabled");
    let folder = world.folder(NAME, "1.0.0.0");
    let settings = fs::read_to_string(folder.join("config/0.settings")).expect("settings");
    assert!(settings.contains("{\"number\":0}"), "{settings}");
    for (file, mode) in
        [("config/0.settings", 0o600), ("HandlerEnvironment.json", 0o600), ("", 0o700), ("config", 0o700)]
    {
        let found = fs::metadata(folder.join(file)).expect("there").permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    assert!(!world.home().join("TransportPrivate.pem").exists(), "nothing is protected, so no key is made");

    // Another goal state with the same number: enable again.
    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    assert_eq!(world.commands(), ["1.0.0.0 enable"]);

    // Other settings.
    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 1)]);
    let blob = world.gone_through(number).await;
    assert_eq!(of_settings(&blob).0, 1);
    assert!(world.calls()[0].starts_with("1.0.0.0 enable seq=1 "), "{:?}", world.calls());

    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Disabled, 1)]);
    let blob = world.gone_through(number).await;
    assert_eq!(of_handler(&blob), ("NotReady", 0, "Plugin disabled"));
    assert_eq!((of_settings(&blob).1, world.state(NAME, "1.0.0.0")), ("success", "Installed".to_owned()));

    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 1)]);
    world.gone_through(number).await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Uninstall, 1)]);
    let blob = world.gone_through(number).await;
    assert!(blob.aggregate_status.handler_aggregate_status.is_empty(), "{blob:#?}");
    assert_eq!(world.commands(), ["1.0.0.0 enable", "1.0.0.0 disable", "1.0.0.0 uninstall"]);
    assert!(!folder.exists() && !world.home().join(format!("{NAME}__1.0.0.0.zip")).exists());
    let log = fs::read_to_string(world.root().join("var/log/azure").join(NAME).join("CommandExecution.log"));
    assert!(log.expect("the log stays").contains("handler.sh uninstall: exit status: 0"));

    let number = world.host.want(Vec::new());
    world.gone_through(number).await;
}

#[tokio::test]
async fn an_upgrade_and_a_way_back() {
    let (world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 3)]);
    world.gone_through(number).await;
    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.1.0", Enabled, 3)]);
    let blob = world.gone_through(number).await;
    assert_eq!((only(&blob).handler_version.as_str(), of_handler(&blob).0), ("1.0.1.0", "Ready"));
    let line = |version: &str, command: &str, rest: &str| {
        format!("{version} {command} seq=3 in={NAME}-{version} of={version} {rest} at=127.0.0.1")
    };
    let nothing = "uninstalled= disabled= from= to=";
    let wanted_calls = [
        line("1.0.0.0", "disable", nothing),
        line("1.0.1.0", "update", "uninstalled= disabled=0 from=1.0.0.0 to=1.0.1.0"),
        line("1.0.0.0", "uninstall", nothing),
        line("1.0.1.0", "install", "uninstalled=0 disabled= from= to="),
        line("1.0.1.0", "enable", "uninstalled=0 disabled= from= to="),
    ];
    assert_eq!(world.calls(), wanted_calls);
    assert!(!world.folder(NAME, "1.0.0.0").exists());

    // Back: it is the version that is there which knows how.
    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 3)]);
    world.gone_through(number).await;
    let order = ["1.0.1.0 disable", "1.0.1.0 update", "1.0.1.0 uninstall", "1.0.0.0 install", "1.0.0.0 enable"];
    assert_eq!(world.commands(), order);
}

#[tokio::test]
async fn an_agent_that_starts_again_enables_again() {
    let (mut world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    world.stop_agent().await;
    world.forget_calls();
    world.start_agent();
    world.until(|| !world.calls().is_empty()).await;
    world.gone_through(number).await;
    assert_eq!(world.commands(), ["1.0.0.0 enable"]);
}

#[tokio::test]
async fn another_mark_alone_is_nothing_new() {
    let (mut world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    world.forget_calls();
    world.host.with(|goal| {
        goal.etag = "\"other\"".to_owned();
        goal.extensions = vec![wanted(&listed, "1.0.0.0", Enabled, 1)];
        goal.status_blob_url = "http://blob/elsewhere".to_owned();
    });
    world.until(|| world.host.told_to() == "http://blob/elsewhere").await;
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    // One that has just started knows of no number.
    world.stop_agent().await;
    world.start_agent();
    world.until(|| !world.calls().is_empty()).await;
    world.gone_through(number).await;
    assert!(world.calls()[0].starts_with("1.0.0.0 enable seq=1 "), "{:?}", world.calls());
}

#[tokio::test]
async fn what_is_at_work_is_told_while_it_is() {
    let (world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    world.note("enable-waits", "");
    let next = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 1)]);
    let at_work = |blob: &_| of_settings(blob) == (1, "transitioning", "working of 1.0.0.0");
    let blob = world.status(at_work).await;
    assert_eq!(of_handler(&blob).0, "Ready", "nothing failed");
    let aggregate = &blob.aggregate_status.vm_artifacts_aggregate_status.goal_state_aggregate_status;
    assert_eq!((aggregate.in_svd_seq_no, aggregate.status.as_str()), (Some(number), "Transitioning"));
    world.unnote("enable-waits");
    assert_eq!(of_settings(&world.gone_through(next).await).1, "success");
}

#[tokio::test]
async fn what_is_wanted_meanwhile_comes_next_and_only_the_last_of_it() {
    let (world, listed) = world().await;
    world.note("enable-waits", "");
    world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.until(|| world.commands() == ["1.0.0.0 install", "1.0.0.0 enable"]).await;
    for sequence in 1..=3 {
        let asked = world.host.asked("GET /vmSettings");
        world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, sequence)]);
        world.until(|| world.host.asked("GET /vmSettings") > asked + 1).await;
    }
    world.unnote("enable-waits");
    world.gone_through(4).await;
    assert_eq!(world.calls().len(), 3, "{:?}", world.calls());
    assert!(world.calls()[2].starts_with("1.0.0.0 enable seq=3 "));
}

#[tokio::test]
async fn nothing_new_is_asked_with_the_mark_of_before_and_a_moved_machine_is_found_again() {
    let (world, listed) = world().await;
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    world.forget_calls();
    let asked = world.host.asked("GET /vmSettings");
    world.until(|| world.host.asked("GET /vmSettings") > asked + 5).await;
    assert!(world.calls().is_empty(), "304 is nothing new");
    // The machine is on another host: 410 until the agent asks again which one it is.
    world.host.with(|goal| goal.container_id = "container-2".to_owned());
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 1)]);
    world.gone_through(number).await;
    // A host that is out of order for a while.
    world.host.refuse(&[502, 500, 404, 503]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 2)]);
    world.gone_through(number).await;
}

#[tokio::test]
async fn the_keys_of_a_handler_that_is_left_alone_stay_until_it_goes() {
    let (world, listed) = world().await;
    let thumbprint = envelope::thumbprint(&world.host.certificate());
    let key = world.home().join(format!("{thumbprint}.prv"));
    let protected = Some(Protected { cms_base64: "AA==".to_owned(), thumbprint });
    let number = world.host.want(vec![WantedExtension { protected, ..wanted(&listed, "1.0.0.0", Enabled, 0) }]);
    world.gone_through(number).await;
    assert!(key.exists());
    let number = world.host.want(Vec::new());
    world.gone_through(number).await;
    assert_eq!((key.exists(), world.state(NAME, "1.0.0.0").as_str()), (true, "Enabled"));
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Uninstall, 0)]);
    world.gone_through(number).await;
    assert!(!key.exists() && !world.home().join("TransportPrivate.pem").exists());
}

#[tokio::test]
async fn settings_that_are_none_are_an_empty_file() {
    let (world, listed) = world().await;
    let mut none = wanted(&listed, "1.0.0.0", Enabled, 0);
    none.settings = None;
    let number = world.host.want(vec![none]);
    world.gone_through(number).await;
    let file = world.folder(NAME, "1.0.0.0").join("config/0.settings");
    assert_eq!(fs::read_to_string(file).expect("a file"), "");
}
