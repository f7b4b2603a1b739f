//! What a VM's guest agent is to bring about, as far as it has to be remembered.

use std::collections::BTreeMap;

use crate::{ResourceId, Sealed, Timestamp};

/// The goal state of a VM as it was given out last. What is wanted stands in the VM and its extensions; this counts the
/// changes of that, and keeps what must not be made anew each time an agent asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalState {
    /// The machine.
    pub vm: ResourceId,
    /// Counts the changes; an agent acts on another number than before.
    pub incarnation: u64,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// A digest of what is wanted: while it stays the same so does the goal state.
    pub wanted: [u8; 32],
    /// The key that only this VM has, and what is sealed with it; none while no extension has anything to protect.
    pub protection: Option<Protection>,
}

/// The certificate that a VM's agent fetches with its private key, and what was sealed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS#8, sealed at rest.
    pub key: Sealed,
    /// The protected settings of each extension, by its name in lower case: base64 of a CMS envelope to the
    /// certificate.
    pub settings: BTreeMap<String, String>,
    /// When the credentials among them are to be replaced; none when there are none.
    pub renew_at: Option<Timestamp>,
}
