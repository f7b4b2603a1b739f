//! `kill -9` at any moment: what was acknowledged is there afterwards, nothing is half written, and every operation ends.

mod stored;
mod world;
mod writer;

use std::sync::mpsc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use self::world::{What, World};
use self::writer::Writer;
use super::arm::Arm;
use super::*;

/// How many times the process is killed in an ordinary run of the tests.
const KILLS: u32 = 6;
/// How many clients write at once.
const WRITERS: u32 = 3;
/// The most writes before a kill.
const WRITES: u32 = 40;
/// The longest time from the last of them to the kill.
const LATER: Duration = Duration::from_millis(30);
/// The environment variable that repeats a run, as far as threads and the disk let it: the same choices, and kills after as
/// many writes.
const SEED: &str = "SYMBOLON_TEST_SEED";

#[test]
fn no_acknowledged_write_is_lost() {
    kill_and_look(KILLS);
}

/// The long form.
#[test]
#[ignore = "takes minutes; run it with: cargo xtask test --long"]
fn no_acknowledged_write_is_lost_in_a_hundred_kills() {
    kill_and_look(100);
}

#[expect(clippy::print_stdout, reason = "how a run that failed is repeated")]
fn kill_and_look(kills: u32) {
    #[expect(clippy::disallowed_methods, reason = "it is the tests' own, not the program's")]
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    println!("{SEED}={seed} makes the same choices again");
    let mut random = StdRng::seed_from_u64(seed);
    let home = tempfile::tempdir().unwrap();
    let mut writers: Vec<_> = (0..WRITERS).map(|number| Writer::new(number, random.random())).collect();
    for _ in 0..kills {
        let mut up = Up::start(home.path(), &[]);
        let arm = Arm::of(&up.ready);
        look(home.path(), &arm, &mut writers);
        let (writes, later) = (random.random_range(1..=WRITES), random.random_range(Duration::ZERO..LATER));
        let (acknowledged, counted) = mpsc::channel();
        std::thread::scope(|scope| {
            for writer in &mut writers {
                let (arm, acknowledged) = (&arm, acknowledged.clone());
                scope.spawn(move || writer.write(arm, &acknowledged));
            }
            drop(acknowledged);
            for _ in 0..writes {
                counted.recv_timeout(PATIENCE).expect("writes are acknowledged");
            }
            std::thread::park_timeout(later);
            up.signal(Signal::KILL);
            drop(up.child.wait());
        });
    }
    let up = Up::start(home.path(), &[]);
    look(home.path(), &Arm::of(&up.ready), &mut writers);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert!(writers.iter().any(Writer::has_written), "something was written at all");
}

/// What the process before left: as clients see it, and as it is stored.
fn look(home: &Path, arm: &Arm, writers: &mut [Writer]) {
    for writer in writers {
        writer.look(arm);
    }
    stored::assert_whole(&home.join("data"));
}
