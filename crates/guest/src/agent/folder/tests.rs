use super::*;

fn folder(root: &Path, version: &str) -> HandlerFolder {
    let folder = HandlerFolder::new(root, "Publisher.Type", version);
    fs::create_dir_all(folder.path().join("config")).unwrap();
    folder
}

#[test]
fn what_became_of_a_handler_is_noted() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(HandlerFolder::versions(root.path(), "Publisher.Type").unwrap(), []);
    let (new, old) = (folder(root.path(), "1.0.1"), folder(root.path(), "1.0.0"));
    fs::create_dir(root.path().join("var/lib/waagent/Publisher.Type-x")).unwrap();
    fs::create_dir(root.path().join("var/lib/waagent/Publisher.Type2-1.0")).unwrap();
    assert_eq!(HandlerFolder::versions(root.path(), "Publisher.Type").unwrap(), [old.clone(), new.clone()]);
    assert_eq!(old.state(), HandlerState::NotInstalled);
    for state in HandlerState::ALL {
        old.set_state(state).unwrap();
        assert_eq!(old.state(), state);
    }
    assert_eq!(HandlerFolder::installed(root.path()).unwrap(), BTreeSet::from(["Publisher.Type".to_owned()]));
    fs::write(old.package(), "").unwrap();
    for unfinished in ["Publisher.Type-1.0.0.new", "Publisher.Type-1.0.2.new"] {
        fs::create_dir(root.path().join("var/lib/waagent").join(unfinished)).unwrap();
    }
    let half = HandlerFolder::new(root.path(), "Publisher.Type", "1.0.2");
    let all = [old.clone(), new.clone(), half.clone()];
    assert_eq!(HandlerFolder::versions(root.path(), "Publisher.Type").unwrap(), all);
    half.remove().unwrap();
    old.remove().unwrap();
    old.remove().unwrap();
    assert!(!old.path().exists() && !old.package().exists());
    assert_eq!(HandlerFolder::versions(root.path(), "Publisher.Type").unwrap(), [new]);
    assert!(HandlerFolder::installed(root.path()).unwrap().is_empty());
}

#[test]
fn a_manifest_is_found_wherever_the_package_has_it() {
    let root = tempfile::tempdir().unwrap();
    let folder = folder(root.path(), "1.0");
    assert!(matches!(folder.manifest(), Err(ManifestError::Missing)));
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join(MANIFEST), HandlerManifest::of_program("run").text()).unwrap();
    assert_eq!(folder.manifest().unwrap().enable_command, "run enable");
    assert!(folder.path().join(MANIFEST).is_file());
    fs::write(folder.path().join(MANIFEST), "[{\"version\":1.0}]").unwrap();
    assert!(matches!(folder.manifest(), Err(ManifestError::Invalid(_))));
}
