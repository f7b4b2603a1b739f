//! Signing keys: their record, their states, and when they move from one to the next.
//!
//! A key is published long before it signs, so that every verifier that caches the key set knows it by then,
//! and stays published until the last token it signed is over. There is always a key waiting, so that an
//! emergency needs no waiting.

use std::time::Duration;

use crate::Timestamp;

/// Where a signing key is in its life; it only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published and not yet used.
    Next,
    /// Signs.
    Active,
    /// Signs no more; still published, since its tokens live.
    Retiring,
    /// No longer published.
    Gone,
}

/// A signing key as it is kept: its private part wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// Its id: base64url of the SHA-1 of its certificate.
    pub kid: String,
    /// For whose tokens it is: an issuer template. Part of what the wrapping binds.
    pub issuer: String,
    /// What it signs, such as `access-token`. Part of what the wrapping binds.
    pub purpose: String,
    /// The version of the wrapping. Part of what the wrapping binds.
    pub version: u32,
    /// Where it is in its life.
    pub state: KeyState,
    /// Its certificate, DER.
    pub certificate_der: Vec<u8>,
    /// Its private part, wrapped.
    pub wrapped: Vec<u8>,
    /// The key-encryption key that wrapped it.
    pub kek_id: String,
    /// Since when it has been published.
    pub published_at: Timestamp,
    /// Since when it has signed.
    pub activated_at: Option<Timestamp>,
    /// Since when it no longer signs.
    pub retired_at: Option<Timestamp>,
    /// When it was revoked: taken out of the key set before its time, with every token it signed.
    pub revoked_at: Option<Timestamp>,
}

/// How long keys stay in their states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// How long a key is published before it may sign: longer than any verifier keeps a key set.
    pub publish_lead: Duration,
    /// How long a key signs.
    pub active_for: Duration,
    /// How long a key stays published after it stopped signing: longer than its tokens live, skew included.
    pub retire_for: Duration,
}

impl Default for RotationPolicy {
    /// 2 h, 30 days, and 24 h 10 min: the life of the longest token with its leeway, and 5 min of skew.
    fn default() -> Self {
        Self {
            publish_lead: Duration::from_secs(2 * 3_600),
            active_for: Duration::from_secs(30 * 86_400),
            retire_for: Duration::from_secs(86_400 + 600),
        }
    }
}

/// One step of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Make and publish a key that waits.
    Publish,
    /// Let the waiting key sign; the one that signed retires.
    Activate {
        /// The key that signs from now on.
        kid: String,
    },
    /// Take a key out of the key set.
    Remove {
        /// The key.
        kid: String,
    },
}

impl RotationPolicy {
    /// What is due now, in the order in which to do it. Doing it and asking again with the result gives nothing.
    #[must_use]
    pub fn due(&self, now: Timestamp, keys: &[SigningKeyRecord]) -> Vec<RotationStep> {
        let mut steps = Vec::new();
        let of = |state: KeyState| keys.iter().filter(move |key| key.state == state);
        let active = of(KeyState::Active).next();
        let next = of(KeyState::Next).min_by_key(|key| key.published_at);
        let worn = active.is_none_or(|key| now.since(key.activated_at.unwrap_or(key.published_at)) >= self.active_for);
        let mut waiting = next.is_some();
        if let Some(next) = next
            // Without a key that signs there is nothing to wait for: nobody could verify anything anyway.
            && worn
            && (active.is_none() || now.since(next.published_at) >= self.publish_lead)
        {
            steps.push(RotationStep::Activate { kid: next.kid.clone() });
            waiting = of(KeyState::Next).nth(1).is_some();
        }
        if !waiting {
            steps.push(RotationStep::Publish);
        }
        for key in of(KeyState::Retiring) {
            if now.since(key.retired_at.unwrap_or(key.published_at)) >= self.retire_for {
                steps.push(RotationStep::Remove { kid: key.kid.clone() });
            }
        }
        steps
    }

    /// Does a step to the records, as of now. `made` is the key of [`RotationStep::Publish`].
    pub fn apply(
        step: &RotationStep,
        now: Timestamp,
        keys: &mut Vec<SigningKeyRecord>,
        made: Option<SigningKeyRecord>,
    ) {
        match step {
            RotationStep::Publish => keys.extend(made),
            RotationStep::Activate { kid } => {
                for key in keys.iter_mut() {
                    if key.kid == *kid {
                        key.state = KeyState::Active;
                        key.activated_at = Some(now);
                    } else if key.state == KeyState::Active {
                        key.state = KeyState::Retiring;
                        key.retired_at = Some(now);
                    }
                }
            }
            RotationStep::Remove { kid } => {
                for key in keys.iter_mut().filter(|key| key.kid == *kid) {
                    key.state = KeyState::Gone;
                }
            }
        }
    }
}

impl RotationPolicy {
    /// Takes a key out of the key set at once, in an emergency. Whether there is one to take out.
    ///
    /// If it signed, [`RotationPolicy::due`] lets the key that waits sign without waiting any longer: whoever
    /// holds a key set of the last hours knows it already.
    pub fn revoke(kid: &str, now: Timestamp, keys: &mut [SigningKeyRecord]) -> bool {
        let Some(key) = keys.iter_mut().find(|key| key.kid == kid && key.revoked_at.is_none()) else { return false };
        key.state = KeyState::Gone;
        key.revoked_at = Some(now);
        true
    }
}

impl KeyState {
    /// Whether a key in this state is in the key set.
    #[must_use]
    pub fn is_published(self) -> bool {
        match self {
            Self::Next | Self::Active | Self::Retiring => true,
            Self::Gone => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: usize, now: Timestamp) -> SigningKeyRecord {
        SigningKeyRecord {
            kid: format!("k{number}"),
            issuer: "https://sts.windows.net/{tenant}/".to_owned(),
            purpose: "access-token".to_owned(),
            version: 1,
            state: KeyState::Next,
            certificate_der: Vec::new(),
            wrapped: Vec::new(),
            kek_id: "kek".to_owned(),
            published_at: now,
            activated_at: None,
            retired_at: None,
            revoked_at: None,
        }
    }

    fn rotate(policy: &RotationPolicy, now: Timestamp, keys: &mut Vec<SigningKeyRecord>) {
        loop {
            let steps = policy.due(now, keys);
            if steps.is_empty() {
                return;
            }
            for step in steps {
                let made = record(keys.len(), now);
                RotationPolicy::apply(&step, now, keys, Some(made));
            }
        }
    }

    #[test]
    fn a_first_start_has_a_key_that_signs_and_one_that_waits() {
        let mut keys = Vec::new();
        rotate(&RotationPolicy::default(), Timestamp::from_unix(1_800_000_000), &mut keys);
        let states: Vec<_> = keys.iter().map(|key| key.state).collect();
        assert_eq!(states, [KeyState::Active, KeyState::Next]);
    }

    /// Whoever verifies holds a key set that is at most so old.
    fn failures(policy: RotationPolicy, max_age: u64, steps: &[u64]) -> usize {
        let life = 86_700;
        let (mut now, mut keys, mut sets, mut tokens) = (1_800_000_000_i64, Vec::new(), Vec::new(), Vec::new());
        let mut failed = 0;
        for step in steps {
            now += i64::try_from(*step).unwrap();
            rotate(&policy, Timestamp::from_unix(now), &mut keys);
            let set: Vec<String> =
                keys.iter().filter(|key| key.state.is_published()).map(|key| key.kid.clone()).collect();
            sets.push((now, set));
            let signer = keys.iter().find(|key| key.state == KeyState::Active).unwrap().kid.clone();
            tokens.push((now + life, signer));
            sets.retain(|(fetched, _)| now - fetched <= i64::try_from(max_age).unwrap());
            tokens.retain(|(expires, _)| now < *expires);
            failed += tokens.iter().filter(|(_, kid)| sets.iter().any(|(_, set)| !set.contains(kid))).count();
        }
        failed
    }

    proptest! {
        #[test]
        fn every_living_token_verifies_with_any_set_that_may_be_held(
            steps in prop::collection::vec(1u64..40_000, 1..60),
            active_for in 1u64..200_000,
        ) {
            let policy = RotationPolicy { active_for: Duration::from_secs(active_for), ..RotationPolicy::default() };
            prop_assert_eq!(failures(policy, 3_600, &steps), 0);
        }
    }

    #[test]
    fn without_the_lead_or_the_retirement_tokens_fail() {
        // The sets are as old as above and no older: with sets of a day the whole lead fails too, which shows nothing.
        let steps = [600; 400];
        let policy = RotationPolicy { active_for: Duration::from_secs(600), ..RotationPolicy::default() };
        assert_eq!(failures(policy, 3_600, &steps), 0);
        assert!(failures(RotationPolicy { publish_lead: Duration::ZERO, ..policy }, 3_600, &steps) > 0);
        assert!(failures(RotationPolicy { retire_for: Duration::ZERO, ..policy }, 3_600, &steps) > 0);
    }

    #[test]
    fn a_revoked_key_is_gone_at_once_and_the_waiting_one_signs_without_waiting() {
        let (policy, now) = (RotationPolicy::default(), Timestamp::from_unix(1_800_000_000));
        let mut keys = Vec::new();
        rotate(&policy, now, &mut keys);
        assert!(RotationPolicy::revoke("k0", now, &mut keys));
        assert_eq!(policy.due(now, &keys).first(), Some(&RotationStep::Activate { kid: "k1".to_owned() }));
        rotate(&policy, now, &mut keys);
        let states: Vec<_> = keys.iter().map(|key| key.state).collect();
        assert_eq!(states, [KeyState::Gone, KeyState::Active, KeyState::Next]);
        assert_eq!(keys.iter().map(|key| key.revoked_at).collect::<Vec<_>>(), [Some(now), None, None]);
        assert!(!RotationPolicy::revoke("k0", now, &mut keys), "it is gone already");
        assert!(!RotationPolicy::revoke("k9", now, &mut keys));
    }

    proptest! {
        #[test]
        fn whatever_is_revoked_one_key_signs_and_one_waits(
            steps in prop::collection::vec((0u64..100_000, prop::option::of(any::<prop::sample::Index>())), 1..40),
        ) {
            let (policy, mut now, mut keys) = (RotationPolicy::default(), 1_800_000_000, Vec::new());
            for (step, revoked) in steps {
                now += i64::try_from(step).unwrap();
                let at = Timestamp::from_unix(now);
                rotate(&policy, at, &mut keys);
                if let Some(revoked) = revoked {
                    let kid = revoked.get(&keys).kid.clone();
                    RotationPolicy::revoke(&kid, at, &mut keys);
                    rotate(&policy, at, &mut keys);
                }
                let count = |state| keys.iter().filter(|key: &&SigningKeyRecord| key.state == state).count();
                prop_assert_eq!((count(KeyState::Active), count(KeyState::Next)), (1, 1));
                prop_assert!(keys.iter().all(|key| key.revoked_at.is_none() || !key.state.is_published()));
            }
        }
    }
}
