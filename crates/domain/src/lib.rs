//! Identities, virtual machines, selection, limits, ids and time: the rules, with no I/O.
