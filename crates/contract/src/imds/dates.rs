//! Instants as the documents of the metadata service write them.

use crate::arm::time::civil;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Mon, 19 Sep 2016 18:29:47 GMT`.
pub(super) fn http_date(unix: i64) -> String {
    let Parts { year, month, day, hour, minute, second } = Parts::of(unix);
    // Both are in range by their remainders.
    let weekday = usize::try_from(unix.div_euclid(86_400).rem_euclid(7)).ok().and_then(|at| DAYS.get(at));
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    let (weekday, month) = (weekday.copied().unwrap_or_default(), month.copied().unwrap_or_default());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// `11/28/20 00:12:17 -0000`.
pub(super) fn stamp(unix: i64) -> String {
    let Parts { year, month, day, hour, minute, second } = Parts::of(unix);
    let year = year.rem_euclid(100);
    format!("{month:02}/{day:02}/{year:02} {hour:02}:{minute:02}:{second:02} -0000")
}

/// `20201130-211924`.
pub(super) fn compact(unix: i64) -> String {
    let Parts { year, month, day, hour, minute, second } = Parts::of(unix);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Parts {
    fn of(unix: i64) -> Self {
        let (year, month, day) = civil(unix.div_euclid(86_400));
        let second = unix.rem_euclid(86_400);
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60, second: second % 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_documents_have_them() {
        assert_eq!(http_date(1_474_309_787), "Mon, 19 Sep 2016 18:29:47 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(stamp(1_606_522_337), "11/28/20 00:12:17 -0000");
        assert_eq!(compact(1_606_771_164), "20201130-211924");
    }
}
