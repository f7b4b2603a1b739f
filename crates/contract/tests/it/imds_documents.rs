//! The documents of the metadata service in every version.

use contract::api_version::ApiVersion;
use contract::gate::Refusal;
use contract::imds::{
    AttestedDocument, AttestedRequest, Compute, DataDisk, EventsVersion, Format, ImageReference, InboundRule, Instance,
    InstanceRequest, Interface, Ipv4, LoadBalancer, ManagedDisk, NoElement, OsDisk, OsProfile, Plan, PublicKey,
    ScheduledEvent, ScheduledEvents, SecurityProfile, StorageProfile, Translated, UltraDisk, versions,
};
use proptest::prelude::*;

/// Every golden file with what we make of the same.
pub(super) fn made() -> Vec<(String, Vec<u8>)> {
    let instance = instance();
    let whole = |request: &InstanceRequest| instance.render(request, []).unwrap().into_bytes();
    let request = |api_version, format, extended| InstanceRequest { api_version, format, extended };
    let newest = |format, extended| request(ApiVersion::NEWEST, format, extended);
    let refusal = |refusal: Refusal, path: &str| refusal.answer_at(path).body.into_owned();
    let text =
        |path: &[&str]| instance.render(&newest(Format::Text, false), path.iter().copied()).unwrap().into_bytes();
    let mut made = vec![
        ("versions".to_owned(), versions()),
        ("instance-extended".to_owned(), whole(&newest(Format::Json, true))),
        ("instance-text".to_owned(), whole(&newest(Format::Text, false))),
        ("instance-text-compute".to_owned(), text(&["compute"])),
        ("instance-text-interface".to_owned(), text(&["network", "interface", "0"])),
        ("loadbalancer".to_owned(), load_balancer().render().unwrap()),
        ("refusal-api-version".to_owned(), refusal(Refusal::ApiVersionMissing, "/metadata/instance")),
        ("refusal-events-version".to_owned(), refusal(Refusal::ApiVersionMissing, "/metadata/scheduledevents")),
        ("refusal-loadbalancer".to_owned(), refusal(Refusal::NoLoadBalancer, "/metadata/loadbalancer")),
        ("refusal-leaf".to_owned(), refusal(Refusal::Leaf, "/metadata/instance/compute/name")),
    ];
    made.extend(
        ApiVersion::ALL
            .map(|version| (format!("instance-{}", version.as_str()), whole(&request(version, Format::Json, false)))),
    );
    let versions = ["2018-10-01", "2019-04-30", "2019-11-01", "2025-04-07"];
    made.extend(versions.map(|version| (format!("attested-{version}"), attested(&instance, version))));
    let events = EventsVersion::ALL.map(|version| (format!("events-{}", version.as_str()), events().render(version)));
    made.extend(events);
    made.into_iter().map(|(name, body)| (format!("imds-{name}"), body)).collect()
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// A machine of which everything is known.
fn instance() -> Instance {
    let data_disk = DataDisk {
        caching: text("None"),
        create_option: text("Empty"),
        disk_size_gb: text("1024"),
        lun: text("0"),
        managed_disk: ManagedDisk {
            id: text("/subscriptions/s/disks/data"),
            storage_account_type: text("UltraSSD_LRS"),
        },
        name: text("data"),
        ultra: Some(UltraDisk {
            bytes_per_second_throttle: text("979202048"),
            disk_capacity_bytes: text("274877906944"),
            ops_per_second_throttle: text("65280"),
        }),
        ..DataDisk::default()
    };
    let storage_profile = StorageProfile {
        data_disks: vec![data_disk],
        image_reference: ImageReference {
            exact_version: text("24.04.202510010"),
            offer: text("ubuntu-24_04-lts"),
            publisher: text("canonical"),
            sku: text("server"),
            version: text("latest"),
            ..ImageReference::default()
        },
        os_disk: OsDisk {
            caching: text("ReadWrite"),
            create_option: text("FromImage"),
            disk_size_gb: text("30"),
            managed_disk: ManagedDisk {
                id: text("/subscriptions/s/disks/os"),
                storage_account_type: text("Premium_LRS"),
            },
            name: text("os"),
            os_type: text("Linux"),
            ..OsDisk::default()
        },
        resource_disk_size: text("0"),
    };
    let compute = Compute {
        location: text("westus2"),
        name: text("vm1"),
        os_profile: OsProfile {
            admin_username: text("azureuser"),
            computer_name: text("vm1"),
            disable_password_authentication: Some(true),
        },
        os_type: text("Linux"),
        plan: Plan { name: text("plan"), product: text("product"), publisher: text("publisher") },
        platform_fault_domain: text("0"),
        platform_update_domain: text("0"),
        public_keys: vec![PublicKey {
            key_data: text("ssh-ed25519 AAAA azureuser@vm1\n"),
            path: text("/home/azureuser/.ssh/authorized_keys"),
        }],
        resource_group_name: text("rg1"),
        resource_id: text("/subscriptions/s/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1"),
        security_profile: SecurityProfile { security_type: text("TrustedLaunch"), ..SecurityProfile::default() },
        storage_profile,
        subscription_id: text("20000000-0000-4000-8000-000000000001"),
        tags: vec![(text("a"), text("1:2")), (text("b"), text("\"three\""))],
        user_data: text("I2Nsb3VkLWNvbmZpZwo="),
        vm_id: text("60000000-0000-4000-8000-000000000001"),
        vm_size: text("Standard_D2ds_v5"),
        zone: text("1"),
        ..Compute::default()
    };
    let interface = Interface {
        ipv4: vec![Ipv4 { private: text("10.0.0.4"), public: text("203.0.113.4") }],
        subnets: vec![(text("10.0.0.0"), 24)],
        ipv6: vec![text("fd00::4")],
        mac_address: text("000D3A123456"),
    };
    Instance { compute, interfaces: vec![interface, Interface::default()] }
}

fn attested(instance: &Instance, version: &str) -> Vec<u8> {
    let compute = &instance.compute;
    let document = AttestedDocument {
        license_type: "Windows_Server",
        plan: &compute.plan,
        sku: &compute.storage_profile.image_reference.sku,
        subscription_id: &compute.subscription_id,
        vm_id: &compute.vm_id,
        created_on: 1_606_522_337,
        expires_on: 1_606_543_937,
    };
    let query = format!("nonce=1234576656&api-version={version}");
    document.content(&AttestedRequest::parse(&query).unwrap())
}

fn events() -> ScheduledEvents {
    let event = |id: &str, event_type, not_before| ScheduledEvent {
        id: text(id),
        event_type,
        resources: vec![text("vm1"), text("vm2")],
        not_before,
        description: text("Host server is undergoing maintenance."),
        by_user: event_type == "Terminate",
        duration: if event_type == "Freeze" { 5 } else { -1 },
    };
    ScheduledEvents {
        incarnation: 7,
        events: vec![
            event("C7061BAC-AFDC-4513-B24B-AA5F13A16123", "Freeze", Some(1_474_309_787)),
            event("C7061BAC-AFDC-4513-B24B-AA5F13A16124", "Reboot", None),
            event("C7061BAC-AFDC-4513-B24B-AA5F13A16125", "Preempt", Some(1_474_309_788)),
            event("C7061BAC-AFDC-4513-B24B-AA5F13A16126", "Terminate", Some(1_474_309_789)),
        ],
    }
}

fn load_balancer() -> LoadBalancer {
    let translated = || Translated { frontend_ip_address: text("203.0.113.4"), private_ip_address: text("10.0.0.4") };
    let rule = InboundRule {
        frontend_ip_address: text("203.0.113.5"),
        protocol: text("tcp"),
        frontend_port: 80,
        backend_port: 8080,
        private_ip_address: text("10.0.0.4"),
    };
    LoadBalancer {
        public_ip_addresses: vec![translated()],
        inbound_rules: vec![rule],
        outbound_rules: vec![translated()],
    }
}

/// Every path into a document, with whether a value is there.
fn paths(value: &serde_json::Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Option<String>)>) {
    let mut below = |step: String, value: &serde_json::Value| {
        path.push(step);
        found.push((path.clone(), value.as_str().map(str::to_owned)));
        paths(value, path, found);
        path.pop();
    };
    match value {
        serde_json::Value::Object(fields) => {
            assert!(fields.keys().is_sorted(), "{:?}", fields.keys().collect::<Vec<_>>());
            fields.iter().for_each(|(name, value)| below(name.clone(), value));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| below(index.to_string(), value));
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn every_place_of_every_version_can_be_asked_for_in_both_forms() {
    let instance = instance();
    let mut before = 0;
    for api_version in ApiVersion::ALL {
        let json = InstanceRequest { api_version, format: Format::Json, extended: false };
        let text = InstanceRequest { format: Format::Text, ..json };
        let whole: serde_json::Value = serde_json::from_str(&instance.render(&json, []).unwrap()).unwrap();
        let mut found = Vec::new();
        paths(&whole, &mut Vec::new(), &mut found);
        assert!(found.len() >= before, "{api_version:?} lost something");
        before = found.len();
        for (path, value) in found {
            let steps = || path.iter().map(String::as_str);
            match value {
                Some(value) => {
                    assert_eq!(instance.render(&json, steps()), Err(NoElement::Leaf), "{path:?}");
                    assert_eq!(instance.render(&text, steps()).unwrap(), value, "{path:?}");
                }
                None => {
                    let part = whole.pointer(&format!("/{}", path.join("/"))).unwrap();
                    assert_eq!(instance.render(&json, steps()).unwrap(), part.to_string(), "{path:?}");
                    let lines = instance.render(&text, steps()).unwrap();
                    for line in lines.lines() {
                        let below = instance.render(&json, steps().chain([line.trim_end_matches('/')]));
                        assert_eq!(below.is_ok(), line.ends_with('/'), "{path:?} {line}");
                    }
                }
            }
            let nowhere = instance.render(&text, steps().chain(["nowhere"]));
            assert_eq!(nowhere, Err(NoElement::Missing), "{path:?}");
        }
    }
}

#[test]
fn extended_is_known_since_2021_03_01_and_to_the_whole_document_alone() {
    let body = |query: &str, path: &[&str]| {
        instance().render(&InstanceRequest::parse(query).unwrap(), path.iter().copied()).unwrap()
    };
    assert!(
        body("api-version=2021-03-01&extended=true", &[])
            .ends_with(r#","extended":{"compute":{"hasCustomData":false,"ppsType":"None"}}}"#)
    );
    let mut handed = instance();
    handed.compute.has_custom_data = true;
    let request = InstanceRequest::parse("api-version=2025-04-07&extended=true").unwrap();
    let handed = handed.render(&request, []).unwrap();
    assert!(handed.ends_with(r#","extended":{"compute":{"hasCustomData":true,"ppsType":"None"}}}"#), "{handed}");
    assert!(handed.contains(r#""customData":"","#), "{handed}");
    assert_eq!(body("api-version=2021-03-01&extended=true&format=text", &[]), "compute/\nnetwork/\nextended/");
    for query in ["api-version=2021-02-01&extended=true", "api-version=2021-03-01&extended=false"] {
        assert!(!body(query, &[]).contains("extended\""), "{query}");
    }
    let of_compute = body("api-version=2021-03-01&extended=true", &["compute"]);
    assert_eq!(of_compute, body("api-version=2021-03-01", &["compute"]));
}

proptest! {
    /// Whatever stands in it, a document is JSON and a value is itself.
    #[test]
    fn any_text_stays_itself(name: String, tags: Vec<(String, String)>, user_data: String, path: Vec<String>) {
        let compute = Compute { name: name.clone(), tags: tags.clone(), user_data, ..Compute::default() };
        let instance = Instance { compute, interfaces: Vec::new() };
        let json = InstanceRequest { api_version: ApiVersion::NEWEST, format: Format::Json, extended: true };
        let text = InstanceRequest { format: Format::Text, ..json };
        let whole: serde_json::Value = serde_json::from_str(&instance.render(&json, []).unwrap()).unwrap();
        prop_assert_eq!(&whole["compute"]["name"], &name);
        prop_assert_eq!(whole["compute"]["tagsList"].as_array().unwrap().len(), tags.len());
        prop_assert_eq!(instance.render(&text, ["compute", "name"]).unwrap(), name);
        let _ = instance.render(&json, path.iter().map(String::as_str));
    }
}
