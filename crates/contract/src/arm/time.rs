//! Instants as the control plane writes them: `2026-11-23T18:49:11.0000000+00:00`.

/// Seconds since 1970 as text. What has no date is the first instant.
#[must_use]
pub fn text(unix: i64) -> String {
    let (year, month, day) = civil(unix.div_euclid(86_400));
    let second = unix.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.0000000+00:00")
}

/// A day as year, month and day of the Gregorian calendar.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, in eras of 400 years: the leap day is the last of a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A length of time as ISO 8601 has it, e.g. `PT1.5S`.
#[must_use]
pub fn duration(seconds: i64) -> String {
    format!("PT{}S", seconds.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(text(0), "1970-01-01T00:00:00.0000000+00:00");
        assert_eq!(text(1_795_459_751), "2026-11-23T18:49:11.0000000+00:00");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.0000000+00:00");
        assert_eq!(text(-1), "1969-12-31T23:59:59.0000000+00:00");
        assert_eq!(duration(3), "PT3S");
    }
}
