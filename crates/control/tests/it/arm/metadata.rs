//! What a machine's metadata service tells it: read from its resource, and from what that one names.

use std::collections::BTreeSet;

use control::metadata::{Metadata, describe};

use super::*;

const NETWORK: &str = "providers/Microsoft.Network";

impl Arm {
    pub(super) async fn metadata(&self, path: &str) -> Metadata {
        let id = ResourceId::parse(path).expect("an id");
        let read = self.world.store.read(move |tx| {
            let vm = tx.virtual_machine(&id)?.expect("the machine");
            describe(tx, &vm)
        });
        read.await.expect("the metadata")
    }

    async fn network(&self, path: &str, body: Value) -> String {
        let path = format!("{G}/{NETWORK}/{path}");
        self.put(&path, body).await.one_of(&[200, 201]);
        path
    }
}

/// A Linux machine of which everything is said, with names in cases of a client's own.
fn described(nic: &str) -> Value {
    json!({
        "location": "westus2",
        "tags": {"env": "dev", "owner": "a:b"},
        "zones": ["2"],
        "plan": {"name": "p", "product": "q", "publisher": "r"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2ds_v5"},
            "priority": "Spot",
            "licenseType": "RHEL_BYOS",
            "userData": "I2Nsb3VkLWNvbmZpZwo=",
            "osProfile": {
                "computerName": "host1", "AdminUsername": "me", "customData": "c2VjcmV0",
                "linuxConfiguration": {
                    "disablePasswordAuthentication": true,
                    "ssh": {"publicKeys": [{"path": "/home/me/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA"}]},
                },
            },
            "securityProfile": {
                "securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": true, "vTpmEnabled": true},
            },
            "storageProfile": {
                "imageReference": {"publisher": "canonical", "offer": "ubuntu", "sku": "server", "version": "latest"},
                "osDisk": {
                    "osType": "Linux", "name": "os", "caching": "ReadWrite", "createOption": "FromImage",
                    "managedDisk": {"id": format!("{G}/providers/Microsoft.Compute/disks/os")},
                },
                "dataDisks": [{
                    "lun": 0, "name": "data", "createOption": "Attach",
                    "managedDisk": {"id": format!("{G}/providers/Microsoft.Compute/disks/data")},
                }],
            },
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    })
}

#[tokio::test]
async fn a_machine_is_told_what_its_resource_says() {
    let arm = Arm::new().await;
    let disk = |name: &str| format!("{G}/providers/Microsoft.Compute/disks/{name}");
    let os = json!({"location": "westus2", "sku": {"name": "Premium_LRS"}, "properties": {"diskSizeGB": 30}});
    arm.put(&disk("os"), os).await.is(201);
    let properties = json!({"diskSizeGB": 256, "diskIOPSReadWrite": 500, "diskMBpsReadWrite": 8, "maxShares": 2});
    let data = json!({"location": "westus2", "sku": {"name": "UltraSSD_LRS"}, "properties": properties});
    arm.put(&disk("data"), data).await.is(201);
    arm.put(&vm("vm1"), described("")).await.is(201);
    let compute = arm.metadata(&vm("vm1")).await.instance.compute;
    assert_eq!(
        (compute.name.as_str(), compute.location.as_str(), compute.vm_size.as_str()),
        ("vm1", "westus2", "Standard_D2ds_v5")
    );
    assert_eq!((compute.os_type.as_str(), compute.zone.as_str(), compute.priority.as_str()), ("Linux", "2", "Spot"));
    assert_eq!((compute.eviction_policy.as_str(), compute.license_type.as_str()), ("Deallocate", "RHEL_BYOS"));
    assert_eq!((compute.plan.name.as_str(), compute.plan.publisher.as_str()), ("p", "r"));
    let profile = &compute.os_profile;
    assert_eq!((profile.admin_username.as_str(), profile.computer_name.as_str()), ("me", "host1"));
    assert_eq!(profile.disable_password_authentication, Some(true));
    assert_eq!(compute.public_keys[0].key_data, "ssh-ed25519 AAAA");
    assert_eq!(compute.tags, [("env".to_owned(), "dev".to_owned()), ("owner".to_owned(), "a:b".to_owned())]);
    assert_eq!(compute.user_data, "I2Nsb3VkLWNvbmZpZwo=");
    assert!(compute.security_profile.secure_boot_enabled && compute.security_profile.virtual_tpm_enabled);
    assert_eq!(compute.resource_id, vm("vm1"));
    let storage = &compute.storage_profile;
    assert_eq!(
        (storage.os_disk.disk_size_gb.as_str(), storage.os_disk.managed_disk.storage_account_type.as_str()),
        ("30", "Premium_LRS")
    );
    let data = &storage.data_disks[0];
    let ultra = data.ultra.as_ref().expect("an ultra disk");
    assert_eq!((data.lun.as_str(), data.disk_size_gb.as_str(), data.is_shared_disk), ("0", "256", true));
    assert_eq!(
        (
            ultra.disk_capacity_bytes.as_str(),
            ultra.ops_per_second_throttle.as_str(),
            ultra.bytes_per_second_throttle.as_str()
        ),
        ("274877906944", "500", "8000000")
    );
}

#[tokio::test]
async fn that_there_is_custom_data_is_told_and_what_it_is_nobody() {
    let arm = Arm::new().await;
    let set = format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/web");
    let profile = |os_profile: Value| {
        json!({"location": "westus2", "sku": {"name": "Standard_B1s", "capacity": 1},
            "properties": {"virtualMachineProfile": {"osProfile": os_profile}}})
    };
    let given = json!({"adminUsername": "me", "CustomData": "c2VjcmV0"});
    let of_set = format!("{set}/virtualMachines/0");
    let has = async |path: &str| arm.metadata(path).await.instance.compute.has_custom_data;
    arm.put(&set, profile(json!({"adminUsername": "me", "customData": ""}))).await.is(201);
    assert!(!has(&of_set).await);
    let shown = arm.put(&set, profile(given)).await.is(200).json();
    arm.post(&format!("{set}/manualupgrade"), json!({"instanceIds": ["0"]})).await.is(200);
    assert!(has(&of_set).await);
    arm.put(&vm("none"), json!({"location": "westus2"})).await.is(201);
    assert!(!has(&vm("none")).await);
    let made = arm.put(&vm("vm1"), described("")).await.is(201).json();
    assert!(has(&vm("vm1")).await);
    // What `az vm update` and `az vmss update` do: what was read is written.
    for (path, machine, shown) in [(&vm("vm1"), &vm("vm1"), made), (&set, &of_set, shown)] {
        let (written, patch) = (arm.put(path, shown).await.is(200), json!({"tags": {"a": "b"}}));
        let answers = [written, arm.patch(path, patch).await.is(200), arm.get(path).await.is(200)];
        assert!(has(machine).await, "{path}");
        for answer in answers {
            let text = answer.body.to_ascii_lowercase();
            assert!(!text.contains("customdata") && !text.contains("c2vjcmv0"), "{text}");
        }
    }
    for bad in [json!("no base64!"), json!(1), json!(true), json!("AAAA".repeat(21_846))] {
        let os_profile = json!({"customData": bad});
        let body = json!({"location": "westus2", "properties": {"osProfile": os_profile}});
        arm.put(&vm("bad"), body).await.refuses(400, "InvalidParameter");
        arm.put(&set, profile(os_profile)).await.refuses(400, "InvalidParameter");
    }
    assert!(!arm.disk().windows(8).any(|bytes| bytes == b"c2VjcmV0"), "it is not kept");
}

#[tokio::test]
async fn user_data_is_told_where_it_is_asked_for_and_stays_when_it_is_not_said() {
    let arm = Arm::new().await;
    let path = vm("vm1");
    let made = arm.put(&path, described("")).await.is(201).json();
    assert_eq!(made["properties"].get("userData"), None);
    assert_eq!(arm.get(&path).await.json()["properties"].get("userData"), None);
    let expanded = arm.get(&format!("{path}?$expand=userData")).await.json();
    assert_eq!(expanded["properties"]["userData"], "I2Nsb3VkLWNvbmZpZwo=");
    // What `az vm update` does: what was read is written.
    arm.put(&path, made.clone()).await.is(200);
    assert_eq!(arm.metadata(&path).await.instance.compute.user_data, "I2Nsb3VkLWNvbmZpZwo=");
    arm.patch(&path, json!({"properties": {"userData": ""}})).await.is(200);
    assert_eq!(arm.metadata(&path).await.instance.compute.user_data, "");
    for bad in [json!("no base64!"), json!(1), json!("AAAA".repeat(21_846))] {
        let body = json!({"location": "westus2", "properties": {"userData": bad}});
        arm.put(&path, body).await.refuses(400, "InvalidParameter");
    }
}

#[tokio::test]
async fn a_machine_of_which_little_is_said_has_a_name_and_an_interface_of_its_own() {
    let arm = Arm::new().await;
    let mut seen = BTreeSet::new();
    for name in ["vm1", "vm2"] {
        let path = arm.vm(name).await;
        let told = arm.metadata(&path).await;
        assert_eq!(told, arm.metadata(&path).await, "the same each time");
        let compute = &told.instance.compute;
        assert_eq!((compute.os_profile.computer_name.as_str(), compute.os_type.as_str()), (name, "Linux"));
        assert_eq!((compute.os_profile.admin_username.as_str(), compute.user_data.as_str()), ("", ""));
        let interface = &told.instance.interfaces[0];
        assert!(interface.mac_address.len() == 12 && interface.mac_address.starts_with("000D3A"), "{interface:?}");
        assert!(interface.ipv4[0].private.starts_with("10."), "{interface:?}");
        assert!(seen.insert(interface.mac_address.clone()) && seen.insert(interface.ipv4[0].private.clone()));
        assert_eq!((told.load_balancer, told.leans_on.len()), (None, 0));
    }
}

#[tokio::test]
async fn interfaces_are_read_with_their_subnets_and_public_addresses() {
    let arm = Arm::new().await;
    let subnets = json!([{"name": "s1", "properties": {"addressPrefix": "10.7.0.0/24"}}]);
    let network =
        arm.network("virtualNetworks/net", json!({"location": "westus2", "properties": {"subnets": subnets}})).await;
    let public = json!({"location": "westus2", "properties": {"ipAddress": "203.0.113.9"}});
    let basic = arm.network("publicIPAddresses/basic", public.clone()).await;
    let standard =
        json!({"location": "westus2", "sku": {"name": "Standard"}, "properties": {"ipAddress": "203.0.113.10"}});
    let standard = arm.network("publicIPAddresses/standard", standard).await;
    let subnet = json!({"id": format!("{network}/subnets/S1")});
    let configurations = json!([
        {"properties": {"privateIPAddressVersion": "IPv6", "privateIPAddress": "fd00::4"}},
        {"properties": {"subnet": subnet, "publicIPAddress": {"id": standard}}},
        {"properties": {"primary": true, "privateIPAddress": "10.7.0.4", "subnet": subnet, "publicIPAddress": {"id": basic}}},
    ]);
    let properties = json!({"macAddress": "00-0d-3a-12-34-56", "ipConfigurations": configurations});
    let nic = arm.network("networkInterfaces/nic1", json!({"location": "westus2", "properties": properties})).await;
    arm.put(&vm("vm1"), described(&nic)).await.is(201);
    let told = arm.metadata(&vm("vm1")).await;
    let interface = &told.instance.interfaces[0];
    assert_eq!(interface.mac_address, "000D3A123456");
    assert_eq!((interface.ipv4[0].private.as_str(), interface.ipv4[0].public.as_str()), ("10.7.0.4", "203.0.113.9"));
    assert!(interface.ipv4[1].private.starts_with("10.7.0."), "one within its subnet: {interface:?}");
    assert_eq!(interface.ipv4[1].public, "", "that of a better SKU is told with the load balancers");
    assert_eq!(interface.subnets, [("10.7.0.0".to_owned(), 24)]);
    assert_eq!(interface.ipv6, ["fd00::4"]);
    let balancer = told.load_balancer.expect("its own public address");
    assert_eq!(balancer.public_ip_addresses[0].frontend_ip_address, "203.0.113.10");
    for named in [&nic, &basic, &standard, &network, &format!("{network}/subnets/s1")] {
        assert!(told.leans_on.contains(&named.to_ascii_lowercase()), "{named} is followed: {:?}", told.leans_on);
    }
}

#[tokio::test]
async fn load_balancers_are_those_whose_pools_the_machine_is_in() {
    let arm = Arm::new().await;
    let public =
        json!({"location": "westus2", "sku": {"name": "Standard"}, "properties": {"ipAddress": "203.0.113.5"}});
    let public = arm.network("publicIPAddresses/lb", public).await;
    let id = format!("{G}/{NETWORK}/loadBalancers/lb");
    let (pool, frontend) = (format!("{id}/backendAddressPools/pool"), format!("{id}/frontendIPConfigurations/front"));
    let rule = |name: &str, pool: &str, port: u16| {
        json!({"name": name, "properties": {
            "frontendIPConfiguration": {"id": frontend}, "backendAddressPool": {"id": pool}, "protocol": "Tcp",
            "frontendPort": port, "backendPort": port + 8000,
        }})
    };
    let balancer = |sku: &str| {
        json!({"location": "westus2", "sku": {"name": sku}, "properties": {
            "frontendIPConfigurations": [{"name": "front", "properties": {"publicIPAddress": {"id": public}}}],
            "backendAddressPools": [{"name": "pool"}, {"name": "other"}],
            "loadBalancingRules": [rule("web", &pool, 80), rule("not", &format!("{id}/backendAddressPools/other"), 81)],
            "inboundNatRules": [rule("ssh", "", 22), rule("no", "", 23)],
            "outboundRules": [{"name": "out", "properties": {
                "backendAddressPool": {"id": pool}, "frontendIPConfigurations": [{"id": frontend}],
            }}],
        }})
    };
    let configuration = json!({"properties": {
        "privateIPAddress": "10.0.0.4",
        "loadBalancerBackendAddressPools": [{"id": pool}, {"id": format!("{id}2/backendAddressPools/pool")}],
        "loadBalancerInboundNatRules": [{"id": format!("{id}/inboundNatRules/SSH")}],
    }});
    let nic = json!({"location": "westus2", "properties": {"ipConfigurations": [configuration]}});
    let nic = arm.network("networkInterfaces/nic1", nic).await;
    arm.put(&vm("vm1"), described(&nic)).await.is(201);
    assert_eq!(arm.metadata(&vm("vm1")).await.load_balancer, None, "it isn't there yet");
    arm.network("loadBalancers/lb", balancer("Basic")).await;
    assert_eq!(arm.metadata(&vm("vm1")).await.load_balancer, None, "one of the basic SKU isn't told");
    arm.network("loadBalancers/lb", balancer("Standard")).await;
    let told = arm.metadata(&vm("vm1")).await.load_balancer.expect("the load balancer");
    let rules: Vec<_> = told.inbound_rules.iter().map(|rule| (rule.frontend_port, rule.backend_port)).collect();
    assert_eq!(rules, [(80, 8080), (22, 8022)]);
    let others = json!({"location": "westus2", "sku": {"name": "Standard"}, "properties": {
        "frontendIPConfigurations": [{"name": "front", "properties": {"privateIPAddress": "10.0.0.9"}}],
        "backendAddressPools": [{"name": "pool"}], "inboundNatRules": [rule("ssh", "", 2222)],
    }});
    arm.network("loadBalancers/lb2", others).await;
    let both = arm.metadata(&vm("vm1")).await.load_balancer.expect("the load balancers");
    assert_eq!(both.inbound_rules, told.inbound_rules, "a NAT rule of that name of another one is another");
    let first = &told.inbound_rules[0];
    assert_eq!(
        (first.frontend_ip_address.as_str(), first.protocol.as_str(), first.private_ip_address.as_str()),
        ("203.0.113.5", "tcp", "10.0.0.4")
    );
    assert_eq!(told.outbound_rules[0].frontend_ip_address, "203.0.113.5");
}

#[tokio::test]
async fn machines_of_a_scale_set_are_told_what_its_model_says() {
    let arm = Arm::new().await;
    let set = format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/web");
    let profile = json!({
        "userData": "aGk=",
        "osProfile": {"computerNamePrefix": "web-", "adminUsername": "me"},
        "networkProfile": {"networkInterfaceConfigurations": [
            {"name": "nic", "properties": {"primary": true, "ipConfigurations": [{"name": "ip", "properties": {}}]}},
        ]},
    });
    let body = json!({
        "location": "westus2", "zones": ["1", "3"], "sku": {"name": "Standard_B1s", "capacity": 2},
        "properties": {"virtualMachineProfile": profile},
    });
    let shown = arm.put(&set, body).await.is(201).json();
    assert_eq!(shown["properties"]["virtualMachineProfile"].get("userData"), None);
    let first = arm.metadata(&format!("{set}/virtualMachines/0")).await.instance;
    let second = arm.metadata(&format!("{set}/virtualMachines/1")).await.instance;
    assert_eq!((first.compute.name.as_str(), second.compute.name.as_str()), ("web_0", "web_1"));
    assert_eq!(second.compute.os_profile.computer_name, "web-000001");
    assert_eq!((first.compute.zone.as_str(), second.compute.zone.as_str()), ("1", "3"));
    assert_eq!(
        (first.compute.vm_scale_set_name.as_str(), first.compute.virtual_machine_scale_set_id.as_str()),
        ("web", "")
    );
    assert_eq!(first.compute.user_data, "aGk=");
    assert_ne!(first.interfaces[0].mac_address, second.interfaces[0].mac_address);
    // Who writes back what was read, which is shown without user data, takes none away.
    let mut again = shown;
    again["sku"]["capacity"] = 3.into();
    arm.put(&set, again).await.is(200);
    let third = arm.metadata(&format!("{set}/virtualMachines/2")).await.instance;
    assert_eq!(third.compute.user_data, "aGk=");
}

#[tokio::test]
async fn a_machine_is_told_what_the_model_says_that_it_has() {
    let arm = Arm::new().await;
    let set = format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/web");
    let model = |mode: &str, user_data: &str, size: &str| {
        json!({
            "location": "westus2", "sku": {"name": size, "capacity": 2},
            "properties": {"upgradePolicy": {"mode": mode}, "virtualMachineProfile": {"userData": user_data}},
        })
    };
    let (arm_of, path) = (&arm, &set);
    let told = async || {
        let mut all = Vec::new();
        for number in [0, 1] {
            let compute = arm_of.metadata(&format!("{path}/virtualMachines/{number}")).await.instance.compute;
            all.push(format!("{} {}", compute.user_data, compute.vm_size));
        }
        all
    };
    arm.put(&set, model("Manual", "b25l", "Standard_B1s")).await.is(201);
    arm.put(&set, model("Manual", "dHdv", "Standard_B2s")).await.is(200);
    assert_eq!(told().await, ["b25l Standard_B1s", "b25l Standard_B1s"]);
    arm.post(&format!("{set}/manualupgrade"), json!({"instanceIds": ["1"]})).await.is(200);
    assert_eq!(told().await, ["b25l Standard_B1s", "dHdv Standard_B2s"]);
    arm.put(&set, model("Automatic", "dGhyZWU=", "Standard_B2s")).await.is(200);
    assert_eq!(told().await, ["dGhyZWU= Standard_B2s"; 2]);
}
