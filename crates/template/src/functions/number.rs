//! Numbers as .NET writes them for a format of its own or of the author's, whatever the language.

use serde_json::Number;

/// The most digits that a format may ask for, as .NET once allowed.
const MOST: usize = 99;

/// A number in one of .NET's standard formats (`D3`, `X2`, `N0`, `F1`, `P`, `G`, `B8`) or in a custom one (`000.0#`,
/// `#,##0`, `00-00`); nothing when the format is none of these, or not for this number.
pub(super) fn write(number: &Number, format: &str) -> Option<String> {
    let mut characters = format.chars();
    let Some(kind) = characters.next() else { return Some(number.to_string()) };
    let digits = characters.as_str();
    if !kind.is_ascii_alphabetic() || !digits.chars().all(|digit| digit.is_ascii_digit()) {
        return custom(number, format);
    }
    let digits = match digits {
        "" => None,
        digits => Some(digits.parse().ok().filter(|digits| *digits <= MOST)?),
    };
    let integer = number.as_i64();
    match kind.to_ascii_uppercase() {
        'D' => integer.map(|integer| {
            let sign = if integer < 0 { "-" } else { "" };
            format!("{sign}{:0>1$}", integer.unsigned_abs(), digits.unwrap_or(1))
        }),
        'X' if kind == 'x' => integer.map(|integer| format!("{integer:0>0$x}", digits.unwrap_or(1))),
        'X' => integer.map(|integer| format!("{integer:0>0$X}", digits.unwrap_or(1))),
        'B' => integer.map(|integer| format!("{integer:0>0$b}", digits.unwrap_or(1))),
        'N' => Some(Decimal::of(number, digits.unwrap_or(2))?.grouped()),
        'F' => Some(Decimal::of(number, digits.unwrap_or(2))?.plain()),
        'P' => Some(format!("{} %", Decimal::of(&hundredfold(number)?, digits.unwrap_or(2))?.grouped())),
        'G' | 'R' => Some(number.to_string()),
        _ => None,
    }
}

/// The digits of a number that is rounded to some decimals.
struct Decimal {
    negative: bool,
    whole: String,
    decimals: String,
}

impl Decimal {
    fn of(number: &Number, decimals: usize) -> Option<Self> {
        let text = match number.as_i64() {
            Some(integer) if decimals == 0 => integer.to_string(),
            Some(integer) => format!("{integer}.{}", "0".repeat(decimals)),
            None => format!("{:.decimals$}", number.as_f64()?),
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        // What is rounded to zero has no sign.
        let zero = text.chars().all(|character| !matches!(character, '1'..='9'));
        let negative = whole.starts_with('-') && !zero;
        Some(Self { negative, whole: whole.trim_start_matches('-').to_owned(), decimals: decimals.to_owned() })
    }

    fn grouped(&self) -> String {
        self.text(&grouped(&self.whole))
    }

    fn plain(&self) -> String {
        self.text(&self.whole)
    }

    fn text(&self, whole: &str) -> String {
        let sign = if self.negative { "-" } else { "" };
        let point = if self.decimals.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{}", self.decimals)
    }
}

fn hundredfold(number: &Number) -> Option<Number> {
    match number.as_i64() {
        Some(integer) => integer.checked_mul(100).map(Number::from),
        None => Number::from_f64(number.as_f64()? * 100.0),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of a custom format.
enum Part {
    /// `0`, or `#` where a digit that isn't needed is left out.
    Digit {
        needed: bool,
    },
    Literal(char),
}

fn custom(number: &Number, format: &str) -> Option<String> {
    let (mut whole, mut decimals): (Vec<Part>, Vec<Part>) = (Vec::new(), Vec::new());
    let (mut point, mut groups, mut percent) = (false, false, false);
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        let part = match character {
            '0' | '#' => Part::Digit { needed: character == '0' },
            '.' if !point => {
                point = true;
                continue;
            }
            ',' => {
                groups = true;
                continue;
            }
            '\'' | '"' => {
                let text = characters.as_str();
                let (inside, rest) = text.split_once(character)?;
                characters = rest.chars();
                let part = if point { &mut decimals } else { &mut whole };
                part.extend(inside.chars().map(Part::Literal));
                continue;
            }
            '\\' => Part::Literal(characters.next()?),
            // A format for each sign, and exponents.
            ';' | 'e' | 'E' => return None,
            '%' => {
                percent = true;
                Part::Literal('%')
            }
            literal => Part::Literal(literal),
        };
        if point { decimals.push(part) } else { whole.push(part) }
    }
    let number = if percent { hundredfold(number)? } else { number.clone() };
    let places = decimals.iter().filter(|part| matches!(part, Part::Digit { .. })).count();
    let decimal = Decimal::of(&number, places.min(MOST))?;
    let decimals = decimals_of(&decimals, &decimal.decimals);
    let between = if decimals.starts_with(|character: char| character.is_ascii_digit()) { "." } else { "" };
    let sign = if decimal.negative { "-" } else { "" };
    Some(format!("{sign}{}{between}{decimals}", whole_of(&whole, &decimal.whole, groups)))
}

/// The digits before the point, from the right; the first place takes all that is left.
fn whole_of(parts: &[Part], digits: &str, groups: bool) -> String {
    let digits = if digits == "0" { "" } else { digits };
    let first = parts.iter().position(|part| matches!(part, Part::Digit { .. }));
    let (mut rest, mut written) = (digits.chars().rev(), 0_usize);
    let mut reversed = String::new();
    let mut push = |digit: char, reversed: &mut String| {
        if groups && written > 0 && written.is_multiple_of(3) {
            reversed.push(',');
        }
        written += 1;
        reversed.push(digit);
    };
    for (at, part) in parts.iter().enumerate().rev() {
        match part {
            Part::Literal(literal) => reversed.push(*literal),
            Part::Digit { needed } => {
                // A zero is needed from the first `0` on.
                let needed = *needed || parts.get(..at).is_some_and(|before| before.iter().any(is_zero));
                match rest.next() {
                    Some(digit) => push(digit, &mut reversed),
                    None if needed => push('0', &mut reversed),
                    None => {}
                }
                if first == Some(at) {
                    rest.by_ref().for_each(|digit| push(digit, &mut reversed));
                }
            }
        }
    }
    reversed.chars().rev().collect()
}

fn is_zero(part: &Part) -> bool {
    matches!(part, Part::Digit { needed: true })
}

/// The digits behind the point; zeros at the end only where they are needed.
fn decimals_of(parts: &[Part], digits: &str) -> String {
    let mut digits = digits.chars();
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(literal) => text.push(*literal),
            Part::Digit { .. } => {
                let zeros = digits.as_str().chars().all(|digit| digit == '0');
                let needed = parts.get(at..).is_some_and(|rest| rest.iter().any(is_zero));
                let digit = digits.next();
                if !zeros || needed {
                    text.extend(digit);
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: &str, format: &str) -> Option<String> {
        write(&number.parse().unwrap(), format)
    }

    #[test]
    fn standard_formats() {
        for (number, format, expected) in [
            ("10", "D3", "010"),
            ("-10", "D3", "-010"),
            ("255", "X", "FF"),
            ("255", "x4", "00ff"),
            ("5", "B4", "0101"),
            ("1234567", "N0", "1,234,567"),
            ("1234567", "N", "1,234,567.00"),
            ("-1234.5", "n1", "-1,234.5"),
            ("1234.567", "F1", "1234.6"),
            ("-0.001", "F2", "0.00"),
            ("12", "P0", "1,200 %"),
            ("0.5", "P1", "50.0 %"),
            ("1.5", "G", "1.5"),
            ("7", "", "7"),
        ] {
            assert_eq!(written(number, format).as_deref(), Some(expected), "{number} {format}");
        }
        for (number, format) in [("1", "Q"), ("1", "D100"), ("1.5", "D2"), ("1.5", "X"), ("9223372036854775807", "P")] {
            assert_eq!(written(number, format), None, "{number} {format}");
        }
    }

    #[test]
    fn custom_formats() {
        for (number, format, expected) in [
            ("7", "000", "007"),
            ("1234", "000", "1234"),
            ("-7", "00", "-07"),
            ("0", "#", ""),
            ("0", "0", "0"),
            ("5", "#0", "5"),
            ("5", "0#", "05"),
            ("1234567", "#,##0", "1,234,567"),
            ("12", "#,##0.00", "12.00"),
            ("1.5", "0.0#", "1.5"),
            ("1.256", "0.##", "1.26"),
            ("2", "0.##", "2"),
            ("5551234", "000-0000", "555-1234"),
            ("45551234", "000-0000", "4555-1234"),
            ("3", "vm00", "vm03"),
            ("3", "'0'00", "003"),
            ("0.25", "0%", "25%"),
            ("3", "\\#0", "#3"),
        ] {
            assert_eq!(written(number, format).as_deref(), Some(expected), "{number} {format}");
        }
        for format in ["0;0", "0E0", "'0"] {
            assert_eq!(written("1", format), None, "{format}");
        }
    }
}
