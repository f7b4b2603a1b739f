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
