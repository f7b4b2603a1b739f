//! Clients at the same time, on a runtime of several threads as the program has.

use tokio::task::JoinSet;

use super::*;

/// More than there are threads.
const CLIENTS: usize = 12;

/// What each client does, in a task of its own; what came of it, in any order.
async fn at_once<F: Future<Output: Send + 'static> + Send + 'static>(
    arm: &Arc<Arm>,
    client: impl Fn(Arc<Arm>, usize) -> F,
) -> Vec<F::Output> {
    let clients: JoinSet<_> = (0..CLIENTS).map(|number| client(arm.clone(), number)).collect();
    clients.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_of_one_is_lost_to_another() {
    let arm = Arc::new(Arm::new().await);
    let made = at_once(&arm, |arm, number| async move {
        let path = arm.vm(&format!("vm{number:02}")).await;
        arm.patch(&path, json!({"tags": {"number": number.to_string()}})).await.is(200);
        assert_eq!(arm.get(&path).await.is(200).json()["tags"]["number"], number.to_string(), "it reads what it wrote");
        arm.put(&identity("shared"), json!({"location": "westus"})).await.one_of(&[200, 201]).status.as_u16()
    });
    let made = made.await;
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "one of them made it: {made:?}");
    let machines = arm.get(&format!("{G}/providers/Microsoft.Compute/virtualMachines")).await.names();
    let expected: Vec<_> = (0..CLIENTS).map(|number| format!("vm{number:02}")).collect();
    assert_eq!(machines, expected);
    let audit = arm.audit().await;
    for name in expected {
        let acts = audit.iter().filter(|(_, _, target)| target.eq_ignore_ascii_case(&vm(&name))).count();
        assert_eq!(acts, 2, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_change_is_made_to_what_the_one_before_left() {
    let arm = Arc::new(Arm::new().await);
    let set = scale_set("web");
    let sized = json!({"location": "westus", "sku": {"name": "Standard_B1s", "capacity": CLIENTS + 1}});
    arm.put(&set, sized).await.is(201);
    at_once(&arm, |arm, number| async move {
        let one = json!({"instanceIds": [number.to_string()]});
        arm.post(&format!("{}/delete", scale_set("web")), one).await.is(202);
    })
    .await;
    assert_eq!(arm.get(&set).await.json()["sku"]["capacity"], 1);
    assert_eq!(arm.get(&format!("{set}/virtualMachines")).await.names(), [format!("web_{CLIENTS}")]);
}

/// A resource that many write at once: its path, the body that is one client's alone in every part, and where those parts
/// are.
struct Contended {
    path: String,
    body: fn(usize) -> Value,
    parts: &'static [&'static str],
}

impl Contended {
    fn all() -> [Self; 6] {
        [
            Self {
                path: vm("one"),
                body: |number| {
                    json!({
                        "location": "westus", "tags": {"number": number.to_string()},
                        "identity": {"type": "SystemAssigned, UserAssigned",
                                     "userAssignedIdentities": {identity(&format!("id{number}")): {}}},
                        "properties": {"hardwareProfile": {"vmSize": format!("Standard_B{number}s")},
                                       "osProfile": {"computerName": format!("host{number}")}},
                    })
                },
                parts: &[
                    "/tags",
                    "/identity/userAssignedIdentities",
                    "/properties/hardwareProfile/vmSize",
                    "/properties/osProfile/computerName",
                ],
            },
            Self {
                path: format!("{}/extensions/{LINUX}", vm("vm")),
                body: |number| {
                    let mut properties = extension(LINUX);
                    properties["settings"]["port"] = (50_342 + number).into();
                    properties["forceUpdateTag"] = number.to_string().into();
                    json!({"location": "westus", "tags": {"number": number.to_string()}, "properties": properties})
                },
                parts: &["/tags", "/properties/settings", "/properties/forceUpdateTag"],
            },
            Self {
                path: scale_set("one"),
                body: |number| {
                    let mut properties = extension(LINUX);
                    properties["forceUpdateTag"] = number.to_string().into();
                    let extensions = json!([{"name": LINUX, "properties": properties}]);
                    json!({
                        "location": "westus", "tags": {"number": number.to_string()},
                        "sku": {"name": format!("Standard_B{number}s"), "capacity": number},
                        "properties": {"virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}},
                    })
                },
                parts: &[
                    "/tags",
                    "/sku/name",
                    "/sku/capacity",
                    "/properties/virtualMachineProfile/extensionProfile/extensions/0/properties/forceUpdateTag",
                ],
            },
            Self {
                path: identity("one"),
                body: |number| {
                    let number = number.to_string();
                    json!({"location": "westus", "tags": {"number": number, "again": number}})
                },
                parts: &["/tags/number", "/tags/again"],
            },
            Self {
                path: format!("{G}/providers/Microsoft.Network/networkInterfaces/one"),
                body: |number| {
                    json!({"location": "westus", "tags": {"number": number.to_string()},
                           "properties": {"enableIPForwarding": number % 2 == 0, "macAddress": number.to_string()}})
                },
                parts: &["/tags", "/properties/enableIPForwarding", "/properties/macAddress"],
            },
            Self {
                path: format!("{SUB}/resourceGroups/one"),
                body: |number| json!({"location": "westus", "tags": {"number": number.to_string()}}),
                parts: &["/tags"],
            },
        ]
    }

    /// The parts of a body or of what is shown. Of the identities of a machine only the names are its owner's.
    fn parts(&self, value: &Value) -> Vec<Value> {
        let part = |at: &&str| {
            let part = value.pointer(at).cloned().unwrap_or_default();
            let members = part.as_object().filter(|_| *at == "/identity/userAssignedIdentities");
            members.map_or_else(|| part.clone(), |members| members.keys().cloned().collect())
        };
        self.parts.iter().map(part).collect()
    }

    /// Whose body this shows, the whole of it.
    fn winner(&self, shown: &Value) -> usize {
        let winner = (0..CLIENTS).find(|number| self.parts(&(self.body)(*number)) == self.parts(shown));
        winner.unwrap_or_else(|| panic!("{} is a mix: {shown}", self.path))
    }
}

/// With what the contended resources lean on.
async fn contended() -> (Arc<Arm>, Vec<Arc<Contended>>) {
    let arm = Arm::new().await;
    arm.identities("id", CLIENTS).await;
    arm.vm("vm").await;
    (Arc::new(arm), Contended::all().map(Arc::new).into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_writes_the_whole_of_a_resource() {
    let (arm, resources) = contended().await;
    for resource in resources {
        let made = at_once(&arm, |arm, number| {
            let resource = resource.clone();
            async move {
                let made = arm.put(&resource.path, (resource.body)(number)).await.one_of(&[200, 201]);
                assert_eq!(resource.winner(&made.json()), number, "it is answered what it wrote");
                made.status.as_u16()
            }
        });
        let made = made.await;
        assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{}: {made:?}", resource.path);
        arm.settle(&Guest::SOUND).await;
        let winner = resource.winner(&arm.get(&resource.path).await.is(200).json());
        if resource.path == scale_set("one") {
            assert_eq!(arm.get(&format!("{}/virtualMachines", resource.path)).await.names().len(), winner);
        }
        let audit = arm.audit().await;
        let written = audit.iter().filter(|(actor, _, target)| actor != "guest" && *target == resource.path).count();
        assert_eq!(written, CLIENTS, "{}", resource.path);
    }
    assert_owned(&arm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_and_deleted_at_once_is_whole_or_gone() {
    let (arm, resources) = contended().await;
    for resource in resources {
        arm.put(&resource.path, (resource.body)(0)).await.is(201);
        at_once(&arm, |arm, number| {
            let resource = resource.clone();
            async move {
                if number % 2 == 0 {
                    let made = arm.put(&resource.path, (resource.body)(number)).await;
                    match made.status.as_u16() {
                        // An extension is written no more until it is gone.
                        409 => drop(made.refuses(409, "OperationNotAllowed")),
                        _ => assert_eq!(resource.winner(&made.one_of(&[200, 201]).json()), number),
                    }
                } else {
                    let gone = arm.delete(&resource.path).await;
                    match gone.status.as_u16() {
                        // Only a group must be there.
                        404 => drop(gone.refuses(404, "ResourceGroupNotFound")),
                        _ => drop(gone.one_of(&[200, 202, 204])),
                    }
                }
            }
        })
        .await;
        arm.settle(&Guest::SOUND).await;
        let left = arm.get(&resource.path).await.one_of(&[200, 404]);
        if left.status == StatusCode::OK {
            resource.winner(&left.json());
        }
    }
    assert_owned(&arm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_goes_with_whatever_is_written_into_it() {
    let arm = Arc::new(Arm::new().await);
    let group = format!("{SUB}/resourceGroups/rg2");
    arm.put(&group, json!({"location": "westus"})).await.is(201);
    at_once(&arm, |arm, number| {
        let group = group.clone();
        async move {
            if number == CLIENTS / 2 {
                arm.delete(&group).await.is(202);
                return;
            }
            let path = format!("{group}/providers/Microsoft.Compute/virtualMachines/vm{number}");
            let made = arm.put(&path, json!({"location": "westus", "identity": {"type": "SystemAssigned"}})).await;
            if made.status != StatusCode::CREATED {
                made.refuses(404, "ResourceGroupNotFound");
            }
        }
    })
    .await;
    arm.get(&group).await.refuses(404, "ResourceGroupNotFound");
    // That of the world itself is in another group.
    assert_eq!(arm.get(&format!("{SUB}/providers/Microsoft.Compute/virtualMachines")).await.names(), ["vm"]);
    assert_owned(&arm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_deployments_of_a_name_is_carried_out() {
    let arm = Arc::new(Arm::new().await);
    let made = at_once(&arm, |arm, number| async move {
        let resource = |name: &str| {
            json!({"type": "Microsoft.Network/networkInterfaces", "apiVersion": "2022-01-01", "name": name,
                   "location": "westus", "tags": {"number": number.to_string()}})
        };
        let body = deployments::strict(&deployments::template(json!([resource("a"), resource("b")])));
        let made = arm.put(&deployment("d"), body).await;
        if made.status == StatusCode::CREATED {
            return Some((number, made));
        }
        made.refuses(409, "DeploymentActive");
        None
    });
    let made: Vec<_> = made.await.into_iter().flatten().collect();
    let [(winner, made)] = made.as_slice() else { panic!("{} of them", made.len()) };
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(made).await.json()["status"], "Succeeded");
    for name in ["a", "b"] {
        let there = arm.get(&format!("{G}/providers/Microsoft.Network/networkInterfaces/{name}")).await.is(200);
        assert_eq!(there.json()["tags"]["number"], winner.to_string());
    }
}

/// Every living principal of an identity has its owner, and whatever has an identity its principal.
async fn assert_owned(arm: &Arm) {
    let read = arm.world.store.read(|tx| {
        let everywhere = (Scope::Root, Page::ALL);
        let machines = tx.virtual_machines(&everywhere.0, &everywhere.1)?.into_iter();
        let identities = tx.user_assigned_identities(&everywhere.0, &everywhere.1)?.into_iter();
        let owned = machines.filter_map(|machine| machine.system_assigned).chain(identities.map(|one| one.identity));
        let mut owned: Vec<_> = owned.map(|identity| (identity.principal_id, identity.id.to_string())).collect();
        let principals = tx.service_principals(TENANT.parse().unwrap())?.into_iter();
        let living = principals.filter(|principal| principal.deleted_at.is_none());
        let owner = |one: domain::ServicePrincipal| Some((one.principal_id, one.owner?.to_string()));
        let mut living: Vec<_> = living.filter_map(owner).collect();
        owned.sort();
        living.sort();
        Ok::<_, store::Error>((living, owned))
    });
    let (living, owned) = read.await.unwrap();
    assert_eq!(living, owned);
}
