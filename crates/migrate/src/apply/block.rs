//! Blocks of Bicep and Terraform: the one that is the extension, as far as lines and brackets say.

use super::source::Source;
use crate::scan::Kind;

/// A block that is the extension, whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its first and last line, from 1.
    pub(super) lines: (usize, usize),
    /// What other places of the file call it; none for a part of something else.
    pub(super) name: Option<String>,
}

/// The block around a place: a resource that is an extension and nothing else, or the extension in the list or block of a
/// scale set. Nothing where the smallest resource around it has more in it.
pub(super) fn of(source: &Source<'_>, at: usize) -> Option<Block> {
    if !matches!(source.kind, Kind::Bicep | Kind::Terraform) {
        return None;
    }
    let lines = code(source);
    for (open, close) in around(source, &lines, at) {
        let found = |name| Block { lines: (open + 1, close + 1), name };
        let head = lines.get(open)?.trim();
        let mut words = head.split_whitespace().map(|word| word.trim_matches('"'));
        match (words.next()?, words.next()) {
            ("resource", Some(first)) => {
                let own = lines.get(open..=close)?.iter().any(|line| line.contains("extensions@"));
                let bicep = source.kind == Kind::Bicep;
                let name = if bicep { first.to_owned() } else { format!("{first}.{}", words.next()?) };
                return (own || first.ends_with("_extension")).then(|| found(Some(name)));
            }
            ("{", None) | ("extension", Some("{")) => return Some(found(None)),
            _ => {}
        }
    }
    None
}

/// The lines where the brackets open and close that are around a place, the innermost first.
fn around(source: &Source<'_>, lines: &[&str], at: usize) -> Vec<(usize, usize)> {
    let own = source.before(at).matches('\n').count();
    let column = at - source.line(at).start;
    let quote = if source.kind == Kind::Bicep { '\'' } else { '"' };
    let (mut open, mut around, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !source.kind.is_comment(line)) {
        let mut quoted = false;
        for (place, character) in line.char_indices() {
            let before = (number, place) < (own, column);
            match character {
                _ if character == quote => quoted = !quoted,
                '{' if !quoted && before => open.push(number),
                '}' if !quoted && before => drop(open.pop()),
                '{' if !quoted => depth += 1,
                '}' if !quoted && depth > 0 => depth -= 1,
                '}' if !quoted => around.extend(open.pop().map(|opened| (opened, number))),
                _ => {}
            }
        }
    }
    around
}

/// The lines of a text, of which those in a heredoc of Terraform are empty: what stands there is text.
fn code<'a>(source: &Source<'a>) -> Vec<&'a str> {
    let mut ends: Option<&str> = None;
    let line = |line: &'a str| {
        if let Some(end) = ends {
            ends = (line.trim() != end).then_some(end);
            return "";
        }
        let heredoc = line.split_once("<<").filter(|_| source.kind == Kind::Terraform);
        let end = heredoc.map(|(_, end)| end.trim_start_matches('-').trim());
        ends = end.filter(|end| !end.is_empty() && end.chars().all(|one| one.is_alphanumeric() || one == '_'));
        line
    };
    source.text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: Kind, text: &str) -> Option<(usize, usize, Option<String>)> {
        let at = text.find("ManagedIdentityExtension").unwrap();
        let Block { lines: (first, last), name } = of(&Source { text, kind }, at)?;
        Some((first, last, name))
    }

    #[test]
    fn a_heredoc_is_text() {
        let text = "# {\nresource \"azurerm_virtual_machine_extension\" \"msi\" {\n  settings = <<-S\n{\n}\n}\nS\n  name = \"{\"\n\
                    type = \"ManagedIdentityExtensionForLinux\"\n  tags = { a = 1 }\n}\nresource \"a\" \"b\" {\n}\n";
        let wanted = (2, 11, Some("azurerm_virtual_machine_extension.msi".to_owned()));
        assert_eq!(block(Kind::Terraform, text), Some(wanted));
    }

    #[test]
    fn of_a_scale_set_the_extension_alone() {
        let text = "resource \"azurerm_linux_virtual_machine_scale_set\" \"s\" {\n  name = \"s\"\n  extension {\n    \
                    type = \"ManagedIdentityExtensionForLinux\"\n    settings = jsonencode({ port = 1 })\n  }\n}\n";
        assert_eq!(block(Kind::Terraform, text), Some((3, 6, None)));
        let text = "resource s 'Microsoft.Compute/virtualMachineScaleSets@2023-03-01' = {\n  properties: {\n    extensions: [\n      \
                    {\n        name: 'it\\'s'\n        properties: {\n          type: 'ManagedIdentityExtensionForLinux'\n\
                    }\n      }\n    ]\n  }\n}\n";
        assert_eq!(block(Kind::Bicep, &text.replace("it\\'s", "its")), Some((4, 9, None)));
        let inline = "resource s 'Microsoft.Compute/virtualMachineScaleSets@2023-03-01' = {\n  properties: { extensions: [{\n\
                      type: 'ManagedIdentityExtensionForLinux'\n  }] }\n}\n";
        assert_eq!(block(Kind::Bicep, inline), None, "the scale set is not to go");
    }

    #[test]
    fn a_child_goes_and_its_machine_stays() {
        let text = "resource vm 'Microsoft.Compute/virtualMachines@2023-03-01' = {\n  name: 'a'\n  resource msi 'extensions@2023-03-01' = {\n\
                    properties: {\n      type: 'ManagedIdentityExtensionForLinux'\n    }\n  }\n}\n";
        assert_eq!(block(Kind::Bicep, text), Some((3, 7, Some("msi".to_owned()))));
        assert_eq!(block(Kind::Terraform, "locals {\n  t = \"ManagedIdentityExtensionForLinux\"\n}\n"), None);
        assert_eq!(
            block(Kind::Terraform, "resource \"a_extension\" \"b\" {\n  t = \"ManagedIdentityExtensionForLinux\"\n"),
            None
        );
    }
}
