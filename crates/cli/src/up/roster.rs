//! The VMs of an `up` from start to start: their order, and the folder of each one's guest.
//!
//! The order decides which VM has which address, so it must not change because a start was given no seed. The
//! folder holds credentials, so no two VMs may ever share one, whatever they are called.

use std::io;
use std::path::{Path, PathBuf};

use domain::{ResourceId, VirtualMachine};
use serde::{Deserialize, Serialize};

use crate::files;

/// The file in the data directory.
const FILE: &str = "machines.json";
/// The folder of all guests, in the data directory.
pub(crate) const GUESTS: &str = "guests";
/// The longest folder name that every file system takes, in bytes.
const LONGEST: usize = 255;

/// The order and folders of the last start.
#[derive(Debug, Default)]
pub(crate) struct Roster(Vec<Place>);

#[derive(Debug, Serialize, Deserialize)]
struct Place {
    /// The VM.
    id: String,
    /// The name of its guest's folder.
    guest: String,
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be {doing}; without it VMs may get other addresses: mend it, or move it away to begin anew", path.display())]
pub(crate) struct RosterError {
    path: PathBuf,
    doing: &'static str,
    #[source]
    why: io::Error,
}

impl Roster {
    /// What the last start left; nothing at the first one.
    ///
    /// # Errors
    /// When there is a file that can't be read.
    pub(crate) fn read(data: &Path) -> Result<Self, RosterError> {
        let path = data.join(FILE);
        let failed = |why| RosterError { path: path.clone(), doing: "read", why };
        match std::fs::read(&path) {
            Ok(text) => Ok(Self(serde_json::from_slice(&text).map_err(|why| failed(why.into()))?)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(why) => Err(failed(why)),
        }
    }

    /// Where a VM stood; one that wasn't there stands behind all others.
    pub(crate) fn position(&self, vm: &ResourceId) -> usize {
        self.0.iter().position(|place| is(place, vm)).unwrap_or(usize::MAX)
    }

    /// Takes the VMs of this start in their order. Each keeps its folder; a new one gets the first that nobody
    /// has of its name, its name and group, its name and `vmId`.
    pub(crate) fn enrol<'v>(&mut self, machines: impl IntoIterator<Item = &'v VirtualMachine>) {
        let before = std::mem::take(&mut self.0);
        let machines: Vec<_> = machines.into_iter().collect();
        let kept = |vm: &VirtualMachine| before.iter().find(|place| is(place, &vm.id)).map(|place| &place.guest);
        let mut taken: Vec<String> = machines.iter().filter_map(|vm| kept(vm)).cloned().collect();
        for vm in machines {
            let guest = kept(vm).cloned().unwrap_or_else(|| {
                let guest = folder(vm, &taken);
                taken.push(guest.clone());
                guest
            });
            self.0.push(Place { id: vm.id.to_string(), guest });
        }
    }

    /// Takes one more VM, behind all others.
    pub(crate) fn admit(&mut self, vm: &VirtualMachine) {
        if !self.0.iter().any(|place| is(place, &vm.id)) {
            let taken: Vec<String> = self.0.iter().map(|place| place.guest.clone()).collect();
            self.0.push(Place { id: vm.id.to_string(), guest: folder(vm, &taken) });
        }
    }

    /// Forgets a VM that is gone: one that comes later under its name stands behind all others.
    pub(crate) fn dismiss(&mut self, vm: &ResourceId) {
        self.0.retain(|place| !is(place, vm));
    }

    /// Keeps it for the next start.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&self, data: &Path) -> Result<(), RosterError> {
        let path = data.join(FILE);
        let text = serde_json::to_vec(&self.0).map_err(io::Error::from);
        text.and_then(|text| files::write_private(&path, &text)).map_err(|why| RosterError {
            path,
            doing: "written",
            why,
        })
    }

    /// The name of the folder of a VM's guest.
    pub(crate) fn guest(&self, vm: &VirtualMachine) -> String {
        let place = self.0.iter().find(|place| is(place, &vm.id));
        place.map_or_else(|| folder(vm, &[]), |place| place.guest.clone())
    }
}

fn is(place: &Place, vm: &ResourceId) -> bool {
    place.id.eq_ignore_ascii_case(vm.as_str())
}

/// A name that isn't taken. `@` stands in no VM's name, so that none can pose as another with its group.
fn folder(vm: &VirtualMachine, taken: &[String]) -> String {
    let group = vm.id.resource_group().unwrap_or_default();
    let own = format!("{}@{}", vm.name, vm.vm_id);
    let names = [vm.name.clone(), format!("{}@{group}", vm.name)];
    let free = |name: &String| name.len() <= LONGEST && !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    names.into_iter().find(free).unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::derived_ids;

    use super::*;

    fn vm(subscription: u32, group: &str, name: &str) -> VirtualMachine {
        let subscription = format!("00000000-0000-4000-8000-{subscription:012}").parse().unwrap();
        let id = ResourceId::for_virtual_machine(subscription, group, name).unwrap();
        VirtualMachine {
            vm_id: derived_ids::vm_id(&id),
            tenant: derived_ids::tenant_id("dev"),
            name: name.to_owned(),
            location: String::new(),
            size: String::new(),
            tags: BTreeMap::new(),
            system_assigned: None,
            user_assigned: Vec::new(),
            attachment: None,
            document: String::new(),
            power: domain::PowerState::Running,
            generation: 0,
            created_at: domain::Timestamp::from_unix(0),
            instance: None,
            id,
        }
    }

    #[test]
    fn no_two_share_a_folder_and_each_keeps_its_own_whatever_comes_before_it() {
        let data = tempfile::tempdir().unwrap();
        let first = vm(1, "a", "dev");
        let mut roster = Roster::read(data.path()).unwrap();
        roster.enrol([&first]);
        assert_eq!(roster.guest(&first), "dev");
        roster.write(data.path()).unwrap();

        let others = [vm(1, "b", "DEV"), vm(2, "b", "dev"), vm(1, "a", "other")];
        let mut roster = Roster::read(data.path()).unwrap();
        roster.enrol(others.iter().chain([&first]));
        let folders: Vec<_> = others.iter().chain([&first]).map(|vm| roster.guest(vm)).collect();
        let own = format!("dev@{}", others[1].vm_id);
        assert_eq!(folders, ["DEV@b", &own, "other", "dev"]);
        roster.write(data.path()).unwrap();
        let again = Roster::read(data.path()).unwrap();
        assert_eq!(again.guest(&others[1]), folders[1]);
        assert_eq!((again.position(&first.id), again.position(&vm(3, "a", "x").id)), (3, usize::MAX));
    }

    #[test]
    fn a_machine_that_is_gone_leaves_its_place_and_its_folder() {
        let (first, second, namesake) = (vm(1, "a", "dev"), vm(1, "a", "other"), vm(1, "b", "dev"));
        let mut roster = Roster::default();
        roster.enrol([&first, &second]);
        roster.dismiss(&first.id);
        assert_eq!((roster.position(&first.id), roster.position(&second.id)), (usize::MAX, 0));
        roster.admit(&namesake);
        roster.admit(&first);
        assert_eq!((roster.guest(&namesake), roster.guest(&first)), ("dev".to_owned(), "dev@a".to_owned()));
        assert_eq!((roster.position(&namesake.id), roster.position(&first.id)), (1, 2));
    }

    #[test]
    fn a_broken_file_is_told_and_not_forgotten() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(FILE), "[").unwrap();
        let error = Roster::read(data.path()).unwrap_err().to_string();
        assert!(error.contains("machines.json can't be read"), "{error}");
    }
}
