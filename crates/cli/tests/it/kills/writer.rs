//! A client that writes what comes to its mind, and knows what must be there.

use super::world::{EXTENSION, machine};
use super::*;

/// A client with resources of its own, which nobody else writes.
pub(super) struct Writer {
    number: u32,
    random: StdRng,
    /// Counts its writes, so that each is known by what it wrote.
    step: u32,
    /// Where its extensions serve.
    port: u16,
    /// What was acknowledged.
    there: World,
    /// What is there instead if the one request was carried out that nobody answered.
    asked: Option<World>,
    /// Where what was acknowledged and may still be under way is followed.
    under_way: Vec<String>,
    has_written: bool,
}

/// A request, and what is there once it is carried out.
struct Request {
    method: &'static str,
    path: String,
    body: Value,
    leaves: World,
    /// Whether it is refused, or not to be told apart, while something is under way.
    in_turn: bool,
}

impl Writer {
    pub(super) fn new(number: u32, seed: u64) -> Self {
        Self {
            number,
            random: StdRng::seed_from_u64(seed),
            step: 0,
            port: free_port(),
            there: World::new(),
            asked: None,
            under_way: Vec::new(),
            has_written: false,
        }
    }

    /// Whether anything was acknowledged.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    /// Writes until the server is gone.
    pub(super) fn write(&mut self, arm: &Arm, acknowledged: &mpsc::Sender<()>) {
        while self.write_one(arm).is_some() && acknowledged.send(()).is_ok() {}
    }

    /// Nothing when the server is gone.
    fn write_one(&mut self, arm: &Arm) -> Option<()> {
        let request = self.think(arm);
        // Who waits for the end of some of it and not of all is killed at other moments.
        if request.in_turn || self.random.random() {
            while let Some(url) = self.under_way.last() {
                assert_ended(url, &arm.try_follow(url)?);
                self.under_way.pop();
            }
        }
        self.asked = Some(request.leaves);
        let answer = arm.try_send(request.method, &request.path, &request.body)?;
        assert!(answer.status < 300, "{} {} {}: {answer:?}", request.method, request.path, request.body);
        self.there = self.asked.take().unwrap();
        self.has_written = true;
        self.under_way.extend(answer.header("azure-asyncoperation").or(answer.header("location")).map(str::to_owned));
        Some(())
    }

    /// What is there after a kill is what was acknowledged, or that with the one request which nobody answered: the
    /// whole of it or nothing. What was under way ends.
    pub(super) fn look(&mut self, arm: &Arm) {
        let seen: World = What::ALL.into_iter().filter_map(|what| Some((what, what.seen(arm, self.number)?))).collect();
        assert!(
            seen == self.there || Some(&seen) == self.asked.as_ref(),
            "writer {}, step {}: it finds\n{seen:#?}\nwhere it wrote\n{:#?}\nand perhaps\n{:#?}",
            self.number,
            self.step,
            self.there,
            self.asked
        );
        self.there = seen;
        self.asked = None;
        for url in self.under_way.drain(..) {
            assert_ended(&url, &arm.follow(&url));
        }
    }

    /// A request that can be made now.
    fn think(&mut self, arm: &Arm) -> Request {
        self.step += 1;
        loop {
            let choice = self.random.random_range(0..18);
            if let Some(request) = self.request(arm, choice) {
                return request;
            }
        }
    }

    fn request(&mut self, arm: &Arm, choice: u32) -> Option<Request> {
        let step = Value::from(self.step.to_string());
        let path = |what: What| what.path(arm, self.number);
        let is_there = |what: What| self.there.contains_key(&what);
        let runs = self.there.get(&What::Machine).is_some_and(|machine| machine["power"] == RUNNING);
        // Without an identity there is nothing to serve.
        let serves = runs && self.there[&What::Machine]["identity"] == SYSTEM;
        let with = |more: &[(What, Value)]| {
            let mut leaves = self.there.clone();
            leaves.extend(more.iter().cloned());
            leaves
        };
        let without = |gone: &[What]| {
            let left = self.there.iter().filter(|(what, _)| !gone.contains(what));
            left.map(|(what, value)| (*what, value.clone())).collect::<World>()
        };
        let put = |what: What, body: Value, leaves: World| {
            Some(Request { method: "PUT", path: path(what), body, leaves, in_turn: false })
        };
        let delete = |what: What, gone: &[What]| {
            let (path, body, leaves) = (path(what), Value::Null, without(gone));
            is_there(what).then_some(Request { method: "DELETE", path, body, leaves, in_turn: false })
        };
        let simple = json!({"location": "westus", "tags": {"step": step}});
        match choice {
            0..3 => {
                let identity = Value::from(if self.random.random() { SYSTEM } else { "None" });
                let body = json!({"location": "westus", "tags": {"step": step}, "identity": {"type": identity}});
                let power = self.there.get(&What::Machine).map_or(RUNNING.into(), |before| before["power"].clone());
                let shown = if identity == SYSTEM { identity } else { Value::Null };
                let leaves = with(&[(What::Machine, machine(&step, &shown, &power))]);
                Some(Request { in_turn: true, ..put(What::Machine, body, leaves)? })
            }
            3 => delete(What::Machine, &[What::Machine, What::Extension]),
            4..6 if serves => {
                let body = json!({"location": "westus", "properties": self.extension(&step)});
                let leaves = with(&[(What::Extension, json!(["Succeeded", step]))]);
                Some(Request { in_turn: true, ..put(What::Extension, body, leaves)? })
            }
            6 if runs => delete(What::Extension, &[What::Extension]),
            7 => {
                let (action, power) = POWER[self.random.random_range(0..POWER.len())];
                let mut leaves = self.there.clone();
                leaves.get_mut(&What::Machine)?["power"] = power.into();
                let path = format!("{}/{action}", path(What::Machine));
                Some(Request { method: "POST", path, body: Value::Null, leaves, in_turn: true })
            }
            8..10 => {
                let capacity: usize = self.random.random_range(0..=2);
                let extensions = json!([{"name": EXTENSION, "properties": self.extension(&step)}]);
                let body = json!({
                    "location": "westus", "tags": {"step": step}, "identity": {"type": SYSTEM},
                    "sku": {"name": "Standard_B1s", "capacity": capacity},
                    "properties": {"upgradePolicy": {"mode": "Automatic"},
                                   "virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}},
                });
                let machines = vec![json!([["Succeeded", step]]); capacity];
                put(What::ScaleSet, body, with(&[(What::ScaleSet, json!([step, capacity, machines]))]))
            }
            10 => delete(What::ScaleSet, &[What::ScaleSet]),
            11 => put(What::Identity, simple, with(&[(What::Identity, step)])),
            // Its roles go with it.
            12 => delete(What::Identity, &[What::Identity, What::Role]),
            13 if is_there(What::Identity) && !is_there(What::Role) => {
                let identity = arm.try_send("GET", &path(What::Identity), &Value::Null)?;
                let body = json!({"properties": {
                    "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
                    "principalId": identity.body["properties"]["principalId"],
                }});
                put(What::Role, body, with(&[(What::Role, true.into())]))
            }
            14 => delete(What::Role, &[What::Role]),
            15 if !is_there(What::Group) => put(What::Group, simple, with(&[(What::Group, step)])),
            15 => {
                let what = if self.random.random() { What::GroupMachine } else { What::GroupIdentity };
                let body = json!({"location": "westus", "tags": {"step": step}, "identity": {"type": SYSTEM}});
                let leaves =
                    if what == What::GroupMachine { machine(&step, &SYSTEM.into(), &RUNNING.into()) } else { step };
                put(what, body, with(&[(what, leaves)]))
            }
            16 => delete(What::Group, &[What::Group, What::GroupMachine, What::GroupIdentity]),
            17 => {
                let leaves = with(&[
                    (What::Deployment, json!(["Succeeded", step])),
                    (What::DeployedNetwork, step.clone()),
                    (What::DeployedIdentity, step.clone()),
                    (What::DeployedMachine, machine(&step, &SYSTEM.into(), &RUNNING.into())),
                ]);
                let body = json!({"properties": {"mode": "Incremental", "template": self.template(&step)}});
                Some(Request { in_turn: true, ..put(What::Deployment, body, leaves)? })
            }
            _ => None,
        }
    }

    fn extension(&self, step: &Value) -> Value {
        json!({"publisher": "Microsoft.ManagedIdentity", "type": EXTENSION, "typeHandlerVersion": "1.0",
               "settings": {"port": self.port}, "forceUpdateTag": step})
    }

    fn template(&self, step: &Value) -> Value {
        let resource = |kind: &str| {
            json!({"type": kind, "apiVersion": "2022-01-01", "name": format!("d{}", self.number), "location": "westus",
                   "tags": {"step": step}})
        };
        let identity = resource("Microsoft.ManagedIdentity/userAssignedIdentities");
        let mut machine = resource("Microsoft.Compute/virtualMachines");
        machine["identity"] = json!({"type": SYSTEM});
        machine["dependsOn"] = json!([format!("Microsoft.ManagedIdentity/userAssignedIdentities/d{}", self.number)]);
        json!({"$schema": "x", "contentVersion": "1.0.0.0",
               "resources": [resource("Microsoft.Network/networkInterfaces"), identity, machine],
               "outputs": {"step": {"type": "string", "value": step}}})
    }
}

const SYSTEM: &str = "SystemAssigned";
const RUNNING: &str = "PowerState/running";
/// What is done to a machine's power, and how it is then.
const POWER: [(&str, &str); 4] = [
    ("start", RUNNING),
    ("restart", RUNNING),
    ("powerOff", "PowerState/stopped"),
    ("deallocate", "PowerState/deallocated"),
];

/// An operation succeeds, or fails because its subject was deleted meanwhile.
fn assert_ended(url: &str, state: &Value) {
    assert!(state == "Succeeded" || state == "OperationPreempted", "{url} ended as {state}");
}
