//! From YAML to a playbook.

use std::time::Duration;

use contract::gate::fault::STATUSES;
use jiff::SignedDuration;
use serde_saphyr::{Location, Spanned};

use crate::schema::{PlaybookFile, StepFile, Word};
use crate::step::{Fault, Outcome, Playbook, RetryAfter, Step, When};
use crate::yaml::Mistake;

/// The longest text of a playbook, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// How many steps one may have.
pub const MAX_STEPS: usize = 100;
/// How long a request may be kept waiting.
const MAX_LATENCY: Duration = Duration::from_secs(600);

/// Reads a playbook.
///
/// # Errors
/// The first mistake in it, with its line and column.
pub fn parse(text: &str) -> Result<Playbook, Mistake> {
    if text.len() > MAX_TEXT {
        return Err(Mistake::whole(format!("a playbook has {MAX_TEXT} bytes at most")));
    }
    let file: PlaybookFile = serde_saphyr::from_str(text).map_err(|why| Mistake::syntax(&why))?;
    if file.steps.is_empty() {
        return Err(Mistake::whole("a playbook has at least one step"));
    }
    if let Some(step) = file.steps.get(MAX_STEPS) {
        return Err(Mistake::at(step.referenced, format!("a playbook has {MAX_STEPS} steps at most")));
    }
    let steps = file.steps.into_iter().map(|step| resolve(step.value, step.referenced));
    Ok(Playbook { steps: steps.collect::<Result<_, _>>()? })
}

fn resolve(file: StepFile, at: Location) -> Result<Step, Mistake> {
    let when = When {
        from: positive(file.from.as_ref(), "from")?.unwrap_or(1),
        every: positive(file.every.as_ref(), "every")?.unwrap_or(1),
        count: positive(file.count.as_ref(), "count")?,
        duration: file.duration.as_ref().map(duration).transpose()?,
    };
    let latency = file.latency.as_ref().map(latency).transpose()?;
    let mut outcomes = Vec::new();
    if let Some(status) = &file.status {
        outcomes.push(refused(status, file.retry_after.as_ref(), file.body.as_ref())?);
    } else if let Some(word) = file.retry_after.as_ref().or(file.body.as_ref()) {
        return Err(Mistake::at(word.referenced, "retryAfter and body go with a status"));
    }
    outcomes.extend(file.partial.map(|bytes| Outcome::Partial(bytes.value)));
    outcomes.extend(file.drop.then_some(Outcome::Dropped));
    outcomes.extend(file.expired_token.then_some(Outcome::ExpiredToken));
    outcomes.extend(file.not_propagated.then_some(Outcome::NotPropagated));
    let outcome = match (outcomes.pop(), outcomes.is_empty()) {
        (Some(outcome), true) => outcome,
        (None, _) if latency.is_some() => Outcome::Answered,
        (None, _) | (Some(_), false) => {
            let kinds = "status, drop, partial, expiredToken and notPropagated";
            return Err(Mistake::at(at, format!("a step has one of {kinds}, or a latency alone")));
        }
    };
    let fault = Fault { latency: latency.unwrap_or_default(), outcome };
    Ok(Step { vm: file.vm.map(|vm| vm.value), path: file.path.map(path).transpose()?, when, fault })
}

fn positive(number: Option<&Spanned<u64>>, name: &str) -> Result<Option<u64>, Mistake> {
    match number {
        Some(zero) if zero.value == 0 => Err(Mistake::at(zero.referenced, format!("{name} is 1 or more"))),
        number => Ok(number.map(|number| number.value)),
    }
}

fn refused(status: &Spanned<u16>, retry_after: Option<&Word>, body: Option<&Word>) -> Result<Outcome, Mistake> {
    if !STATUSES.contains(&status.value) {
        let known = STATUSES.map(|status| status.to_string()).join(", ");
        return Err(Mistake::at(status.referenced, format!("'{}' is none of {known}", status.value)));
    }
    let retry_after = match retry_after {
        None => RetryAfter::AsEver,
        Some(word) if word.value == "none" => RetryAfter::None,
        Some(word) => {
            let seconds = word.value.parse();
            RetryAfter::Seconds(
                seconds.map_err(|_| Mistake::at(word.referenced, "retryAfter is a number of seconds or none"))?,
            )
        }
    };
    Ok(Outcome::Status { status: status.value, retry_after, body: body.map(|body| body.value.clone()) })
}

fn path(word: Word) -> Result<String, Mistake> {
    if word.value.starts_with('/') { Ok(word.value) } else { Err(Mistake::at(word.referenced, "a path begins with /")) }
}

fn duration(word: &Word) -> Result<Duration, Mistake> {
    let read = word.value.parse::<SignedDuration>().ok().and_then(|read| Duration::try_from(read).ok());
    let read = read.filter(|read| !read.is_zero());
    read.ok_or_else(|| Mistake::at(word.referenced, format!("'{}' is not a time such as 500ms, 70s or 2m", word.value)))
}

fn latency(word: &Word) -> Result<Duration, Mistake> {
    let latency = duration(word)?;
    if latency > MAX_LATENCY {
        return Err(Mistake::at(word.referenced, format!("a latency is {} s at most", MAX_LATENCY.as_secs())));
    }
    Ok(latency)
}

#[cfg(test)]
mod tests;
