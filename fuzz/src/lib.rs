//! What the targets share.

use std::io::Write;
use std::sync::OnceLock;

/// Set when seeds are played back: a target then says which of them came past what it tries.
const PLAYBACK: &str = "SYMBOLON_FUZZ_PLAYBACK";

static PLAYED_BACK: OnceLock<bool> = OnceLock::new();

/// Notes that an input was accepted. A committed seed that never is tries nothing behind the first check.
pub fn accepted() {
    if *PLAYED_BACK.get_or_init(|| std::env::var_os(PLAYBACK).is_some()) {
        // Whoever plays back misses the line when it can't be written.
        let _ = writeln!(std::io::stderr(), "accepted");
    }
}
