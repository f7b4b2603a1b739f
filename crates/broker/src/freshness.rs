//! When a cached token is still good, when to replace it, and when it must not be handed out: pure rules.
//!
//! A token is replaced at half of its life, so that nobody is handed one with less than half of it left.
//! From a point between 40 and 48 % on (it differs from token to token, so that tokens made together aren't
//! renewed together) a replacement is made in the background while the old one is still served. After half
//! of its life a caller waits for the replacement, and gets the old one only when none can be had.

use std::time::Duration;

/// A token that says that it lives longer is taken for one that lives this long.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Which part of a token's life allows what. One for each broker.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// A token with less than this left is not handed out at all.
    pub margin: Duration,
    /// After a failed replacement, how long the old token is served without another try.
    pub pause: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { margin: Duration::from_secs(60), pause: Duration::from_secs(10) }
    }
}

/// How good a cached token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Serve it.
    Fresh,
    /// Serve it, and make another in the background.
    Ageing,
    /// Make another, and serve it only when that fails.
    Old,
    /// Never serve it.
    Spent,
}

/// The ages at which a token's grade changes, measured from the moment it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    ageing: Duration,
    old: Duration,
    spent: Duration,
}

impl Freshness {
    /// The plan of a token that lives for `life`. `spread` is any number that differs between tokens.
    #[must_use]
    pub fn plan(&self, life: Duration, spread: u64) -> Plan {
        let life = life.min(LONGEST);
        let old = life / 2;
        let earliest = life.saturating_mul(2) / 5;
        let window = life.saturating_mul(2) / 25;
        let per_mille = u32::try_from(spread % 1000).unwrap_or(0);
        Plan { ageing: earliest + window * per_mille / 1000, old, spent: life.saturating_sub(self.margin).max(old) }
    }
}

impl Plan {
    /// The grade at an age.
    #[must_use]
    pub fn grade(&self, age: Duration) -> Grade {
        if age < self.ageing {
            Grade::Fresh
        } else if age < self.old {
            Grade::Ageing
        } else if age < self.spent {
            Grade::Old
        } else {
            Grade::Spent
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_token_is_replaced_before_half_a_day() {
        let plan = Freshness::default().plan(Duration::from_secs(86_400), 999);
        assert_eq!(plan.grade(Duration::from_secs(34_559)), Grade::Fresh);
        assert_eq!(plan.grade(Duration::from_secs(41_472)), Grade::Ageing);
        assert_eq!(plan.grade(Duration::from_secs(43_199)), Grade::Ageing);
        assert_eq!(plan.grade(Duration::from_secs(43_200)), Grade::Old);
        assert_eq!(plan.grade(Duration::from_secs(86_339)), Grade::Old);
        assert_eq!(plan.grade(Duration::from_secs(86_340)), Grade::Spent);
    }

    proptest! {
        #[test]
        fn grades_only_get_worse(life in prop_oneof![0u64..200_000, any::<u64>()], spread: u64, a in 0u64..300_000, b in 0u64..300_000) {
            let plan = Freshness::default().plan(Duration::from_secs(life), spread);
            let rank = |age| plan.grade(Duration::from_secs(age)) as u8;
            prop_assert!(rank(a.min(b)) <= rank(a.max(b)));
            prop_assert!(plan.ageing <= plan.old && plan.old <= plan.spent);
            prop_assert_eq!(plan.grade(Duration::from_secs(life)), Grade::Spent);
        }
    }
}
