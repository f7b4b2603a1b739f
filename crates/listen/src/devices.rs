//! Which network devices there are, told as they come and go (rtnetlink(7), the multicast group of links).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use rtnetlink::packet_core::NetlinkPayload;
use rtnetlink::packet_route::link::{LinkAttribute, LinkMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{MulticastGroup, new_multicast_connection};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// How soon the system is asked again that gave no answer.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// The network devices of this process's network namespace. Cheap to clone; nothing is asked any more once the last clone is
/// gone.
#[derive(Clone, Debug)]
pub struct Devices {
    table: Arc<Mutex<Table>>,
    _task: Arc<Task>,
}

#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Devices {
    /// Begins to watch. What is there already is told in a moment.
    #[must_use]
    pub fn watch() -> Self {
        let table = Arc::<Mutex<Table>>::default();
        let task = tokio::spawn(watch_on(Arc::clone(&table)));
        Self { table, _task: Arc::new(Task(task)) }
    }

    /// The index of the device of this name, now and later; none while there is none. Another index is another device.
    #[must_use]
    pub fn follow(&self, name: &str) -> watch::Receiver<Option<u32>> {
        lock(&self.table).named(name).subscribe()
    }
}

/// The devices as far as they were told.
#[derive(Debug, Default)]
struct Table {
    names: HashMap<u32, String>,
    indices: HashMap<String, watch::Sender<Option<u32>>>,
}

impl Table {
    fn named(&mut self, name: &str) -> &watch::Sender<Option<u32>> {
        self.indices.entry(name.to_owned()).or_insert_with(|| watch::Sender::new(None))
    }

    /// There is a device of this index, and this is its name now.
    fn is_there(&mut self, index: u32, name: &str) {
        if self.names.get(&index).is_some_and(|before| before != name) {
            self.is_gone(index);
        }
        self.names.insert(index, name.to_owned());
        self.named(name).send_if_modified(|now| now.replace(index) != Some(index));
    }

    /// There is none of this index any more.
    fn is_gone(&mut self, index: u32) {
        let Some(name) = self.names.remove(&index) else { return };
        let Some(told) = self.indices.get(&name) else { return };
        // One made anew under the name may have been told already.
        told.send_if_modified(|now| now.take_if(|now| *now == index).is_some());
        if told.borrow().is_none() && told.receiver_count() == 0 {
            self.indices.remove(&name);
        }
    }

    /// These are all there are.
    fn are_all(&mut self, devices: &[(u32, String)]) {
        let known: Vec<u32> = self.names.keys().copied().collect();
        for index in known.into_iter().filter(|known| !devices.iter().any(|(index, _)| index == known)) {
            self.is_gone(index);
        }
        for (index, name) in devices {
            self.is_there(*index, name);
        }
    }
}

async fn watch_on(table: Arc<Mutex<Table>>) {
    let mut again = tokio::time::interval(TRY_AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        // It ends when the system had more to tell than there was room for: then all is asked anew.
        if let Err(error) = listen_in(&table).await {
            tracing::warn!(error = &*error, "the network devices could not be watched; trying again");
        }
    }
}

/// Asks for all devices and hears of changes, until the system's word ends.
async fn listen_in(table: &Mutex<Table>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Changes are heard from before all are asked for, so that none is missed.
    let (connection, handle, mut changes) = new_multicast_connection(&[MulticastGroup::Link])?;
    let connection = Task(tokio::spawn(connection));
    let all: Vec<LinkMessage> = handle.link().get().execute().try_collect().await?;
    lock(table).are_all(&all.iter().filter_map(device).collect::<Vec<_>>());
    while let Some((message, _)) = changes.next().await {
        let NetlinkPayload::InnerMessage(told) = message.payload else { continue };
        if let RouteNetlinkMessage::NewLink(link) = &told
            && let Some((index, name)) = device(link)
        {
            lock(table).is_there(index, &name);
        } else if let RouteNetlinkMessage::DelLink(link) = &told
            && let Some((index, _)) = device(link)
        {
            lock(table).is_gone(index);
        }
    }
    drop(connection);
    Ok(())
}

/// The index and name of a device. A bridge tells of its ports in the same words, with its own address family: that one
/// leaves the bridge doesn't mean that it is gone.
fn device(link: &LinkMessage) -> Option<(u32, String)> {
    let name = |attribute: &LinkAttribute| {
        if let LinkAttribute::IfName(name) = attribute { Some(name.clone()) } else { None }
    };
    let name = link.attributes.iter().find_map(name);
    name.filter(|_| link.header.interface_family == AddressFamily::Unspec).map(|name| (link.header.index, name))
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_the_device_that_has_it_now() {
        let mut table = Table::default();
        let tap = table.named("tap0").subscribe();
        let now = || *tap.borrow();
        table.are_all(&[(1, "lo".to_owned())]);
        assert_eq!(now(), None);
        table.is_there(7, "tap0");
        assert_eq!(now(), Some(7));
        // Made anew, whichever of the two is told first.
        table.is_there(8, "tap0");
        table.is_gone(7);
        assert_eq!(now(), Some(8));
        // Given another name, and back.
        table.is_there(8, "tap1");
        assert_eq!(now(), None);
        table.is_there(8, "tap0");
        table.are_all(&[(1, "lo".to_owned()), (9, "tap0".to_owned())]);
        assert_eq!(now(), Some(9));
        table.are_all(&[(1, "lo".to_owned())]);
        assert_eq!(now(), None);
    }

    #[test]
    fn names_that_nobody_follows_are_forgotten() {
        let mut table = Table::default();
        for index in 10..1_010 {
            table.is_there(index, &format!("tap{index}"));
            table.is_gone(index);
        }
        assert_eq!((table.names.len(), table.indices.len()), (0, 0));
    }

    #[test]
    fn a_port_that_leaves_its_bridge_is_still_there() {
        let mut link = LinkMessage::default();
        link.header.index = 3;
        link.attributes.push(LinkAttribute::IfName("tap0".to_owned()));
        assert_eq!(device(&link), Some((3, "tap0".to_owned())));
        link.header.interface_family = AddressFamily::Bridge;
        assert_eq!(device(&link), None);
    }

    #[tokio::test]
    async fn what_is_there_is_told() {
        let devices = Devices::watch();
        let mut loopback = devices.follow("lo");
        assert_eq!(*loopback.wait_for(Option::is_some).await.unwrap(), Some(1));
    }
}
