//! A finding for people: its line, underlined, with what to do.

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};

use super::page;
use crate::finding::{Finding, Level};
use crate::shown;

/// A finding's lines, without a line break at the end.
#[must_use]
pub fn human(finding: &Finding, colour: bool) -> String {
    let info = finding.rule.info();
    let title = match finding.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let words = match finding.detail.as_str() {
        "" => info.summary.to_owned(),
        detail => format!("{}: {detail}", info.summary),
    };
    // The renderer shows the others. A mark of as many bytes keeps every place in the line.
    let text = finding.text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{b7}");
    let snippet = Snippet::source(text)
        .line_start(usize::try_from(finding.line).unwrap_or(usize::MAX))
        .path(shown(finding.path.display()))
        .annotation(AnnotationKind::Primary.span(finding.start..finding.end));
    let report = [title
        .primary_title(words)
        .id(info.id)
        .element(snippet)
        .element(Title::HELP.message(info.fix))
        .element(Title::NOTE.message(page(finding.rule)))];
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(160).render(&report)
}
