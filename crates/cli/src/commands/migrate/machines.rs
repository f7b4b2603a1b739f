//! The machines with the extension, as the control plane shows them.

use domain::ResourceId;
use migrate::machine::{Machine, machines};
use serde_json::Value;

use crate::arm::Arm;
use crate::arm::target::{MACHINES, SCALE_SET, Target, VM};

/// Where a scale set is of which no machine has the extension, but its model.
pub(super) const MODEL: &str = "in the model";

/// All of the resource group: as the server answered, and read.
pub(super) async fn all(arm: &Arm, days: u32) -> anyhow::Result<(Value, Vec<Machine>)> {
    let list = arm.get(&arm.all(&MACHINES)?.with(format!("&days={days}"))).await?;
    let machines = machines(&list)?;
    Ok((list, machines))
}

/// Those that a name or resource id means: one machine, or all of a scale set.
pub(super) fn named<'m>(all: &'m [Machine], name: &str) -> anyhow::Result<Vec<&'m Machine>> {
    let is = |text: &str| {
        text.eq_ignore_ascii_case(name) || text.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
    };
    let found = all.iter().filter(|machine| {
        let scale_set = machine.properties.scale_set.as_deref();
        machine.name.eq_ignore_ascii_case(name)
            || machine.id.eq_ignore_ascii_case(name)
            || (scale_set.is_none() && is(&machine.id))
            || scale_set.is_some_and(is)
    });
    let found: Vec<_> = found.collect();
    anyhow::ensure!(
        !found.is_empty(),
        "there is no machine '{name}' with the extension for managed identities in the resource group"
    );
    Ok(found)
}

/// Whether there is such a machine or scale set, whatever it has.
pub(super) async fn exists(arm: &Arm, name: &str) -> anyhow::Result<bool> {
    let targets = if let Ok(id) = ResourceId::parse(name) {
        vec![Target::of(&VM, id.as_str())]
    } else {
        let instance = name.rsplit_once('_').map(|(scale_set, number)| (arm.one(&SCALE_SET, scale_set), number));
        let instance = instance.map(|(scale_set, number)| Ok(scale_set?.below(&["virtualMachines", number])));
        let named = [arm.one(&VM, name), arm.one(&SCALE_SET, name)];
        named.into_iter().chain(instance).collect::<anyhow::Result<_>>()?
    };
    for target in &targets {
        if arm.find(target).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An instant for people: to the second.
pub(super) fn instant(at: Option<&str>) -> String {
    let at = at.and_then(|at| at.parse::<jiff::Timestamp>().ok());
    at.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
