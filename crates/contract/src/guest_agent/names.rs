//! Names that become names of files and folders on a VM: what isn't one leads nowhere.

use std::cmp::Ordering;

/// Whether it is `Publisher.Type`: letters, digits, `-` and `_` in parts with dots between.
#[must_use]
pub fn is_handler_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 200 && name.contains('.') && name.split('.').all(part)
}

/// Whether it is a version: one to four numbers with dots between.
#[must_use]
pub fn is_version(version: &str) -> bool {
    let number = |part: &str| (1..=10).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').count() <= 4 && version.split('.').all(number)
}

/// Whether it is the SHA-1 of a certificate in hexadecimal.
#[must_use]
pub fn is_thumbprint(thumbprint: &str) -> bool {
    thumbprint.len() == 40 && thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Which of two versions is older, by their numbers; what is missing counts as 0.
#[must_use]
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let numbers = |version: &str| {
        let mut numbers = [0_u64; 4];
        for (number, part) in numbers.iter_mut().zip(version.split('.')) {
            *number = part.parse().unwrap_or(0);
        }
        numbers
    };
    numbers(one).cmp(&numbers(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_nowhere() {
        assert!(is_handler_name("Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux"));
        for wrong in ["", "x", "a.", ".a", "a..b", "a/b.c", "a.b/../c", "a.b\0", &format!("a.{}", "b".repeat(200))] {
            assert!(!is_handler_name(wrong), "{wrong}");
        }
        assert!(is_version("1") && is_version("1.0.0.8"));
        for wrong in ["", ".", "1.", "1.0.0.0.0", "1.x", "1./..", "-1", "1 ", "99999999999"] {
            assert!(!is_version(wrong), "{wrong}");
        }
        assert!(is_thumbprint(&"aF".repeat(20)) && !is_thumbprint(&"g0".repeat(20)) && !is_thumbprint("aF"));
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(compare_versions("1.0.10.0", "1.0.9"), Ordering::Greater);
        assert_eq!(compare_versions("1", "1.0.0.0"), Ordering::Equal);
        assert_eq!(compare_versions("1.9", "2"), Ordering::Less);
    }
}
