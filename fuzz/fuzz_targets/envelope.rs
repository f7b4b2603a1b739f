//! What an agent and a handler open: CMS envelopes and PFX files, as they come and genuine ones with some bytes changed.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

const PLAIN: &[u8] = b"what only one machine may read";

struct World {
    certificate: Vec<u8>,
    key: Vec<u8>,
    sealed: Vec<u8>,
    pfx: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let (certificate, key) = envelope::self_signed("fuzz", 1_700_000_000, 4_000_000_000).expect("a key");
        let sealed = envelope::seal(&certificate, PLAIN).expect("sealed");
        let pfx = envelope::pfx(&certificate, &key).expect("a PFX");
        Self { certificate, key: key.to_vec(), sealed, pfx: pfx.to_vec() }
    }

    /// Whatever comes out is no longer than what went in.
    fn open(&self, sealed: &[u8]) {
        if let Ok(plain) = envelope::open(&self.key, &self.certificate, sealed) {
            assert!(plain.len() < sealed.len());
            symbolon_fuzz::accepted();
        }
        if let Ok((certificate, key)) = envelope::open_pfx(sealed) {
            assert!(certificate.len() + key.len() < sealed.len());
            symbolon_fuzz::accepted();
        }
    }
}

/// The same with the bytes at some places changed: each change is a place, big-endian, and what its byte is changed by.
fn changed(genuine: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(World::new);
    world.open(data);
    world.open(&changed(&world.sealed, data));
    world.open(&changed(&world.pfx, data));
    // Certificates come from elsewhere too.
    let _ = envelope::seal(data, PLAIN);
    let _ = envelope::seal(&changed(&world.certificate, data), PLAIN);
});
