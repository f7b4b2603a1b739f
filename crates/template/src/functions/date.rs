//! Moments, all of them in UTC.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::Value;

use super::{Call, Function, function};
use crate::error::Fault;

mod format;

pub(super) const TABLE: &[Function] = &[
    function("dateTimeAdd", 2, 3, add),
    function("dateTimeFromEpoch", 1, 1, |call| {
        let moment = at(call.integer(0)?).ok_or_else(|| call.fail("the time is out of range."))?;
        written(call, moment, None, ISO)
    }),
    function("utcNow", 0, 1, |call| {
        call.fresh()?;
        let now = at(call.evaluator.scope.context.started_at).ok_or_else(|| call.fail("the time is out of range."))?;
        written(call, now, call.given(0).map(|_| 0), "yyyyMMddTHHmmssZ")
    }),
    function("dateTimeToEpoch", 1, 1, |call| Ok(seconds(moment(call)?).into())),
];

/// What a moment is written as when no format is given.
const ISO: &str = "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ";

/// The moment some seconds after 1970 began.
fn at(seconds: i64) -> Option<DateTime> {
    Timestamp::from_second(seconds).ok().map(|moment| Offset::UTC.to_datetime(moment))
}

fn seconds(moment: DateTime) -> i64 {
    Offset::UTC.to_timestamp(moment).map(Timestamp::as_second).unwrap_or_default()
}

/// The first argument, a moment in the form of ISO 8601. Without an offset it is in UTC.
fn moment(call: &Call<'_, '_>) -> Result<DateTime, Fault> {
    let text = call.text(0)?.trim();
    let with_offset = text.parse().map(|moment: Timestamp| Offset::UTC.to_datetime(moment));
    with_offset.or_else(|_| text.parse()).map_err(|_| call.fail("the first argument is not a time of ISO 8601."))
}

/// A year counts as 365 days, and a month as 30.
fn add(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let moment = moment(call)?;
    let span =
        duration(call.text(1)?).ok_or_else(|| call.fail("the second argument is not a duration of ISO 8601."))?;
    let sum = moment.checked_add(span).map_err(|_| call.fail("the result is out of range."))?;
    written(call, sum, call.given(2).map(|_| 2), ISO)
}

fn duration(text: &str) -> Option<SignedDuration> {
    // What else the parser reads is not ISO 8601.
    if !text.trim_start_matches('-').starts_with('P') {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let days = i64::from(span.get_years()) * 365 + i64::from(span.get_months()) * 30;
    let days = days + i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let parts = [(days, 86_400), (span.get_hours().into(), 3_600), (span.get_minutes(), 60), (span.get_seconds(), 1)];
    let seconds = parts.into_iter().try_fold(0_i64, |sum, (count, of)| sum.checked_add(count.checked_mul(of)?))?;
    let smaller = SignedDuration::from_millis(span.get_milliseconds())
        + SignedDuration::from_micros(span.get_microseconds())
        + SignedDuration::from_nanos(span.get_nanoseconds());
    SignedDuration::from_secs(seconds).checked_add(smaller)
}

/// A moment in the format of an argument, or in the one that is used else.
fn written(call: &Call<'_, '_>, moment: DateTime, format: Option<usize>, otherwise: &str) -> Result<Value, Fault> {
    let format = format.map_or(Ok(otherwise), |at| call.text(at))?;
    let text = format::write(moment, format);
    text.map(Value::from).ok_or_else(|| call.fail(format_args!("the format '{format}' is not one of times.")))
}
