//! What can go wrong, as the host hears of it.

use std::fs;
use std::time::SystemTime;

use contract::guest_agent::WantedExtension;
use contract::guest_agent::WantedState::{Disabled, Enabled, Uninstall};
use contract::guest_agent::handler::{HandlerManifest, Heartbeat, MAX_STATUS};
use contract::guest_agent::package_manifest::{Package, PackageManifest};
use contract::guest_agent::status_blob::StatusBlob;

use super::package::{NAME, manifest, offer, package, wanted, zipped};
use super::world::{World, of_handler, of_settings, only};

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_code_and_its_words_and_recovers() {
    let world = World::new().await;
    let listed = offer(&world.host, NAME, &[("1.0.0.0", package("1.0.0.0", &manifest()), None)]);
    world.note("install-code", "7");
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    assert_eq!((of_handler(&blob).0, of_handler(&blob).1), ("NotReady", 1007));
    world.unnote("install-code");
    world.note("enable-code", "52");
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    let (status, code, message) = of_handler(&blob);
    assert_eq!((status, code), ("NotReady", 1009));
    let path = world.folder(NAME, "1.0.0.0").join("handler.sh enable");
    let start =
        format!("[ExtensionOperationError] Non-zero exit code: 52, {}\n[stdout]\nit fails on purpose", path.display());
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(world.commands(), ["1.0.0.0 install", "1.0.0.0 install", "1.0.0.0 enable"]);
    let noted = fs::read_to_string(world.folder(NAME, "1.0.0.0").join("config/HandlerStatus")).expect("noted");
    assert!(noted.contains("\"code\":1009"), "{noted}");

    // With the next settings nothing has failed before they are tried.
    world.note("enable-waits", "");
    world.unnote("enable-code");
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 1)]);
    world.status(|blob| of_settings(blob).0 == 1 && of_settings(blob).1 == "transitioning").await;
    world.unnote("enable-waits");
    assert_eq!(of_handler(&world.gone_through(number).await), ("Ready", 0, "Plugin enabled"));
    for blob in world.host.statuses() {
        let handlers = &blob.aggregate_status.handler_aggregate_status;
        let settings = handlers.first().and_then(|handler| handler.runtime_settings_status.as_ref());
        if settings.is_some_and(|settings| settings.sequence_number == 1) {
            assert_ne!(of_handler(&blob).0, "NotReady", "{blob:#?}");
        }
    }
    world.note("disable-code", "3");
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Disabled, 1)]);
    assert_eq!(of_handler(&world.gone_through(number).await).1, 1010);
    // Who is to go goes all the same.
    world.note("uninstall-code", "4");
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Uninstall, 1)]);
    let blob = world.gone_through(number).await;
    assert!(blob.aggregate_status.handler_aggregate_status.is_empty());
    assert!(!world.folder(NAME, "1.0.0.0").exists());
}

#[tokio::test]
async fn a_version_that_there_is_not_leaves_the_old_one_at_work() {
    let world = World::new().await;
    let listed = offer(&world.host, NAME, &[("1.0.0.0", package("1.0.0.0", &manifest()), None)]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    world.forget_calls();
    let number = world.host.want(vec![wanted(&listed, "1.0.9.9", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    let message = format!("[ExtensionError] Unable to find version 1.0.9.9 in manifest for extension {NAME}");
    assert_eq!(of_handler(&blob), ("NotReady", -1, message.as_str()));
    assert_eq!((world.calls().len(), world.state(NAME, "1.0.0.0")), (0, "Enabled".to_owned()));
}

#[tokio::test]
async fn an_upgrade_that_fails_is_tried_again_or_goes_on_as_the_package_says() {
    for go_on in [false, true] {
        let world = World::new().await;
        let new = HandlerManifest { continue_on_update_failure: go_on, ..manifest() };
        let packages =
            [("1.0.0.0", package("1.0.0.0", &manifest()), None), ("1.0.1.0", package("1.0.1.0", &new), None)];
        let listed = offer(&world.host, NAME, &packages);
        let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
        world.gone_through(number).await;
        world.forget_calls();
        world.note("disable-code", "9");
        let number = world.host.want(vec![wanted(&listed, "1.0.1.0", Enabled, 0)]);
        let blob = world.gone_through(number).await;
        if go_on {
            assert_eq!(of_handler(&blob).0, "Ready");
            assert!(world.calls()[1].contains("disabled=9"), "{:?}", world.calls());
        } else {
            assert_eq!(of_handler(&blob).1, 1008);
            assert_eq!(world.commands(), ["1.0.0.0 disable"]);
            assert_eq!(world.state(NAME, "1.0.1.0"), "FailedUpgrade");
            world.unnote("disable-code");
            let number = world.host.want(vec![wanted(&listed, "1.0.1.0", Enabled, 0)]);
            assert_eq!(of_handler(&world.gone_through(number).await).0, "Ready");
        }
        assert!(!world.folder(NAME, "1.0.0.0").exists());
    }
}

#[tokio::test]
async fn packages_that_are_none_are_refused_and_leave_nothing() {
    let world = World::new().await;
    let good = package("1.0.0.0", &manifest());
    let truncated = good[..good.len() / 2].to_vec();
    let slip = zipped(&[("HandlerManifest.json", manifest().text().as_bytes()), ("../evil", b"x")]);
    let bare = zipped(&[("handler.sh", b"#!/bin/sh\n")]);
    let wrong_digest = Some("0".repeat(64));
    let packages = [
        (truncated, None, 1001, "is no sound zip file"),
        (slip, None, 1001, "which isn't a place in its own folder"),
        (good.clone(), wrong_digest, 1001, "isn't what was announced"),
        (b"no zip".to_vec(), None, 1001, "is no sound zip file"),
        (bare, None, -1, "the package has no HandlerManifest.json"),
    ];
    for (bytes, digest, code, words) in packages {
        let listed = offer(&world.host, NAME, &[("1.0.0.0", bytes, digest)]);
        let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
        let blob = world.gone_through(number).await;
        let (status, found, message) = of_handler(&blob);
        assert_eq!((status, found), ("NotReady", code), "{message}");
        assert!(message.contains(words), "{message}");
        assert!(!world.home().join("evil").exists());
        let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Uninstall, 0)]);
        world.gone_through(number).await;
        assert!(!world.folder(NAME, "1.0.0.0").exists());
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &good);
    let digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let listed = offer(&world.host, NAME, &[("1.0.0.0", good, Some(digest))]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    assert_eq!(of_handler(&world.gone_through(number).await).0, "Ready");

    for (path, manifest) in
        [("/m1", "no XML"), ("/m2", "<PluginVersionManifest><Plugins><Plugin/></Plugins></PluginVersionManifest>")]
    {
        let listed = world.host.put(path, manifest.as_bytes().to_vec());
        let number = world.host.want(vec![wanted(&listed, "2.0.0.0", Enabled, 0)]);
        assert_eq!(of_handler(&world.gone_through(number).await).1, 1001);
    }
}

#[tokio::test]
async fn a_package_that_comes_later_is_found_without_another_goal_state() {
    let world = World::new().await;
    let listed = format!("http://{}/extensions/{NAME}/manifest.xml", world.host.wire);
    let other = offer(&world.host, "Other.Extension", &[("1.0.0.0", package("1.0.0.0", &manifest()), None)]);
    let other = WantedExtension { name: "Other.Extension".to_owned(), ..wanted(&other, "1.0.0.0", Enabled, 0) };
    let number = world.host.want(vec![other, wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    let codes = |blob: &StatusBlob| {
        let handlers = &blob.aggregate_status.handler_aggregate_status;
        handlers.iter().map(|handler| (handler.status.clone(), handler.code)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&blob), [("Ready".to_owned(), 0), ("NotReady".to_owned(), 1001)]);
    let tries = || world.host.asked(&format!("GET /extensions/{NAME}/"));
    world.until(|| tries() > 2).await;
    // It is told as it is meanwhile.
    assert_eq!(codes(&world.host.status().expect("a status"))[1].1, 1001);
    offer(&world.host, NAME, &[("1.0.0.0", package("1.0.0.0", &manifest()), None)]);
    world.status(|blob| codes(blob) == [("Ready".to_owned(), 0), ("Ready".to_owned(), 0)]).await;
    // The one that was well is left alone.
    assert_eq!(world.commands(), ["1.0.0.0 install", "1.0.0.0 enable", "1.0.0.0 install", "1.0.0.0 enable"]);
    // Nothing is tried again of what is well, or of what isn't wanted any more.
    let found = tries();
    let gone = format!("http://{}/nothing", world.host.wire);
    let number = world.host.want(vec![wanted(&gone, "2.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    let number = world.host.want(Vec::new());
    world.gone_through(number).await;
    let (asked, failed) = (world.host.asked("PUT /status"), world.host.asked("GET /nothing"));
    world.until(|| world.host.asked("PUT /status") > asked + 10).await;
    assert_eq!((tries(), world.host.asked("GET /nothing")), (found, failed));
}

#[tokio::test]
async fn a_signature_in_a_url_is_not_told() {
    let world = World::new().await;
    let gone = format!("http://{}/nothing?sig=secret", world.host.wire);
    let number = world.host.want(vec![wanted(&gone, "2.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    let message = format!("[ExtensionError] http://{}/nothing answered 404 Not Found", world.host.wire);
    assert_eq!(of_handler(&blob), ("NotReady", 1001, message.as_str()));

    let other = world.host.put("/other?sig=secret", b"something else".to_vec());
    let listed = PackageManifest {
        packages: vec![Package { version: "2.0.0.0".to_owned(), uris: vec![other], sha256: Some("0".repeat(64)) }],
    };
    let listed = world.host.put("/listed?sig=secret", listed.xml().into_bytes());
    let number = world.host.want(vec![wanted(&listed, "2.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    let (_, code, message) = of_handler(&blob);
    assert!(message.ends_with("/other isn't what was announced"), "{message}");
    assert_eq!(fs::read_dir(world.home()).expect("a folder").count(), 0, "nothing of it is left");
    assert_eq!((code, message.contains("secret")), (1001, false));
}

#[tokio::test]
async fn statuses_that_are_none_or_too_long_are_told_so() {
    let world = World::new().await;
    let listed = offer(&world.host, NAME, &[("1.0.0.0", package("1.0.0.0", &manifest()), None)]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    world.gone_through(number).await;
    let file = world.folder(NAME, "1.0.0.0").join("status/0.status");
    fs::write(&file, "[{\"status\":{\"status\":\"splendid\"}}]").expect("written");
    world.status(|blob| of_settings(blob).1 == "error" && of_settings(blob).2.contains("0.status: ")).await;
    fs::write(&file, "[[[\"success\"]]]").expect("written");
    world.status(|blob| of_settings(blob).1 == "error" && of_settings(blob).2.contains("isn't a status file")).await;
    let long = "x".repeat(MAX_STATUS);
    let status = format!("[{{\"status\":{{\"status\":\"success\",\"formattedMessage\":{{\"message\":\"{long}\"}}}}}}]");
    fs::write(&file, status).expect("written");
    world.status(|blob| of_settings(blob).1 == "success" && of_settings(blob).2.len() == 1_024).await;
    for status in [
        format!("{{\"status\":\"success\",\"name\":\"{long}\",\"formattedMessage\":{{\"message\":\"fine\"}}}}"),
        format!("{{\"status\":\"success\",\"formattedMessage\":{{\"message\":\"fine\",\"more\":\"{long}\"}}}}"),
        format!("{{\"status\":\"success\",\"formattedMessage\":{{\"message\":\"fine\"}},\"substatus\":\"{long}\"}}"),
    ] {
        fs::write(&file, format!("[{{\"status\":{status},\"{long}\":1}}]")).expect("written");
        let blob = world.status(|blob| of_settings(blob).2.contains("the agent left out ")).await;
        let length = serde_json::to_vec(&only(&blob).runtime_settings_status).expect("JSON").len();
        assert!(of_settings(&blob).1 == "success" && length < MAX_STATUS, "{length}");
        fs::write(&file, "[]").expect("written");
        world.status(|blob| of_settings(blob).1 == "error").await;
    }
    fs::write(&file, "x".repeat(MAX_STATUS * 5)).expect("written");
    world.status(|blob| of_settings(blob).1 == "error" && of_settings(blob).2.contains("it is longer than")).await;
    fs::remove_file(&file).expect("removed");
    let blob = world.status(|blob| of_settings(blob).1 == "transitioning").await;
    let message = of_settings(&blob).2;
    assert!(message.starts_with("This status is being reported by the Guest Agent since no status file"), "{message}");
    std::os::unix::fs::symlink("/etc/passwd", &file).expect("a link");
    world.status(|blob| of_settings(blob).1 == "error" && !of_settings(blob).2.contains("root:")).await;
}

#[tokio::test]
async fn a_heartbeat_is_judged_where_one_was_announced() {
    let world = World::new().await;
    let beating = HandlerManifest { report_heartbeat: true, ..manifest() };
    let listed = offer(&world.host, NAME, &[("1.0.0.0", package("1.0.0.0", &beating), None)]);
    let number = world.host.want(vec![wanted(&listed, "1.0.0.0", Enabled, 0)]);
    let blob = world.gone_through(number).await;
    assert_eq!(of_handler(&blob).0, "NotReady");
    assert!(of_handler(&blob).2.starts_with("[ExtensionError] Failed to get heart beat file "));
    let file = world.folder(NAME, "1.0.0.0").join("heartbeat.log");
    let beat = |status: &str| {
        let (status, message) = (status.to_owned(), "so it says".to_owned());
        fs::write(&file, Heartbeat { status, code: 0, message }.text()).expect("written");
    };
    beat("Ready");
    world.status(|blob| of_handler(blob) == ("Ready", 0, "Plugin enabled")).await;
    beat("NotReady");
    world.status(|blob| of_handler(blob) == ("NotReady", 0, "so it says")).await;
    fs::write(&file, "no JSON").expect("written");
    world.status(|blob| of_handler(blob).2.ends_with("isn't a heartbeat")).await;
    beat("Ready");
    // By the wall clock it is old, and it has only just come.
    let file = fs::File::options().write(true).open(&file).expect("open");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
    let asked = world.host.asked("PUT /status");
    world.until(|| world.host.asked("PUT /status") > asked + 2).await;
    world.status(|blob| of_handler(blob) == ("Ready", 0, "Plugin enabled")).await;
}
