//! What comes before what: `dependsOn`, references, batches; and an order that keeps it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use serde_json::Value;

use crate::error::{Fault, TemplateError};
use crate::evaluate::{Evaluator, all};
use crate::known::Known;
use crate::resource::{Instance, refused};
use crate::session::Session;

/// For each resource those that must be there before it.
pub(crate) type Edges = Vec<BTreeSet<usize>>;

/// What a resource depends on by its `dependsOn`.
pub(crate) fn explicit(
    instance: &Instance,
    known: &Known,
    evaluator: &Evaluator<'_>,
) -> Result<BTreeSet<usize>, TemplateError> {
    let node = &instance.source.own;
    let Some(section) = node.given("dependsOn") else { return Ok(BTreeSet::new()) };
    let wrap = |fault: Fault| refused(node, fault);
    let entries = match section.elements() {
        // An entry that is null names nothing; conditions are written so.
        Some(entries) => all(entries.iter().map(|entry| Ok((evaluator.node(entry)?, entry.place)))).map_err(wrap)?,
        None => match evaluator.node(section).map_err(wrap)? {
            Value::Array(entries) => entries.into_iter().map(|entry| (entry, section.place)).collect(),
            entry @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                vec![(entry, section.place)]
            }
        },
    };
    let mut edges = BTreeSet::new();
    for (entry, place) in entries {
        let named = match entry {
            Value::Null => continue,
            Value::String(named) => named,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(wrap(Fault::invalid("An entry of 'dependsOn' is not a string.").at(place)));
            }
        };
        let Some(found) = known.all(&named) else {
            let what = format!(
                "The resource '{named}' is not defined in the template. Please see \
                 https://aka.ms/arm-syntax-resources for usage details."
            );
            return Err(TemplateError::invalid(what, Some(place)));
        };
        evaluator.session.steps(found.len()).map_err(wrap)?;
        edges.extend(found);
    }
    Ok(edges)
}

/// Adds what a serial copy waits for: all that is deployed of the last batch before of which anything is.
pub(crate) fn batches(instances: &[Instance], edges: &mut Edges, session: &Session) -> Result<(), Fault> {
    let mut members: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (at, instance) in instances.iter().enumerate().filter(|(_, instance)| instance.deployed) {
        if let Some(batch) = instance.batch {
            members.entry((instance.definition, batch)).or_default().push(at);
        }
    }
    for (instance, edges) in instances.iter().zip(edges) {
        let Some(batch) = instance.batch else { continue };
        let Some((_, before)) = members.range((instance.definition, 0)..(instance.definition, batch)).next_back()
        else {
            continue;
        };
        session.steps(before.len())?;
        edges.extend(before);
    }
    Ok(())
}

/// What each waits for of what is deployed. What exists already is waited through: whoever names it follows what it
/// follows. What isn't deployed is waited for by nobody.
pub(crate) fn among_deployed(instances: &[Instance], edges: &Edges, session: &Session) -> Result<Edges, Fault> {
    let mut among = Edges::with_capacity(edges.len());
    for (instance, before) in instances.iter().zip(edges) {
        let (mut found, mut passed) = (BTreeSet::new(), BTreeSet::new());
        let mut rest: Vec<usize> = if instance.deployed { before.iter().copied().collect() } else { Vec::new() };
        while let Some(at) = rest.pop() {
            session.steps(1)?;
            let Some(instance) = instances.get(at).filter(|_| passed.insert(at)) else { continue };
            if instance.deployed {
                found.insert(at);
            } else if instance.existing {
                rest.extend(edges.get(at).into_iter().flatten());
            }
        }
        among.push(found);
    }
    Ok(among)
}

/// A circle: the members of it, each depending on the next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle(pub(crate) Vec<usize>);

/// An order in which everything follows what it depends on; among what could be next, the first of the template.
pub(crate) fn order(edges: &Edges) -> Result<Vec<usize>, Circle> {
    let mut waits: Vec<usize> = edges.iter().map(BTreeSet::len).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (at, before) in edges.iter().enumerate() {
        for before in before {
            if let Some(followers) = followers.get_mut(*before) {
                followers.push(at);
            }
        }
    }
    let free = waits.iter().enumerate().filter(|(_, waits)| **waits == 0);
    let mut next: BinaryHeap<_> = free.map(|(at, _)| Reverse(at)).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(Reverse(at)) = next.pop() {
        order.push(at);
        for follower in followers.get(at).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(*follower) {
                *waits -= 1;
                if *waits == 0 {
                    next.push(Reverse(*follower));
                }
            }
        }
    }
    if order.len() == edges.len() { Ok(order) } else { Err(circle(edges, &waits)) }
}

/// Walks from one that still waits to one that it waits for, until one comes twice.
fn circle(edges: &Edges, waits: &[usize]) -> Circle {
    let stuck = |at: &usize| waits.get(*at).is_some_and(|waits| *waits > 0);
    let mut path: Vec<usize> = Vec::new();
    let mut at = (0..edges.len()).find(stuck);
    while let Some(here) = at {
        if let Some(start) = path.iter().position(|passed| *passed == here) {
            return Circle(path.split_off(start));
        }
        path.push(here);
        at = edges.get(here).into_iter().flatten().copied().find(|next| stuck(next));
    }
    Circle(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(lists: &[&[usize]]) -> Edges {
        lists.iter().map(|list| list.iter().copied().collect()).collect()
    }

    #[test]
    fn the_order_is_that_of_the_template_where_nothing_else_is_asked() {
        assert_eq!(order(&edges(&[&[], &[], &[]])), Ok(vec![0, 1, 2]));
        assert_eq!(order(&edges(&[&[2], &[], &[]])), Ok(vec![1, 2, 0]));
        assert_eq!(order(&edges(&[&[1], &[2], &[]])), Ok(vec![2, 1, 0]));
    }

    #[test]
    fn a_circle_is_named_without_what_only_waits_for_it() {
        assert_eq!(order(&edges(&[&[1], &[2], &[1], &[]])), Err(Circle(vec![1, 2])));
        assert_eq!(order(&edges(&[&[0]])), Err(Circle(vec![0])));
    }
}
