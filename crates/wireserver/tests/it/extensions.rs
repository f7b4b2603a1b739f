//! The package repository.

use super::*;

/// SHA-256 of `package one`.
const DIGEST: &str = "1f9a892e0d2875eda557df4513fe22fd01d36e40377c2eaf466f9666655cca50";

#[tokio::test]
async fn the_agents_own_manifest_is_empty() {
    let answer = World::new().get("/extensions/ga_manifest.xml", "").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.ends_with("<PluginVersionManifest><Plugins></Plugins><InternalPlugins/></PluginVersionManifest>")
    );
}

#[tokio::test]
async fn the_manifest_lists_what_lies_in_the_folder_by_number() {
    let world = World::new();
    let target = format!("/extensions/{EXTENSION}/manifest.xml");
    assert_eq!(world.get(&target, "").await.status, 404);
    for version in ["1.0.10.0", "1.0.9.0", "1.0.0.0"] {
        world.package(EXTENSION, version, "package one");
    }
    for (name, version) in [("Other.Thing", "9.0.0.0"), (EXTENSION, "1.x"), (EXTENSION, "1.0.0.0.0"), ("Nodot", "1.0")]
    {
        world.package(name, version, "not this one");
    }
    std::fs::create_dir(world.folder.path().join(format!("{EXTENSION}-2.0.0.0.zip"))).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", world.folder.path().join(format!("{EXTENSION}-3.0.0.0.zip"))).unwrap();
    let answer = world.get(&target, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml; charset=utf-8")));
    let versions: Vec<&str> =
        answer.body.split("<Version>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(versions, ["1.0.0.0", "1.0.9.0", "1.0.10.0"]);
    let uri = format!("<Uri>http://{}/extensions/{EXTENSION}/{EXTENSION}-1.0.9.0.zip</Uri>", world.wire);
    assert!(answer.body.contains(&uri), "{}", answer.body);
    assert_eq!(answer.body.matches(DIGEST).count(), 3, "{}", answer.body);
    // What happens to the folder is seen.
    world.package(EXTENSION, "1.0.9.0", "package two is longer");
    std::fs::remove_file(world.folder.path().join(format!("{EXTENSION}-1.0.10.0.zip"))).unwrap();
    let answer = world.get(&target, "").await;
    assert_eq!(answer.body.matches("<Version>").count(), 2, "{}", answer.body);
    assert_eq!(answer.body.matches(DIGEST).count(), 1, "{}", answer.body);
}

#[tokio::test]
async fn a_package_comes_whole_with_its_length() {
    let world = World::new();
    let large = "0123456789abcdef".repeat(200 * 1024);
    world.package(EXTENSION, "1.0.0.0", &large);
    world.package(EXTENSION, "1.0.1.0", "");
    let mut connection = testkit::raw::RawConnection::open(world.wire).await;
    for (name, version, text) in [
        (EXTENSION.to_owned(), "1.0.0.0", large.as_str()),
        (EXTENSION.to_owned(), "1.0.1.0", ""),
        (EXTENSION.to_lowercase(), "1.0.0.0", &large),
    ] {
        let target = format!("/extensions/{name}/{name}-{version}.zip");
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", world.wire).as_bytes()).await;
        let answer = connection.answer().await.unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/zip")), "{target}");
        assert_eq!(answer.header("content-length"), Some(text.len().to_string().as_str()));
        assert!(answer.body == text, "{target}");
    }
}

#[tokio::test]
async fn nothing_but_packages_can_be_had() {
    let world = World::new();
    world.package(EXTENSION, "1.0.0.0", "package one");
    std::fs::write(world.folder.path().join("secret.txt"), "secret").unwrap();
    let outside = world.folder.path().file_name().unwrap().to_str().unwrap();
    for target in [
        format!("/extensions/{EXTENSION}/{EXTENSION}-1.0.zip"),
        format!("/extensions/{EXTENSION}/{EXTENSION}-2.0.0.0.zip"),
        format!("/extensions/{EXTENSION}/Other.Thing-1.0.0.0.zip"),
        format!("/extensions/{EXTENSION}/secret.txt"),
        format!("/extensions/../{outside}/secret.txt"),
        format!("/extensions/{EXTENSION}/../secret.txt"),
        format!("/extensions/./{EXTENSION}/manifest.xml"),
        format!("/extensions/%2e%2e/{outside}/secret.txt"),
        format!("/extensions/{EXTENSION}/{EXTENSION}-..%2f1.0.0.0.zip"),
        format!("/extensions/{EXTENSION}/manifest.xml/"),
        format!("/extensions//{EXTENSION}/manifest.xml"),
        "/extensions/Other.Thing/manifest.xml".to_owned(),
        "/extensions//manifest.xml".to_owned(),
        "/extensions/".to_owned(),
        "/extensions".to_owned(),
    ] {
        let answer = world.get(&target, "").await;
        assert_eq!(answer.status, 404, "{target}");
        assert!(!answer.body.contains("package one"), "{target}");
        // Nor through the plugin.
        let lines = format!("{PLUGIN}x-ms-artifact-location: http://{}{target}\r\n", world.wire);
        assert_eq!(world.ask_plugin("GET", "/extensionArtifact", &lines, "").await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn the_plugin_fetches_what_is_ours_and_nothing_else() {
    let world = World::new();
    world.package(EXTENSION, "1.0.0.0", "package one");
    let base = format!("http://{}", world.wire);
    let path = format!("/extensions/{EXTENSION}/{EXTENSION}-1.0.0.0.zip");
    let ask = async |location: &str| {
        let lines = format!("{PLUGIN}x-ms-artifact-location: {location}\r\nx-ms-verify-from-artifacts-blob: true\r\n");
        world.ask_plugin("GET", "/extensionArtifact", &lines, "").await
    };
    let answer = ask(&format!("{base}{path}")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "package one"));
    assert!(ask(&format!("{base}/extensions/{EXTENSION}/manifest.xml")).await.body.contains("<Version>1.0.0.0<"));
    assert!(ask(&format!("{base}/extensions/ga_manifest.xml")).await.body.contains("<InternalPlugins/>"));
    for location in [
        format!("http://evil{path}"),
        format!("{base}.evil{path}"),
        format!("{base}0{path}"),
        path.clone(),
        format!("{base}/machine/?comp=goalstate"),
        format!("{base}/vmSettings"),
        base.clone(),
        String::new(),
    ] {
        let answer = ask(&location).await;
        assert_eq!((answer.status, answer.body.contains("no such package")), (404, true), "{location}");
    }
    assert_eq!(world.ask_plugin("GET", "/extensionArtifact", PLUGIN, "").await.status, 404);
}

#[tokio::test]
async fn a_folder_that_went_is_our_own_fault_for_a_while() {
    let world = World::new();
    std::fs::remove_dir_all(world.folder.path()).unwrap();
    let answer = world.get(&format!("/extensions/{EXTENSION}/manifest.xml"), "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("6")));
    assert!(PackageStore::open_folder(world.folder.path()).is_err());
}
