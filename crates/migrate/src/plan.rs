//! In which order machines leave the extension, and what is in the way of each.

use domain::Step;
use domain::limits::USER_ASSIGNED;
use serde::{Deserialize, Serialize};

use crate::machine::{Machine, named, step};

/// A plan: waves, one after the other, each of machines that go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// For how many days calls were looked at.
    pub days: u32,
    /// The waves, in order.
    pub waves: Vec<Wave>,
    /// The machines that can't begin yet.
    pub blocked: Vec<Planned>,
}

/// Machines that go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Its number, from 1.
    pub number: usize,
    /// Its machines.
    pub machines: Vec<Planned>,
}

/// A machine in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Its resource id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The step that it has come to.
    #[serde(serialize_with = "named", deserialize_with = "step")]
    pub reached: Step,
    /// How often its extension was called in those days.
    pub calls: u64,
    /// When it was called last.
    pub last_call: Option<String>,
    /// What is in the way.
    pub obstacles: Vec<Obstacle>,
}

/// Something in the way of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// The step that it is in the way of; none when it is only to be known.
    #[serde(serialize_with = "opt_named", deserialize_with = "opt_step", default)]
    pub blocks: Option<Step>,
    /// What it is, for people.
    pub what: String,
}

impl Plan {
    /// A plan for these machines: first one alone, then so many at a time, those that are called least before the others.
    #[must_use]
    pub fn of(machines: &[Machine], days: u32, wave_size: usize) -> Self {
        let planned = machines.iter().map(|machine| Planned {
            id: machine.id.clone(),
            name: machine.name.clone(),
            reached: machine.properties.cutover.reached,
            calls: machine.properties.extension_calls.count(),
            last_call: machine.properties.extension_calls.last_call.clone(),
            obstacles: obstacles(machine, days),
        });
        let (mut blocked, mut ready): (Vec<_>, Vec<_>) = planned.partition(Planned::cannot_begin);
        for list in [&mut blocked, &mut ready] {
            list.sort_by(|one, other| (one.calls, &one.name, &one.id).cmp(&(other.calls, &other.name, &other.id)));
        }
        let rest = ready.split_off(ready.len().min(1));
        let waves = [ready].into_iter().filter(|first| !first.is_empty());
        let waves = waves.chain(rest.chunks(wave_size.max(1)).map(<[Planned]>::to_vec));
        let waves = (1..).zip(waves).map(|(number, machines)| Wave { number, machines }).collect();
        Self { days, waves, blocked }
    }
}

impl Planned {
    fn cannot_begin(&self) -> bool {
        self.obstacles.iter().any(|obstacle| obstacle.blocks == Some(Step::Forwarding))
    }
}

/// What is in the way of a machine, as far as the control plane knows.
#[must_use]
pub fn obstacles(machine: &Machine, days: u32) -> Vec<Obstacle> {
    let of = &machine.properties;
    let mut found = Vec::new();
    let mut add = |blocks, what: String| found.push(Obstacle { blocks, what });
    let begin = Some(Step::Forwarding);
    match of.power.as_deref() {
        None => {
            add(None, "no machine of it has the extension, but its model: the next one will have it".to_owned());
            return found;
        }
        Some("running") => {}
        Some(power) => add(begin, format!("it is {power}: start it, so that its guest can do what is wanted")),
    }
    if of.extension.state != "Succeeded" {
        add(begin, format!("its extension is {}", of.extension.state));
    }
    if of.identities.is_empty() {
        add(begin, "it has no identity: neither endpoint has a token for it".to_owned());
    }
    if of.identities.len() > USER_ASSIGNED + 1 {
        add(begin, format!("it has more identities than the metadata service serves ({USER_ASSIGNED})"));
    }
    if let Some(why) = &of.cutover.failed {
        add(begin, format!("its guest could not come to '{}': {why}", of.cutover.step.as_str()));
    }
    if let Some(busiest) = of.extension_calls.callers.iter().max_by_key(|caller| caller.calls) {
        let (count, callers) = (of.extension_calls.count(), of.extension_calls.callers.len());
        let others = if callers > 1 { format!(" and {} more", callers - 1) } else { String::new() };
        let what = format!("called {count} times in {days} days by {}{others}", busiest.described());
        add(Some(Step::Closed), what);
    }
    if of.imds_calls.last_call.is_none() {
        add(None, "it has never asked its metadata service; the first step proves that it answers".to_owned());
    }
    found
}

#[expect(clippy::ref_option, reason = "the serialiser's shape")]
fn opt_named<S: serde::Serializer>(step: &Option<Step>, serializer: S) -> Result<S::Ok, S::Error> {
    step.map(Step::as_str).serialize(serializer)
}

fn opt_step<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Step>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    name.map(|name| Step::of(&name).ok_or_else(|| serde::de::Error::custom("no step of a cutover"))).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::machine::machines;

    fn machine(name: &str, calls: u64, power: &str) -> Value {
        let caller = json!({"client": "python", "process": "worker", "uid": 7, "calls": calls, "lastCall": "2027-01-15T08:00:00Z"});
        let callers = if calls > 0 { vec![caller] } else { vec![] };
        json!({"id": format!("/{name}"), "name": name, "properties": {
            "scaleSet": null, "power": power, "usableCredentials": 1,
            "extension": {"name": "msi", "state": "Succeeded", "port": 50342},
            "identities": [{"clientId": "c", "resourceId": "/i"}],
            "extensionCalls": {"lastCall": null, "callers": callers},
            "imdsCalls": {"lastCall": null, "callers": []},
            "cutover": {"step": "serving", "reached": "serving"},
        }})
    }

    #[test]
    fn the_quietest_goes_first_and_alone() {
        let list = json!({"value": [
            machine("busy", 9, "running"), machine("b", 0, "running"), machine("a", 0, "running"),
            machine("off", 0, "stopped"), machine("some", 1, "running"),
        ]});
        let plan = Plan::of(&machines(&list).unwrap(), 7, 2);
        let names = |machines: &[Planned]| machines.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let waves: Vec<_> = plan.waves.iter().map(|wave| names(&wave.machines)).collect();
        assert_eq!(waves, [vec!["a"], vec!["b", "some"], vec!["busy"]]);
        assert_eq!(names(&plan.blocked), ["off"]);
        let busy = &plan.waves[2].machines[0].obstacles;
        assert_eq!(busy[0].what, "called 9 times in 7 days by python (process worker, uid 7)");
        assert_eq!((busy[0].blocks, busy[1].blocks), (Some(Step::Closed), None));
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "a plan can be kept in a file");
        assert_eq!(Plan::of(&[], 7, 0), Plan { days: 7, waves: vec![], blocked: vec![] });
    }

    #[test]
    fn nothing_is_in_the_way_of_a_model() {
        let mut model = machine("set", 0, "");
        model["properties"]["power"] = Value::Null;
        model["properties"]["identities"] = json!([]);
        let plan = Plan::of(&machines(&json!({"value": [model]})).unwrap(), 7, 2);
        let obstacles = &plan.waves[0].machines[0].obstacles;
        let what = "no machine of it has the extension, but its model: the next one will have it";
        assert_eq!(*obstacles, [Obstacle { blocks: None, what: what.to_owned() }]);
    }

    #[test]
    fn a_machine_has_identities_and_no_more_than_are_served() {
        let with = |count: usize| {
            let mut machine = machine("a", 0, "running");
            let identity = |number| json!({"clientId": format!("c{number}"), "resourceId": format!("/i{number}")});
            machine["properties"]["identities"] = (0..count).map(identity).collect();
            let list = json!({"value": [machine]});
            let found = obstacles(&machines(&list).unwrap()[0], 7);
            found.into_iter().filter(|one| one.blocks == Some(Step::Forwarding)).map(|one| one.what).collect::<Vec<_>>()
        };
        assert_eq!(with(0), ["it has no identity: neither endpoint has a token for it"]);
        // One more than may be assigned: its own.
        assert!(with(1).is_empty() && with(1_001).is_empty());
        assert_eq!(with(1_002), ["it has more identities than the metadata service serves (1000)"]);
    }
}
