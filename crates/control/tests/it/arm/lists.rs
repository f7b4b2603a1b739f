//! Lists: pages, filters, and what a caller may see of them.

use super::*;

/// All names of a list, page by page as clients follow it, and how many pages there were.
async fn walk(arm: &Arm, token: &str, path: &str) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut next) = (Vec::new(), 0, Some(versioned(path)));
    while let Some(path) = next {
        let answer = arm.send(token, "GET", &path, "").await.is(200);
        names.extend(answer.names());
        pages += 1;
        assert!(pages < 1_000, "it never ends");
        next = answer
            .json()
            .get("nextLink")
            .map(|url| url.as_str().unwrap().strip_prefix(BASE).expect("absolute").to_owned());
    }
    (names, pages)
}

#[tokio::test]
async fn fifty_at_once_to_the_end() {
    let arm = Arm::new().await;
    arm.identities("id-", 120).await;
    for number in 0..51 {
        arm.put(&vm(&format!("vm{number}")), json!({"location": "westus"})).await.is(201);
        let network = format!("{G}/providers/Microsoft.Network/virtualNetworks/net{number}");
        arm.put(&network, json!({"location": "westus"})).await.is(201);
        arm.put(&format!("{SUB}/resourceGroups/g{number}"), json!({"location": "westus"})).await.is(201);
    }
    let sorted_unique = |names: &[String]| {
        let mut unique = names.to_vec();
        unique.sort_unstable();
        unique.dedup();
        unique.len()
    };
    for (path, count, pages) in [
        (format!("{G}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"), 120, 3),
        (format!("{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"), 121, 3),
        (format!("{G}/providers/Microsoft.Compute/virtualMachines"), 51, 2),
        (format!("{G}/providers/Microsoft.Network/virtualNetworks"), 51, 2),
        (format!("{G}/resources"), 222, 5),
        (format!("{G}/resources?$filter=resourceType eq 'Microsoft.Network/virtualNetworks'"), 51, 2),
        (format!("{SUB}/resourcegroups"), 53, 2),
        (format!("{G}/providers/Microsoft.ManagedIdentity/userAssignedIdentities?$top=7"), 120, 18),
    ] {
        let (names, walked) = walk(&arm, &arm.token, &path).await;
        assert_eq!((names.len(), sorted_unique(&names), walked), (count, count, pages), "{path}");
    }
    // Exactly one page has no next.
    let (names, pages) =
        walk(&arm, &arm.token, &format!("{G}/providers/Microsoft.Compute/virtualMachines?$top=50")).await;
    assert_eq!((names.len(), pages), (51, 2));
    arm.delete(&vm("vm50")).await.is(202);
    let answer = arm.get(&format!("{G}/providers/Microsoft.Compute/virtualMachines")).await;
    assert_eq!((answer.names().len(), answer.json().get("nextLink")), (50, None));
    // Who may see two of them walks to those two.
    let (id3, id99) = (identity("id-3"), identity("id-99"));
    let token = arm.client(1, &[("Reader", id3.as_str()), ("Reader", id99.as_str())]).await;
    let path = format!("{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities");
    assert_eq!(walk(&arm, &token, &path).await.0, ["id-3", "id-99"]);
    assert_eq!(walk(&arm, &token, &format!("{SUB}/resources")).await.0, ["id-3", "id-99"]);
    assert_eq!(walk(&arm, &token, &format!("{SUB}/resourcegroups")).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn resources_of_all_types() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    let child = format!("{machine}/extensions/{LINUX}");
    arm.put(&child, json!({"location": "westus", "tags": {"a": "b"}, "properties": extension(LINUX)})).await.is(201);
    arm.identities("id", 1).await;
    let body = json!({"location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1}});
    arm.put(&scale_set("ss"), body).await.is(201);
    let list = arm.get(&format!("{G}/resources?$expand=createdTime,changedTime,provisioningState")).await.is(200);
    assert_eq!(list.names(), ["vm1", &format!("vm1/{LINUX}"), "ss", "id0"].map(str::to_owned).to_vec().sorted(&list));
    let body = list.json();
    let machine_shown = body["value"].as_array().unwrap().iter().find(|found| found["name"] == "vm1").unwrap();
    assert_eq!(
        *machine_shown,
        json!({
            "id": machine, "name": "vm1", "type": "Microsoft.Compute/virtualMachines", "location": "westus",
            "provisioningState": "Succeeded", "createdTime": TIME,
        })
    );
    for (filter, found) in [
        ("resourceGroup eq 'RG1'", 4),
        ("resourceGroup eq 'dev' and name eq 'vm'", 1),
        ("resourceGroup eq 'rg1' and resourceType eq 'microsoft.compute/virtualmachines/extensions'", 1),
        ("tagName eq 'a' and tagValue eq 'b'", 1),
        ("name eq 'vm1' and resourceGroup eq 'rg1'", 1),
    ] {
        let list = arm.get(&format!("{SUB}/resources?$filter={filter}&$expand=createdTime")).await.is(200);
        assert_eq!(list.names().len(), found, "{filter}: {}", list.body);
    }
    arm.get(&format!("{SUB}/resources?$filter=substringof('x', name)")).await.refuses(400, "BadRequest");
    arm.get(&format!("{SUB}/resourceGroups/nope/resources")).await.refuses(404, "ResourceGroupNotFound");
    arm.get(&format!("{SUB}/resourceGroups/nope/providers/Microsoft.Compute/virtualMachines"))
        .await
        .refuses(404, "ResourceGroupNotFound");
}

/// The same names in the order of a list, which is that of the ids.
trait Sorted {
    fn sorted(self, list: &Answer) -> Vec<String>;
}

impl Sorted for Vec<String> {
    fn sorted(self, list: &Answer) -> Vec<String> {
        let body = list.json();
        let ids: Vec<_> = body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_ascii_lowercase())
            .collect();
        assert!(ids.is_sorted(), "{ids:?}");
        let mut names = self;
        names.sort_by_key(|name| list.names().iter().position(|found| found == name).unwrap_or(usize::MAX));
        names
    }
}
