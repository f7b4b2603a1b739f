//! symbolon: managed identities for any machine.

fn main() {}
