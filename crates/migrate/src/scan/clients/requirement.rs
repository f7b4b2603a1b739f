//! Whether a version, or the newest that a requirement allows, is from before a change.

use std::cmp::Ordering;

use contract::guest_agent::names::compare_versions;

use super::Ecosystem;

/// Whether everything that a requirement allows is older than `changed`. What allows newer versions too is taken to get
/// them.
pub(super) fn is_old(requirement: &str, changed: &str, ecosystem: Ecosystem) -> bool {
    let mut alternatives = requirement.split("||").peekable();
    alternatives.peek().is_some() && alternatives.all(|alternative| all_old(alternative, changed, ecosystem))
}

fn all_old(requirement: &str, changed: &str, ecosystem: Ecosystem) -> bool {
    clauses(requirement).any(|(operator, version)| {
        let below = |bound: &str| compare(bound, changed) != Ordering::Greater;
        match operator {
            "" | "=" | "==" | "===" | "<=" => match version.strip_suffix(".*").or_else(|| version.strip_suffix(".x")) {
                Some(fixed) => below(&next(fixed, fixed.split('.').count())),
                None => compare(version, changed) == Ordering::Less,
            },
            "<" => below(version),
            // PEP 440 leaves the last part free, npm and Poetry what follows the second.
            "~=" => below(&next(version, version.split('.').count().saturating_sub(1))),
            "~" => below(&next(version, version.split('.').count().min(2))),
            "^" if ecosystem == Ecosystem::Npm || ecosystem == Ecosystem::Python => {
                let leading = version.split('.').take_while(|part| *part == "0").count() + 1;
                below(&next(version, leading))
            }
            _ => false,
        }
    })
}

/// Each operator with its version.
fn clauses(requirement: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_operator = |character: char| "=<>!~^".contains(character);
    let mut rest = requirement;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let after = rest.trim_start_matches(is_operator);
        let operator = rest.get(..rest.len() - after.len())?;
        let version = after.trim_start();
        let end = version.find([' ', ',', '\t']).unwrap_or(version.len());
        let (version, remaining) = version.split_at_checked(end)?;
        rest = remaining;
        (!version.is_empty()).then_some((operator, version))
    })
}

/// The first version beyond those that begin with the same `parts` numbers.
fn next(version: &str, parts: usize) -> String {
    let mut numbers: Vec<u64> = version.split('.').take(parts.max(1)).map(number).collect();
    if let Some(last) = numbers.last_mut() {
        *last += 1;
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

fn compare(one: &str, other: &str) -> Ordering {
    let plain = |version: &str| version.split('.').map(|part| number(part).to_string()).collect::<Vec<_>>().join(".");
    compare_versions(&plain(one), &plain(other))
}

/// The number at the start of a part: `0+incompatible`, `0rc1`.
fn number(part: &str) -> u64 {
    let end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
    part.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_old_when_all_it_allows_is() {
        for (requirement, changed, old) in [
            ("==0.4.24", "0.4.25", true),
            ("== 0.4.25", "0.4.25", false),
            ("0.4.14", "0.4.25", true),
            ("0.4.25rc1", "0.4.25", false),
            ("<0.4.25", "0.4.25", true),
            ("<=0.4.25", "0.4.25", false),
            (">=0.4.7", "0.4.25", false),
            (">=0.4.7,<0.4.20", "0.4.25", true),
            (">=0.4.7, <2.0.0", "0.4.25", false),
            ("~=0.4.14", "0.4.25", false),
            ("~=0.4.14", "0.5.0", true),
            ("==0.4.*", "0.5.0", true),
            ("!=0.4.14", "0.4.25", false),
            ("^2.5.0", "2.6.0", false),
            ("~2.5.0", "2.6.0", true),
            ("^0.8.0", "0.9.1", true),
            ("^0.9.0", "0.9.1", false),
            ("~2.5.0 || ^3.0.0", "2.6.0", false),
            (">=2.0.0 <2.6.0", "2.6.0", true),
            ("10.5.0+incompatible", "10.6.0", true),
            ("10.10.0", "10.6.0", false),
            ("", "1.0", false),
        ] {
            assert_eq!(is_old(requirement, changed, Ecosystem::Npm), old, "{requirement} {changed}");
        }
    }
}
