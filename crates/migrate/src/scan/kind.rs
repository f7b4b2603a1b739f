//! What a file is, by its name: which comments it has, and what a setting looks like in it.

use std::path::Path;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its kind")]
pub enum Kind {
    Bicep,
    Batch,
    CSharp,
    Config,
    Dockerfile,
    Go,
    Java,
    JavaScript,
    Json,
    PowerShell,
    Prose,
    Python,
    Ruby,
    Shell,
    Terraform,
    Text,
    Xml,
    Yaml,
}

impl Kind {
    /// By its name; by its first line where the name says nothing.
    #[must_use]
    pub fn of(path: &Path, start: &[u8]) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        match extension {
            "bicep" | "bicepparam" => Self::Bicep,
            "bat" | "cmd" => Self::Batch,
            "cs" | "csx" | "fs" | "vb" | "cshtml" => Self::CSharp,
            "conf" | "cfg" | "cnf" | "env" | "ini" | "properties" | "service" | "toml" | "editorconfig" => Self::Config,
            "go" => Self::Go,
            "java" | "kt" | "kts" | "scala" | "groovy" | "gradle" => Self::Java,
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" => Self::JavaScript,
            "json" | "jsonc" | "json5" | "template" => Self::Json,
            "ps1" | "psm1" | "psd1" => Self::PowerShell,
            "md" | "markdown" | "rst" | "adoc" | "asciidoc" | "html" | "htm" | "mdx" | "po" => Self::Prose,
            "py" | "pyw" | "pyi" => Self::Python,
            "rb" => Self::Ruby,
            "sh" | "bash" | "zsh" | "ksh" => Self::Shell,
            "tf" | "tfvars" | "hcl" => Self::Terraform,
            "xml" | "config" | "csproj" | "fsproj" | "vbproj" | "props" | "targets" | "nuspec" => Self::Xml,
            "yml" | "yaml" => Self::Yaml,
            _ if name == "dockerfile" || stem == "dockerfile" || extension == "dockerfile" => Self::Dockerfile,
            _ if name == "containerfile" => Self::Dockerfile,
            _ if name.starts_with(".env") || matches!(&*name, "environment" | ".bashrc" | ".profile") => Self::Config,
            "txt" if matches!(stem, "changelog" | "changes" | "readme" | "history" | "news") => Self::Prose,
            _ if matches!(
                &*name,
                "changelog" | "changes" | "readme" | "history" | "news" | "pkg-info" | "metadata"
            ) =>
            {
                Self::Prose
            }
            _ => Self::of_start(start),
        }
    }

    fn of_start(start: &[u8]) -> Self {
        let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        if line.starts_with("#cloud-config") {
            return Self::Yaml;
        }
        let Some(program) = line.strip_prefix("#!") else { return Self::Text };
        match program {
            _ if program.contains("python") => Self::Python,
            _ if program.contains("pwsh") => Self::PowerShell,
            _ if program.contains("node") => Self::JavaScript,
            _ if program.contains("ruby") => Self::Ruby,
            _ if program.trim_end().ends_with("sh") => Self::Shell,
            _ => Self::Text,
        }
    }

    /// Whether a line is a comment, a line of documentation, or prose.
    #[must_use]
    pub fn is_comment(self, line: &str) -> bool {
        let line = line.trim_start();
        let starts: &[&str] = match self {
            Self::Prose => return true,
            Self::Bicep | Self::CSharp | Self::Go | Self::Java | Self::JavaScript => &["//", "/*", "* ", "*/"],
            Self::Json => &["//", "/*"],
            Self::Terraform => &["#", "//", "/*"],
            Self::Batch => &["rem ", "REM ", "::"],
            Self::Xml => &["<!--"],
            Self::Config => &["#", ";"],
            Self::Python => &["#", ":param", ":keyword", ":return", ":raises", ":type"],
            Self::Dockerfile | Self::PowerShell | Self::Ruby | Self::Shell | Self::Yaml | Self::Text => &["#"],
        };
        starts.iter().any(|start| line.starts_with(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_is_and_a_first_line_where_it_does_not() {
        for (name, start, kind) in [
            ("a/main.bicep", "", Kind::Bicep),
            ("azuredeploy.JSON", "", Kind::Json),
            (".env.production", "", Kind::Config),
            ("Dockerfile", "", Kind::Dockerfile),
            ("Dockerfile.worker", "", Kind::Dockerfile),
            ("start", "#!/usr/bin/env bash\n", Kind::Shell),
            ("get-token", "#!/usr/bin/python3\n", Kind::Python),
            ("user-data", "#cloud-config\n", Kind::Yaml),
            ("data", "", Kind::Text),
        ] {
            assert_eq!(Kind::of(Path::new(name), start.as_bytes()), kind, "{name}");
        }
    }

    #[test]
    fn prose_and_comments_are_told_from_code() {
        assert!(Kind::Prose.is_comment("curl http://localhost"));
        assert!(Kind::Python.is_comment("    # the port"));
        assert!(!Kind::Python.is_comment("port = 1  # the port"));
        assert!(!Kind::Shell.is_comment("curl // #"));
    }
}
