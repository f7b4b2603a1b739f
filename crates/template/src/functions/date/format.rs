//! Moments as .NET writes them, in no language's way.

use std::iter::Peekable;
use std::str::Chars;

use jiff::civil::DateTime;

/// A moment of UTC in a standard format (`u`, `o`) or in a custom one (`yyyyMMdd`); nothing when it is neither.
pub(super) fn write(moment: DateTime, format: &str) -> Option<String> {
    let mut characters = format.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Some(custom(moment, "MM/dd/yyyy HH:mm:ss")?),
        (Some(standard), None) => custom(moment, pattern(standard)?),
        (Some(_), Some(_)) => custom(moment, format),
    }
}

fn pattern(standard: char) -> Option<&'static str> {
    Some(match standard {
        'd' => "MM/dd/yyyy",
        'D' => "dddd, dd MMMM yyyy",
        'f' => "dddd, dd MMMM yyyy HH:mm",
        'F' | 'U' => "dddd, dd MMMM yyyy HH:mm:ss",
        'g' => "MM/dd/yyyy HH:mm",
        'G' => "MM/dd/yyyy HH:mm:ss",
        'm' | 'M' => "MMMM dd",
        'o' | 'O' => "yyyy-MM-ddTHH:mm:ss.fffffffK",
        'r' | 'R' => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        's' => "yyyy-MM-ddTHH:mm:ss",
        't' => "HH:mm",
        'T' => "HH:mm:ss",
        'u' => "yyyy-MM-dd HH:mm:ss'Z'",
        'y' | 'Y' => "yyyy MMMM",
        _ => return None,
    })
}

fn custom(moment: DateTime, format: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => loop {
                match rest.next()? {
                    end if end == character => break,
                    inside => text.push(inside),
                }
            },
            '\\' => text.push(rest.next()?),
            // It only makes a single letter a custom format.
            '%' => {}
            'd' | 'f' | 'F' | 'g' | 'h' | 'H' | 'K' | 'm' | 'M' | 's' | 't' | 'y' | 'z' => {
                let count = run(character, &mut rest);
                part(moment, character, count, &mut text)?;
            }
            literal => text.push(literal),
        }
    }
    Some(text)
}

/// How often a letter stands there in a row.
fn run(letter: char, rest: &mut Peekable<Chars<'_>>) -> usize {
    let mut count = 1;
    while rest.next_if_eq(&letter).is_some() {
        count += 1;
    }
    count
}

fn part(moment: DateTime, letter: char, count: usize, text: &mut String) -> Option<()> {
    let number = |number: i16, most: usize| format!("{number:0>0$}", count.min(most));
    let named = |format: &str| moment.strftime(format).to_string();
    let half = if moment.hour() < 12 { "AM" } else { "PM" };
    let part = match (letter, count) {
        ('d', 1 | 2) => number(moment.day().into(), 2),
        ('d', 3) => named("%a"),
        ('d', _) => named("%A"),
        ('M', 1 | 2) => number(moment.month().into(), 2),
        ('M', 3) => named("%b"),
        ('M', _) => named("%B"),
        ('y', 1 | 2) => number(moment.year() % 100, 2),
        ('y', _) => format!("{:0>count$}", moment.year()),
        ('H', _) => number(moment.hour().into(), 2),
        ('h', _) => number(i16::from((moment.hour() + 11) % 12 + 1), 2),
        ('m', _) => number(moment.minute().into(), 2),
        ('s', _) => number(moment.second().into(), 2),
        ('f' | 'F', _) => {
            let digits = format!("{:09}", moment.subsec_nanosecond());
            let digits = digits.get(..Some(count).filter(|count| *count <= 7)?)?;
            if letter == 'f' {
                digits.to_owned()
            } else {
                let digits = digits.trim_end_matches('0');
                if digits.is_empty() && text.ends_with('.') {
                    text.pop();
                }
                digits.to_owned()
            }
        }
        ('t', 1) => half.chars().take(1).collect(),
        ('t', _) => half.to_owned(),
        ('g', _) => "A.D.".to_owned(),
        ('K', _) => "Z".repeat(count),
        ('z', 1) => "+0".to_owned(),
        ('z', 2) => "+00".to_owned(),
        ('z', _) => "+00:00".to_owned(),
        _ => return None,
    };
    text.push_str(&part);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dotnet_does() {
        let moment: DateTime = "2020-04-07T14:53:04.0605".parse().unwrap();
        for (format, expected) in [
            ("yyyyMMddTHHmmssZ", "20200407T145304Z"),
            ("yyyy-MM-01", "2020-04-01"),
            ("u", "2020-04-07 14:53:04Z"),
            ("s", "2020-04-07T14:53:04"),
            ("o", "2020-04-07T14:53:04.0605000Z"),
            ("R", "Tue, 07 Apr 2020 14:53:04 GMT"),
            ("d", "04/07/2020"),
            ("D", "Tuesday, 07 April 2020"),
            ("f", "Tuesday, 07 April 2020 14:53"),
            ("F", "Tuesday, 07 April 2020 14:53:04"),
            ("g", "04/07/2020 14:53"),
            ("G", "04/07/2020 14:53:04"),
            ("", "04/07/2020 14:53:04"),
            ("M", "April 07"),
            ("Y", "2020 April"),
            ("t", "14:53"),
            ("T", "14:53:04"),
            ("%d", "7"),
            ("d/M/yy h:m:s tt", "7/4/20 2:53:4 PM"),
            ("ddd MMM", "Tue Apr"),
            ("hh t", "02 P"),
            ("ss.ff|ss.FFF|ss.FF", "04.06|04.06|04.06"),
            ("'day' d \\d", "day 7 d"),
            ("zzz zz K", "+00:00 +00 Z"),
            ("yyyyy", "02020"),
        ] {
            assert_eq!(write(moment, format).as_deref(), Some(expected), "{format}");
        }
        let noon = |hour: i8| write(moment.with().hour(hour).subsec_nanosecond(0).build().unwrap(), "h tt s.FFF");
        assert_eq!(noon(0).as_deref(), Some("12 AM 4"));
        assert_eq!(noon(12).as_deref(), Some("12 PM 4"));
        for format in ["Q", "'a", "ffffffff", "a\\"] {
            assert_eq!(write(moment, format), None, "{format}");
        }
    }
}
