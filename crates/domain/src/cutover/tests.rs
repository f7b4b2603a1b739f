use proptest::prelude::*;

use super::*;

fn vm() -> ResourceId {
    let id = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v";
    ResourceId::parse(id).unwrap()
}

const QUIET: Duration = Duration::from_secs(600);

/// A machine, its control plane and its authority, cut off between any two of their steps.
#[derive(Clone, Debug)]
struct World {
    now: i64,
    /// What the store holds.
    cutover: Cutover,
    /// The credential on the disk, by its number.
    disk: Option<u32>,
    /// The last one that was issued, and the last that was revoked with all before it.
    issued: u32,
    revoked: u32,
    /// The last one that has run out, with all before it.
    expired: u32,
    /// Whether the metadata service answers.
    imds: bool,
    last_call: Option<i64>,
    /// The step that the guest has heard of; it may lag behind.
    seen: Step,
    guest: Guest,
    extension: bool,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// An admin wants a step.
    Want(Step),
    /// An admin removes the extension, as only the last step of a cutover does.
    Remove,
    /// The guest hears what is wanted.
    Hear,
    /// It does one thing.
    Act,
    /// It issues a credential and is cut off before that is on the disk.
    PlaceAndCrash,
    /// It says where it is.
    Report,
    /// It is cut off, and starts again.
    Crash,
    /// The metadata service comes and goes.
    Imds(bool),
    /// Somebody calls the extension's port.
    Call,
    /// Time passes.
    Wait(u16),
    /// What was issued so far runs out.
    Expire,
    /// The guest renews what it serves with.
    Renew,
}

impl World {
    fn new(imds: bool) -> Self {
        let mut world = Self {
            now: 1_000_000,
            cutover: Cutover::none(vm()),
            disk: None,
            issued: 0,
            revoked: 0,
            expired: 0,
            imds,
            last_call: None,
            seen: Step::Serving,
            guest: Guest::default(),
            extension: true,
        };
        world.settle();
        world
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_unix(self.now)
    }

    /// Lets the guest hear, do everything and say so.
    fn settle(&mut self) {
        self.step(Event::Hear);
        for _ in 0..8 {
            self.step(Event::Act);
        }
        self.step(Event::Report);
    }

    /// Whether a caller of the extension's port gets a token.
    fn port_works(&self) -> bool {
        match self.guest.port {
            Port::Closed => false,
            Port::Serving => self.disk.is_some_and(|disk| disk > self.revoked.max(self.expired)),
            Port::Forwarding => self.imds,
        }
    }

    /// Whether there is a credential anywhere, and be it in a thief's hands, that opens anything.
    fn usable(&self) -> bool {
        self.issued > self.revoked.max(self.expired)
    }

    /// The authority issues to a machine that has nothing else to answer with, and to no other.
    fn issue(&mut self) -> Option<u32> {
        if !self.cutover.needs_credentials() {
            return None;
        }
        self.issued += 1;
        Some(self.issued)
    }

    fn restart(&mut self) {
        let proved = self.cutover.reached >= Step::Forwarding;
        self.guest = Guest { port: Port::Closed, credentials: self.disk.is_some(), good: false, proved };
        self.seen = self.cutover.wanted;
    }

    fn step(&mut self, event: Event) {
        if !self.extension {
            return;
        }
        match event {
            Event::Want(to) => {
                let last = self.last_call.map(Timestamp::from_unix);
                if self.cutover.check(to, last, QUIET, self.at()).is_ok() {
                    self.cutover = self.cutover.clone().towards(to, self.at());
                    if to >= Step::Revoked {
                        self.revoked = self.issued;
                    }
                }
            }
            Event::Remove => {
                if self.cutover.wanted == Step::Closed && self.cutover.reached == Step::Closed {
                    (self.extension, self.revoked, self.disk) = (false, self.issued, None);
                    self.guest = Guest::default();
                }
            }
            Event::Hear => self.seen = self.cutover.wanted,
            Event::Act => self.act(),
            Event::PlaceAndCrash => {
                if next_action(self.seen, self.guest) == Some(Action::Place) {
                    self.issue();
                }
                self.restart();
            }
            Event::Report => {
                if next_action(self.seen, self.guest).is_none() {
                    (self.cutover.reached, self.cutover.reached_at) = (self.seen, self.at());
                }
            }
            Event::Crash => self.restart(),
            Event::Imds(answers) => self.imds = answers,
            Event::Call => self.last_call = Some(self.now),
            Event::Wait(seconds) => self.now += i64::from(seconds),
            Event::Expire => {
                self.expired = self.issued;
                self.guest.good = false;
            }
            Event::Renew => self.renew(),
        }
    }

    /// What serves by credentials has new ones in time, however far the cutover is wanted.
    fn renew(&mut self) {
        if self.guest.port == Port::Serving
            && let Some(issued) = self.issue()
        {
            self.disk = Some(issued);
        }
    }

    fn act(&mut self) {
        match next_action(self.seen, self.guest) {
            None => {}
            Some(Action::Place) => {
                if let Some(issued) = self.issue() {
                    self.disk = Some(issued);
                    (self.guest.credentials, self.guest.good) = (true, true);
                }
            }
            Some(Action::Serve) => self.guest.port = Port::Serving,
            Some(Action::ProveAndForward) if !self.imds => {}
            Some(Action::ProveAndForward | Action::Forward) => {
                self.guest.port = Port::Forwarding;
                self.guest.good = false;
            }
            Some(Action::Wipe) => {
                self.disk = None;
                self.guest.credentials = false;
            }
            Some(Action::Close) => self.guest.port = Port::Closed,
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => prop::sample::select(Step::ALL.to_vec()).prop_map(Event::Want),
        1 => Just(Event::Remove),
        4 => Just(Event::Hear),
        8 => Just(Event::Act),
        1 => Just(Event::PlaceAndCrash),
        4 => Just(Event::Report),
        2 => Just(Event::Crash),
        1 => any::<bool>().prop_map(Event::Imds),
        1 => Just(Event::Call),
        2 => (0_u16..900).prop_map(Event::Wait),
        1 => Just(Event::Expire),
        1 => Just(Event::Renew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is cut off when: the old port is never left with nothing that could answer while the metadata service
    /// does, nothing usable outlives its step, and everything ends where it should once it is left alone.
    #[test]
    fn somebody_always_answers_and_no_credential_outlives_its_step(
        imds: bool,
        events in prop::collection::vec(event(), 0..120),
    ) {
        let mut world = World::new(imds);
        for event in events {
            let before = world.clone();
            world.step(event);
            // While it acts and nobody is cut off, the port never goes from answering to not answering, but to be closed.
            if matches!(event, Event::Act) && before.port_works() && before.seen != Step::Closed {
                prop_assert!(world.port_works(), "{before:?} {event:?}");
            }
            // A decision of the control plane leaves the port answering too: what is revoked isn't served with.
            if matches!(event, Event::Want(_)) && before.port_works() {
                prop_assert!(world.port_works(), "{before:?} {event:?}");
            }
            if world.cutover.wanted >= Step::Revoked {
                prop_assert!(!world.usable(), "{world:?}");
            }
            if !world.extension {
                prop_assert!(!world.usable() && world.disk.is_none() && world.guest.port == Port::Closed);
            }
        }
        world.step(Event::Imds(true));
        world.step(Event::Crash);
        world.settle();
        if world.extension {
            prop_assert_eq!(world.cutover.reached, world.cutover.wanted, "{:?}", world);
            prop_assert_eq!(world.port_works(), world.cutover.wanted != Step::Closed, "{:?}", world);
            prop_assert!(world.cutover.wanted < Step::Revoked || world.disk.is_none());
            // And back, from wherever that is.
            world.step(Event::Want(Step::Serving));
            world.settle();
            prop_assert!(world.guest.port == Port::Serving && world.port_works(), "{:?}", world);
        }
    }

    /// Where the metadata service never answers, the extension goes on with its own credentials, and nothing is revoked.
    #[test]
    fn without_a_metadata_service_nothing_is_given_up(events in prop::collection::vec(event(), 0..120)) {
        let mut world = World::new(false);
        for event in events {
            world.step(event);
            world.imds = false;
            prop_assert!(world.cutover.wanted <= Step::Forwarding, "{:?}", world);
        }
        world.settle();
        world.step(Event::Expire);
        world.step(Event::Renew);
        prop_assert!(world.port_works(), "{:?}", world);
    }
}

#[test]
fn what_failed_is_tried_again_by_wanting_it_again() {
    let at = Timestamp::from_unix;
    let wanted = Cutover::none(vm()).towards(Step::Forwarding, at(10));
    assert_eq!(wanted.clone().towards(Step::Forwarding, at(20)), wanted, "it is on its way");
    let failed = Cutover { failed: Some("nobody answers".to_owned()), ..wanted.clone() };
    assert_eq!(failed.towards(Step::Forwarding, at(20)), Cutover { since: at(20), ..wanted });
}

#[test]
fn credentials_are_renewed_until_the_metadata_service_has_answered() {
    let needs = |wanted, reached| Cutover { wanted, reached, ..Cutover::none(vm()) }.needs_credentials();
    assert!(needs(Step::Forwarding, Step::Serving) && needs(Step::Serving, Step::Revoked));
    assert!(!needs(Step::Forwarding, Step::Forwarding) && !needs(Step::Forwarding, Step::Revoked));
    assert!(!needs(Step::Revoked, Step::Serving) && !needs(Step::Closed, Step::Revoked));
}

#[test]
fn the_whole_way_and_what_is_in_the_way() {
    let mut world = World::new(true);
    let refused = |world: &World, to| {
        world.cutover.check(to, world.last_call.map(Timestamp::from_unix), QUIET, world.at()).unwrap_err()
    };
    assert_eq!(refused(&world, Step::Revoked), CutoverRefusal::Skips { now: Step::Serving });
    world.step(Event::Want(Step::Forwarding));
    assert_eq!(
        refused(&world, Step::Revoked),
        CutoverRefusal::NotReached { wanted: Step::Forwarding, reached: Step::Serving, failed: None }
    );
    world.settle();
    world.step(Event::Call);
    world.step(Event::Want(Step::Revoked));
    world.settle();
    let until = Timestamp::from_unix(world.now).plus(QUIET);
    assert_eq!(refused(&world, Step::Closed), CutoverRefusal::NotQuiet { until });
    world.step(Event::Wait(600));
    world.step(Event::Want(Step::Closed));
    world.settle();
    assert_eq!((world.guest.port, world.cutover.reached), (Port::Closed, Step::Closed));
    world.step(Event::Remove);
    assert!(!world.extension);
}

#[test]
fn a_machine_beside_others_begins_where_the_last_of_them_is() {
    let beside = |others: &[Step]| {
        let new = Cutover::beside(vm(), others.iter().copied(), Timestamp::from_unix(7))?;
        assert_eq!((new.reached, new.since), (Step::Serving, Timestamp::from_unix(7)));
        Some(new.wanted)
    };
    assert_eq!(beside(&[Step::Closed, Step::Revoked]), Some(Step::Revoked));
    assert_eq!(beside(&[Step::Closed, Step::Serving]), None);
    assert_eq!(beside(&[]), None);
}
