//! The page of the rules of `symbolon migrate scan`.

use migrate::scan::CLIENTS;
use migrate::{Level, Rule};

pub(super) fn reference() -> String {
    let mut text = String::from(
        "# The rules of `symbolon migrate scan`\n\nMade by `cargo xtask gen` from the rules themselves; don't edit.\n\n\
         A finding is an error (a use of the extension), a warning (most likely one) or a note (a mention in prose or a comment,\n\
         and what removes the extension). Notes don't count for the exit code. A comment `symbolon:ignore SYM001` on the line or\n\
         the one above suppresses a finding, `symbolon:ignore-file SYM001` in the first 4 KiB those of a whole file; without an\n\
         id they speak for every rule. What should never be looked at is named in a file `.symbolonignore`, written like\n\
         `.gitignore`.\n",
    );
    for rule in Rule::ALL {
        let info = rule.info();
        let level = match info.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let applied = if info.rewritten { "`symbolon migrate apply` rewrites what it recognises.\n" } else { "" };
        text.push_str(&format!(
            "\n## {}\n\n{}: {} ({level})\n\n{}\n\n{}\n{applied}",
            info.id, info.name, info.summary, info.explanation, info.fix
        ));
        if rule == Rule::Client {
            text.push_str(&clients());
        }
    }
    text
}

fn clients() -> String {
    let mut text =
        String::from("\n| library | from | asks the metadata service from | source |\n| --- | --- | --- | --- |\n");
    for client in CLIENTS {
        let ecosystem = client.ecosystem.title();
        text.push_str(&format!("| {} | {ecosystem} | {} | {} |\n", client.name, client.changed, client.source));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_section_to_which_its_findings_lead() {
        let text = reference();
        for rule in Rule::ALL {
            assert!(text.contains(&format!("\n## {}\n", rule.id())));
            let anchor = format!("#{}", rule.id().to_lowercase());
            assert!(migrate::report::page(rule).ends_with(&anchor));
        }
    }
}
