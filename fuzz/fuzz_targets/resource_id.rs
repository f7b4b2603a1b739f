//! ARM resource ids: what is read is written the same, and parts fit together.
#![no_main]

use domain::ResourceId;
use libfuzzer_sys::fuzz_target;
use symbolon_fuzz::accepted;

fuzz_target!(|text: &str| {
    let Ok(id) = ResourceId::parse(text) else { return };
    accepted();
    assert_eq!(id.as_str(), text);
    assert_eq!(id.key(), text.to_ascii_lowercase());
    assert_eq!(ResourceId::parse(id.key()).as_ref(), Ok(&id));
    assert_eq!(ResourceId::parse(&text.to_ascii_uppercase()).as_ref(), Ok(&id));
    let _ = (id.subscription(), id.resource_group(), id.provider(), id.resource_type(), id.name());
    if let Some(parent) = id.parent() {
        assert!(id.key().starts_with(parent.key()) && parent.key().len() < id.key().len());
    }
});
