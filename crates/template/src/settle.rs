//! Evaluates values that may name one another, in whatever order they stand.

use serde_json::Value;

use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::Scope;

/// Evaluates every item. One that names another which isn't evaluated yet waits for it, and is evaluated again.
pub(crate) fn settle<T>(
    items: &[T],
    scope: &mut Scope,
    name: impl Fn(&T) -> &str,
    evaluate: impl Fn(&Scope, &T) -> Result<Value, Fault>,
    mut set: impl FnMut(&mut Scope, &T, Value),
) -> Result<(), TemplateError> {
    let mut done = vec![false; items.len()];
    for start in 0..items.len() {
        let mut waiting = vec![start];
        while let Some(&at) = waiting.last() {
            let (Some(item), Some(done)) = (items.get(at), done.get_mut(at)) else { break };
            if *done {
                waiting.pop();
                continue;
            }
            match evaluate(scope, item) {
                Ok(value) => {
                    set(scope, item, value);
                    *done = true;
                }
                Err(Fault::Pending(pending)) => {
                    let next = items.iter().position(|item| name(item).eq_ignore_ascii_case(&pending));
                    match next.filter(|next| !waiting.contains(next)) {
                        Some(next) => waiting.push(next),
                        None => return Err(circle(&pending)),
                    }
                }
                Err(fault @ (Fault::Invalid(..) | Fault::Missing(_) | Fault::NeedsRuntime)) => {
                    return Err(fault.into_error(Place::default(), str::to_owned));
                }
            }
        }
    }
    Ok(())
}

fn circle(name: &str) -> TemplateError {
    TemplateError::invalid(format!("Circular reference detected: '{name}' is defined by itself."), None)
}
