//! Resource ids: made of a type and a name, and taken apart again.

/// `/subscriptions/{subscription}/resourceGroups/{name}`.
pub(crate) fn group(subscription: &str, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{name}")
}

/// The id of a resource: `{scope}/providers/{namespace}/{type}/{name}/{type}/{name}…`. Nothing when the type has not
/// one segment more than the name.
pub(crate) fn build(scope: &str, resource_type: &str, name: &str) -> Option<String> {
    Some(format!("{scope}/providers/{}", interleave(resource_type, name)?))
}

/// `ns/a/b` and `x/y` make `ns/a/x/b/y`.
pub(crate) fn interleave(resource_type: &str, name: &str) -> Option<String> {
    let (namespace, types) = resource_type.split_once('/')?;
    let mut names = name.split('/');
    let mut path = namespace.to_owned();
    for segment in types.split('/') {
        let name = names.next()?;
        if segment.is_empty() || name.is_empty() {
            return None;
        }
        path.extend(["/", segment, "/", name]);
    }
    names.next().is_none().then_some(path)
}

/// What comes before the last `/providers/` of an id, the type and the names: `(scope, "ns/a/b", "x/y")`.
pub(crate) fn take_apart(id: &str) -> Option<(&str, String, String)> {
    const PROVIDERS: &str = "/providers/";
    let at = id.to_ascii_lowercase().rfind(PROVIDERS)?;
    let (scope, path) = (id.get(..at)?, id.get(at + PROVIDERS.len()..)?);
    let mut segments = path.split('/');
    let (mut resource_type, mut names) = (segments.next()?.to_owned(), Vec::new());
    while let Some(segment) = segments.next() {
        resource_type.extend(["/", segment]);
        names.push(segments.next()?);
    }
    (!names.is_empty()).then(|| (scope, resource_type, names.join("/")))
}

/// The group of an id, and its type and names as error bodies name them.
pub(crate) fn describe(id: &str) -> (String, String) {
    let group = member(id, "resourceGroups").unwrap_or_default().to_owned();
    let rest = take_apart(id).map_or_else(|| id.to_owned(), |(_, kind, names)| format!("{kind}/{names}"));
    (group, rest)
}

/// The segment that follows another one, ASCII case ignored.
pub(crate) fn member<'a>(id: &'a str, name: &str) -> Option<&'a str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case(name))?;
    segments.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_and_taken_apart() {
        let group = group("s", "g");
        let id = build(&group, "Microsoft.Compute/virtualMachines/extensions", "vm1/e").unwrap();
        assert_eq!(
            id,
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1/extensions/e"
        );
        let (scope, kind, names) = take_apart(&id).unwrap();
        assert_eq!((scope, kind.as_str()), (&*group, "Microsoft.Compute/virtualMachines/extensions"));
        assert_eq!(names, "vm1/e");
        assert_eq!(describe(&id), ("g".to_owned(), format!("{kind}/{names}")));
    }

    #[test]
    fn segments_must_fit() {
        for (kind, name) in [("ns/a", "x/y"), ("ns/a/b", "x"), ("ns", "x"), ("ns/a", ""), ("ns/a/b", "x/"), ("", "")] {
            assert_eq!(interleave(kind, name), None, "{kind} {name}");
        }
        assert_eq!(take_apart("/subscriptions/s"), None);
        assert_eq!(take_apart("/providers/ns/a"), None);
    }

    #[test]
    fn an_extension_resource_may_be_named_by_its_type() {
        let path = interleave("ns/vm/providers/roleAssignments", "vm1/Microsoft.Authorization/g").unwrap();
        assert_eq!(path, "ns/vm/vm1/providers/Microsoft.Authorization/roleAssignments/g");
    }
}
