//! Which names resources may have.
//!
//! Public source: MicrosoftDocs/azure-docs `resource-name-rules.md`.

/// Why a name is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Too short or too long.
    #[error("the name of a {noun} has {least} to {most} characters; '{name}' has {actual}")]
    Length {
        /// What was to be named.
        noun: &'static str,
        /// Fewest characters.
        least: usize,
        /// Most characters.
        most: usize,
        /// How many it has.
        actual: usize,
        /// The name, shortened to 32 characters.
        name: String,
    },
    /// A character that is not allowed.
    #[error("the name of a {noun} has {allowed}; '{name}' has {character:?}")]
    Character {
        /// What was to be named.
        noun: &'static str,
        /// What it may have.
        allowed: &'static str,
        /// The first that is not allowed.
        character: char,
        /// The name.
        name: String,
    },
    /// A first or last character that is not allowed there.
    #[error("the name of a {noun} {rule}; this is '{name}'")]
    Edge {
        /// What was to be named.
        noun: &'static str,
        /// The rule.
        rule: &'static str,
        /// The name.
        name: String,
    },
}

/// A resource group: 1–90 letters, digits, `_ - . ( )`, not ending in a period.
///
/// # Errors
/// When the name breaks the rule.
pub fn resource_group(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "resource group";
    length(NOUN, name, 1, 90)?;
    characters(NOUN, name, "letters, digits and _-.()", |c| c.is_alphanumeric() || "_-.()".contains(c))?;
    edge(NOUN, name, "does not end in a period", !name.ends_with('.'))
}

/// A user-assigned identity: 1–128 ASCII letters, digits, `_ -`, beginning with a letter or digit. (The document says
/// 3–128, but the specification has no pattern for the name, and real clients use shorter ones:
/// Azure/azure-rest-api-specs `specification/msi/…/ManagedIdentity/Identity.tsp`.)
///
/// # Errors
/// When the name breaks the rule.
pub fn user_assigned_identity(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "user-assigned identity";
    length(NOUN, name, 1, 128)?;
    characters(NOUN, name, "ASCII letters, digits and _-", |c| c.is_ascii_alphanumeric() || "_-".contains(c))?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    edge(NOUN, name, "begins with a letter or digit", begins)
}

/// A virtual machine: 1–64 ASCII letters, digits, `- .`, neither beginning nor ending in a hyphen or period. (The
/// stricter 15 of Windows is a matter of the computer name.)
///
/// # Errors
/// When the name breaks the rule.
pub fn virtual_machine(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "virtual machine";
    length(NOUN, name, 1, 64)?;
    characters(NOUN, name, "ASCII letters, digits, hyphens and periods", |c| {
        c.is_ascii_alphanumeric() || "-.".contains(c)
    })?;
    let edges = ['-', '.'];
    let clean = !name.starts_with(edges) && !name.ends_with(edges);
    edge(NOUN, name, "neither begins nor ends with a hyphen or period", clean)
}

/// An extension of a virtual machine: 1–260 characters, no space and none of `` ~!@#$%^&*()=+_[]{}\|;:'",<>/? `` except
/// the underscore, which templates use; beginning and ending with a letter or digit.
///
/// # Errors
/// When the name breaks the rule.
pub fn vm_extension(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "VM extension";
    length(NOUN, name, 1, 260)?;
    characters(NOUN, name, "ASCII letters, digits and _-.", |c| c.is_ascii_alphanumeric() || "_-.".contains(c))?;
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let clean = name.starts_with(alphanumeric) && name.ends_with(alphanumeric);
    edge(NOUN, name, "begins and ends with a letter or digit", clean)
}

/// A federated credential: 1–120 ASCII letters, digits, `- _`, beginning with a letter or digit. (The document says 3–120,
/// MicrosoftDocs/entra-docs `workload-identity-federation-considerations.md`, but real clients use shorter ones.)
///
/// # Errors
/// When the name breaks the rule.
pub fn federated_credential(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "federated credential";
    length(NOUN, name, 1, 120)?;
    characters(NOUN, name, "ASCII letters, digits and _-", |c| c.is_ascii_alphanumeric() || "_-".contains(c))?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    edge(NOUN, name, "begins with a letter or digit", begins)
}

/// A deployment of a template: 1–64 letters, digits, `- _ . ( )`, not ending in a period.
///
/// # Errors
/// When the name breaks the rule.
pub fn deployment(name: &str) -> Result<(), InvalidName> {
    const NOUN: &str = "deployment";
    length(NOUN, name, 1, 64)?;
    characters(NOUN, name, "letters, digits and -_.()", |c| c.is_alphanumeric() || "-_.()".contains(c))?;
    edge(NOUN, name, "does not end in a period", !name.ends_with('.'))
}

/// A tenant, subscription or application in a seed: 1–64 printable characters, no space at either end.
///
/// # Errors
/// When the name breaks the rule.
pub fn display_name(noun: &'static str, name: &str) -> Result<(), InvalidName> {
    length(noun, name, 1, 64)?;
    characters(noun, name, "no control characters", |c| !c.is_control())?;
    edge(noun, name, "neither begins nor ends with a space", name.trim() == name)
}

fn length(noun: &'static str, name: &str, least: usize, most: usize) -> Result<(), InvalidName> {
    let actual = name.chars().count();
    if (least..=most).contains(&actual) {
        return Ok(());
    }
    Err(InvalidName::Length { noun, least, most, actual, name: name.chars().take(32).collect() })
}

fn characters(
    noun: &'static str,
    name: &str,
    allowed: &'static str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), InvalidName> {
    match name.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(character) => {
            let name = name.escape_debug().to_string();
            Err(InvalidName::Character { noun, allowed, character, name })
        }
    }
}

fn edge(noun: &'static str, name: &str, rule: &'static str, holds: bool) -> Result<(), InvalidName> {
    if holds { Ok(()) } else { Err(InvalidName::Edge { noun, rule, name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed() {
        for name in ["dev", "Dev_(1).x-", "グループ", &"a".repeat(90)] {
            resource_group(name).unwrap();
        }
        for name in ["u0", "1_a-", &"a".repeat(128)] {
            user_assigned_identity(name).unwrap();
        }
        for name in ["f", "1_a-", &"a".repeat(120)] {
            federated_credential(name).unwrap();
        }
        for name in ["d", "vm-1.a", &"a".repeat(64)] {
            virtual_machine(name).unwrap();
        }
        vm_extension("ManagedIdentity_Extension-1.0").unwrap();
        for name in ["d", "Vm_(1).x-", "グループ", &"a".repeat(64)] {
            deployment(name).unwrap();
        }
        display_name("tenant", "Contoso dev").unwrap();
    }

    #[test]
    fn refused() {
        for name in ["", "a.", "a/b", "a b", "a\n", &"a".repeat(91)] {
            assert!(resource_group(name).is_err(), "{name}");
        }
        for name in ["", "_app", "app.x", "äpp", &"a".repeat(129)] {
            assert!(user_assigned_identity(name).is_err() && federated_credential(name).is_err(), "{name}");
        }
        assert!(federated_credential(&"a".repeat(121)).is_err());
        for name in ["", "-a", "a-", "a.", "a_b", "a/b", &"a".repeat(65)] {
            assert!(virtual_machine(name).is_err(), "{name}");
        }
        for name in ["", "a/b", ".a", "a "] {
            assert!(vm_extension(name).is_err() && virtual_machine(name).is_err(), "{name}");
        }
        for name in ["", "a.", "a b", "a#", &"a".repeat(65)] {
            assert!(deployment(name).is_err(), "{name}");
        }
        assert!(display_name("tenant", " a").is_err() && display_name("tenant", "a\u{7}").is_err());
    }

    #[test]
    fn the_text_says_what_and_why() {
        let text = |refused: Result<(), InvalidName>| refused.unwrap_err().to_string();
        assert_eq!(
            text(user_assigned_identity(&"a".repeat(129))),
            format!("the name of a user-assigned identity has 1 to 128 characters; '{}' has 129", "a".repeat(32))
        );
        assert_eq!(
            text(virtual_machine("a\nb")),
            r"the name of a virtual machine has ASCII letters, digits, hyphens and periods; 'a\nb' has '\n'"
        );
        assert_eq!(text(resource_group("a.")), "the name of a resource group does not end in a period; this is 'a.'");
    }
}
