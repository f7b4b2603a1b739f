//! `symbolon-guest`: what runs inside a VM.

fn main() {}
