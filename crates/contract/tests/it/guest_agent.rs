//! What a host and a guest agent say to each other, byte for byte where Azure's agent is particular.

use contract::guest_agent::handler::{
    HandlerEnvironment, HandlerManifest, HandlerStatus, Heartbeat, Settings, StatusWord,
};
use contract::guest_agent::package_manifest::{InvalidManifest, Package, PackageManifest};
use contract::guest_agent::protected::{Authority, Identity, Kind, ManagedIdentity};
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::vm_settings::VmSettings;
use contract::guest_agent::{GoalState, Protected, WantedExtension, WantedState, goal_state};
use serde_json::{Value, json};

const NAME: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux";

fn wanted() -> GoalState {
    let base = "http://168.63.129.16:80".to_owned();
    let extension = |name: &str, settings: Option<&str>, protected| WantedExtension {
        name: name.to_owned(),
        version: "1.0.0.0".to_owned(),
        manifest_url: format!("{base}/extensions/{name}/manifest.xml"),
        state: WantedState::Enabled,
        auto_upgrade: true,
        sequence: 3,
        settings: settings.map(ToOwned::to_owned),
        protected,
    };
    let protected = Protected { cms_base64: "Q01T+/8=".to_owned(), thumbprint: "AB".repeat(20) };
    GoalState {
        incarnation: 7,
        etag: "e-7".to_owned(),
        ticks: 639_000_000_000_000_007,
        activity_id: "00000000-0000-0000-0000-00000000000a".to_owned(),
        container_id: "00000000-0000-0000-0000-00000000000c".to_owned(),
        deployment_id: "00000000-0000-0000-0000-00000000000d".to_owned(),
        vm_name: "vm<1>".to_owned(),
        vm_id: "00000000-0000-0000-0000-000000000001".to_owned(),
        subscription_id: "00000000-0000-0000-0000-000000000002".to_owned(),
        resource_group: "rg1".to_owned(),
        location: "westus".to_owned(),
        vm_size: "Standard_B1s".to_owned(),
        extensions: vec![
            extension(NAME, Some(r#"{"port": 50342, "x":"a&b"}"#), Some(protected)),
            extension("Other.Thing", None, None),
        ],
        status_blob_url: format!("{base}/status/c?sr=b&sig=x"),
        base_url: base,
        has_certificates: true,
    }
}

/// The golden files of this module.
pub(super) fn made() -> Vec<(&'static str, Vec<u8>)> {
    let wanted = wanted();
    let status = HandlerStatus {
        name: "ManagedIdentity".to_owned(),
        operation: "Enable".to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
        status: StatusWord::Success,
        code: 0,
        message: "listening on 50342".to_owned(),
        substatus: vec![("port".to_owned(), StatusWord::Success, "50342".to_owned())],
    };
    let made = [
        ("guest-agent-versions", goal_state::versions()),
        ("guest-agent-goal-state", wanted.xml()),
        ("guest-agent-hosting-environment", wanted.hosting_environment_xml()),
        ("guest-agent-shared-config", wanted.shared_config_xml()),
        ("guest-agent-extensions-config", wanted.extensions_config_xml()),
        ("guest-agent-certificates", wanted.certificates_xml(&"0123456789".repeat(16))),
        ("guest-agent-vm-settings", wanted.vm_settings()),
        ("guest-agent-handler-manifest", HandlerManifest::of_program("bin/symbolon-guest").text()),
        ("guest-agent-handler-status", status.text()),
    ];
    made.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

#[test]
fn the_wire_servers_documents() {
    let wanted = wanted();
    let documents = [
        goal_state::versions(),
        wanted.xml(),
        wanted.hosting_environment_xml(),
        wanted.shared_config_xml(),
        wanted.extensions_config_xml(),
        wanted.certificates_xml(&"0123456789".repeat(16)),
    ];
    for document in &documents {
        roxmltree::Document::parse(document).unwrap_or_else(|why| panic!("{why}: {document}"));
    }
    let without = GoalState { has_certificates: false, ..wanted }.xml();
    assert!(!without.contains("Certificates"), "{without}");
}

#[test]
fn settings_in_xml_are_the_settings_file() {
    let (wanted, text) = (wanted(), wanted().extensions_config_xml());
    let document = roxmltree::Document::parse(&text).unwrap();
    let settings: Vec<_> = document.descendants().filter(|node| node.has_tag_name("RuntimeSettings")).collect();
    assert_eq!(settings.len(), 2, "one without settings has a number all the same");
    assert_eq!(Settings::parse(settings[1].text().unwrap().as_bytes()).unwrap(), Settings::default());
    assert_eq!(settings[0].attribute("seqNo"), Some("3"));
    let read = Settings::parse(settings[0].text().unwrap().as_bytes()).unwrap();
    assert_eq!(read.public, Some(json!({"port": 50342, "x": "a&b"})));
    assert_eq!(read.protected, wanted.extensions[0].protected);
}

#[test]
fn vm_settings_say_the_same() {
    let wanted = wanted();
    let text = wanted.vm_settings();
    let read = VmSettings::parse(text.as_bytes()).unwrap();
    let extensions: Vec<_> = read.extensions().collect();
    let told: Vec<_> =
        wanted.extensions.iter().map(|one| WantedExtension { auto_upgrade: false, ..one.clone() }).collect();
    assert_eq!(extensions, told);
    assert_eq!((read.in_svd_seq_no, read.status_upload_blob.value.as_str()), (7, wanted.status_blob_url.as_str()));
    let unknown = text.replace("\"enabled\"", "\"perhaps\"");
    assert!(VmSettings::parse(unknown.as_bytes()).unwrap_err().to_string().contains("perhaps"));
    assert!(VmSettings::parse(b"{").is_err());
    for (name, wrong) in [(NAME, "../../x"), ("1.0.0.0", "1.0/.."), (&*"AB".repeat(20), "../id")] {
        assert!(VmSettings::parse(text.replace(name, wrong).as_bytes()).is_err(), "{wrong}");
    }
    let broken = GoalState {
        extensions: vec![WantedExtension { settings: Some("{".to_owned()), ..wanted.extensions[0].clone() }],
        ..wanted
    };
    assert_eq!(VmSettings::parse(broken.vm_settings().as_bytes()).unwrap().extensions().next().unwrap().settings, None);
}

#[test]
fn a_manifest_comes_back() {
    let package = |version: &str| Package {
        version: version.to_owned(),
        uris: vec![format!("http://h/a&b-{version}.zip")],
        sha256: Some("0a".repeat(32)),
    };
    let manifest = PackageManifest { packages: vec![package("1.0.0.0"), package("1.0.1.0")] };
    assert_eq!(PackageManifest::parse(manifest.xml().as_bytes()).unwrap(), manifest);
    let none = PackageManifest::default().xml();
    assert!(none.ends_with("<PluginVersionManifest><Plugins></Plugins><InternalPlugins/></PluginVersionManifest>"));
    assert_eq!(PackageManifest::parse(none.as_bytes()).unwrap(), PackageManifest::default());
    let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><PluginVersionManifest>&b;</PluginVersionManifest>";
    assert!(matches!(PackageManifest::parse(bomb.as_bytes()), Err(InvalidManifest::Xml(_))));
    let versionless = manifest.xml().replace("<Version>1.0.0.0</Version>", "");
    assert!(matches!(PackageManifest::parse(versionless.as_bytes()), Err(InvalidManifest::Missing("a version"))));
    let nowhere =
        "<PluginVersionManifest><Plugins><Plugin><Version>1</Version></Plugin></Plugins></PluginVersionManifest>";
    assert!(matches!(PackageManifest::parse(nowhere.as_bytes()), Err(InvalidManifest::Missing("an address"))));
    assert!(matches!(PackageManifest::parse(&[0xff]), Err(InvalidManifest::Text)));
}

#[test]
fn settings_of_every_shape() {
    for empty in ["", " \n", r#"{"runtimeSettings":[]}"#, r#"{"runtimeSettings":[{"handlerSettings":{}}]}"#] {
        assert_eq!(Settings::parse(empty.as_bytes()).unwrap(), Settings::default(), "{empty}");
    }
    // The original extension stumbled over its own sample template.
    let sample =
        r#"{"runtimeSettings":[{"handlerSettings":{"publicSettings":{"port":50343},"protectedSettings":{}}}]}"#;
    let read = Settings::parse(sample.as_bytes()).unwrap();
    assert_eq!((read.public, read.protected), (Some(json!({"port": 50343})), None));
    let without = r#"{"runtimeSettings":[{"handlerSettings":{"protectedSettings":"Q01T"}}]}"#;
    for wrong in ["[]", "{", r#"{"runtimeSettings":{}}"#, r#"{"runtimeSettings":[{"handlerSettings":7}]}"#, without] {
        assert!(Settings::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let why = Settings::parse(br#"{"runtimeSettings":"hidden"}"#).unwrap_err();
    assert!(!why.to_string().contains("hidden"), "{why}");
}

#[test]
fn a_handlers_files() {
    let manifest = HandlerManifest::of_program("bin/symbolon-guest");
    assert_eq!(HandlerManifest::parse(manifest.text().as_bytes()).unwrap(), manifest);
    let read: Value = serde_json::from_str(&manifest.text()).unwrap();
    assert_eq!(read[0]["handlerManifest"]["enableCommand"], "bin/symbolon-guest enable");
    let environment = HandlerEnvironment {
        log_folder: "/l".to_owned(),
        config_folder: "/c".to_owned(),
        status_folder: "/s".to_owned(),
        heartbeat_file: "/h".to_owned(),
        events_folder: Some("/e".to_owned()),
    };
    assert_eq!(HandlerEnvironment::parse(environment.text(NAME).as_bytes()).unwrap(), environment);
    let heartbeat = Heartbeat { status: "Ready".to_owned(), code: 0, message: "m".to_owned() };
    assert_eq!(Heartbeat::parse(heartbeat.text().as_bytes()).unwrap(), heartbeat);
    assert!(Heartbeat::parse(b"[]").is_err());
    let status = HandlerStatus {
        name: "ManagedIdentity".to_owned(),
        operation: "Enable".to_owned(),
        at: "2026-01-01T00:00:00Z".to_owned(),
        status: StatusWord::Success,
        code: 0,
        message: "listening on 50342".to_owned(),
        substatus: vec![("port".to_owned(), StatusWord::Success, "50342".to_owned())],
    };
    assert_eq!(HandlerStatus::entry(status.text().as_bytes()).unwrap(), status.value());
    let long = HandlerStatus {
        message: "x".repeat(200 << 10),
        substatus: vec![("n".to_owned(), StatusWord::Error, "y".repeat(11 << 10)); 3],
        ..status.clone()
    };
    let entry = HandlerStatus::entry(long.text().as_bytes()).unwrap();
    assert_eq!(entry["status"]["formattedMessage"]["message"].as_str().unwrap().len(), 1_024);
    assert_eq!((&entry["status"]["substatus"], &entry["status"]["status"]), (&json!([]), &json!("success")));
    assert!(HandlerStatus::entry(status.text().replace("\"success\"", "\"fine\"").as_bytes()).is_err());
}

#[test]
fn a_status_blob_of_azures_own_agent() {
    // As WALinuxAgent 2.15 uploads it, shortened.
    let blob = json!({"version": "1.1", "timestampUTC": "2026-01-01T00:00:00Z", "aggregateStatus": {
        "guestAgentStatus": {"version": "2.15.0.1", "status": "Ready",
            "formattedMessage": {"lang": "en-US", "message": "Guest Agent is running"}},
        "handlerAggregateStatus": [{"handlerVersion": "1.0.1.0", "handlerName": NAME, "status": "Ready", "code": 0,
            "useExactVersion": true, "formattedMessage": {"lang": "en-US", "message": "Plugin enabled"},
            "runtimeSettingsStatus": {"sequenceNumber": 4, "settingsStatus": {"version": 1.0, "status": {
                "name": "n", "operation": null, "status": "success", "code": 0}}}}],
        "vmArtifactsAggregateStatus": {"goalStateAggregateStatus": {"status": "Success", "code": 0,
            "inSvdSeqNo": "716", "timestampUTC": "2026-01-01T00:00:00Z"}}},
        "guestOSInfo": {"osName": "debian"}, "supportedFeatures": [{"Key": "k", "Value": "1.0"}], "new": 1});
    let read = StatusBlob::parse(blob.to_string().as_bytes()).unwrap();
    let status = &read.aggregate_status;
    assert_eq!(status.vm_artifacts_aggregate_status.goal_state_aggregate_status.in_svd_seq_no, Some(716));
    assert_eq!(status.handler_aggregate_status[0].runtime_settings_status.as_ref().unwrap().sequence_number, 4);
    let call = read.call("http://h/blob?sr=b").unwrap();
    assert_eq!(StatusBlob::parse_call(call.as_bytes()).unwrap(), Some(read));
    let fewer = json!({"aggregateStatus": {"guestAgentStatus": {}}}).to_string();
    assert!(StatusBlob::parse(fewer.as_bytes()).unwrap().aggregate_status.handler_aggregate_status.is_empty());
    assert_eq!(StatusBlob::parse_call(br#"{"requestUri":"x","headers":[]}"#).unwrap(), None, "it creates a page blob");
    for wrong in [r#"{"content":"%%"}"#, r#"{"content":"e30="}"#, "7", "{"] {
        assert!(StatusBlob::parse_call(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

/// A blob with one handler, of which this is said besides its name.
fn blob_of(handler: Value) -> StatusBlob {
    let mut said = json!({"handlerName": NAME});
    said.as_object_mut().unwrap().extend(handler.as_object().unwrap().clone());
    let blob = json!({"aggregateStatus": {"guestAgentStatus": {}, "handlerAggregateStatus": [said]}});
    StatusBlob::parse(blob.to_string().as_bytes()).unwrap()
}

#[test]
fn a_handlers_version_is_one_or_none() {
    let version = |said: Value| {
        let blob = blob_of(json!({"handlerVersion": said}));
        blob.aggregate_status.handler_aggregate_status[0].handler_version.clone()
    };
    assert_eq!(version(json!("1.0.1.0")), "1.0.1.0");
    for wrong in [json!("1.0.1.0\n"), json!("<b>"), json!("9".repeat(700 << 10)), json!(null), json!(1), json!({})] {
        assert_eq!(version(wrong), "");
    }
}

#[test]
fn settings_without_a_number_are_none_and_the_rest_is_read() {
    let number = |runtime: Value| {
        let blob = blob_of(json!({"status": "Ready", "runtimeSettingsStatus": runtime}));
        let handler = &blob.aggregate_status.handler_aggregate_status[0];
        assert_eq!(handler.status, "Ready");
        handler.runtime_settings_status.as_ref().map(|runtime| runtime.sequence_number)
    };
    for (said, read) in
        [(json!(4), Some(4)), (json!("4"), Some(4)), (json!(null), None), (json!(-1), None), (json!({}), None)]
    {
        assert_eq!(number(json!({"sequenceNumber": said, "settingsStatus": {}})), read, "{said}");
    }
    assert_eq!(number(json!({"settingsStatus": {}})), None);
    assert_eq!(number(json!(null)), None);
    assert_eq!(number(json!("x")), None);
}

#[test]
fn credentials_stand_beside_the_owners_settings() {
    let identity = Identity {
        kind: Kind::SystemAssigned,
        resource_id: "/r".to_owned(),
        tenant_id: "t".to_owned(),
        principal_id: "p".to_owned(),
        client_id: "c".to_owned(),
        not_after: 9,
        certificate: "Y2VydA==".to_owned(),
        private_key: "c2VjcmV0".to_owned().into(),
    };
    let authority = Authority { url: "https://a".to_owned(), certificates: String::new() };
    let ours = ManagedIdentity { authority, vm: "/vm".to_owned(), identities: vec![identity], cutover: None };
    let text = ours.beside(r#"{"k":"v"}"#);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["k"], "v");
    assert_eq!(ManagedIdentity::of(text.as_bytes()).unwrap(), Some(ours.clone()));
    assert!(!format!("{ours:?}").contains("c2VjcmV0"));
    for none in ["", "{}", r#"{"k":"v"}"#] {
        assert_eq!(ManagedIdentity::of(none.as_bytes()).unwrap(), None);
    }
    let why = ManagedIdentity::of(br#"{"managedIdentity":{"secret":1}}"#).unwrap_err();
    assert!(!why.to_string().contains("secret"));
}
