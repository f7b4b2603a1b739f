//! Strings as Azure Resource Manager has them, which are those of .NET: counted in units of UTF-16, and of upper or lower
//! case one character at a time, whatever the language.

/// How long a string is.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A part of a string. Half of a character that has two units becomes U+FFFD.
pub(crate) fn part(text: &str, start: usize, length: usize) -> String {
    let units: Vec<u16> = text.encode_utf16().skip(start).take(length).collect();
    String::from_utf16_lossy(&units)
}

pub(crate) fn upper(text: &str) -> String {
    text.chars().map(|character| simple(character, character.to_uppercase())).collect()
}

pub(crate) fn lower(text: &str) -> String {
    text.chars().map(|character| simple(character, character.to_lowercase())).collect()
}

/// One character for one; the letters of English are nobody else's (`ı`, `ſ`).
fn simple(character: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if character.is_ascii() || !one.is_ascii() => one,
        (_, _) => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_stays_one() {
        for (text, large, small) in [
            ("aB", "AB", "ab"),
            ("ßé", "ßÉ", "ßé"),
            ("İı", "İı", "İı"),
            ("ΣΣ", "ΣΣ", "σσ"),
            ("ſK", "ſK", "ſk"),
            ("𐐨", "𐐀", "𐐨"),
        ] {
            assert_eq!((upper(text).as_str(), lower(text).as_str()), (large, small), "{text}");
        }
    }
}
