//! Secrets that a seed file points at instead of holding them.

use std::io;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::env_vars;

/// `env:NAME` takes an environment variable, `file:PATH` a file's text without its last line end; anything
/// else is the secret itself. An empty one is refused.
pub(super) fn resolve(text: &str, seed: &Path) -> Result<SecretString, String> {
    let secret = read(text, seed)?;
    if secret.expose_secret().is_empty() { Err("the secret is empty".to_owned()) } else { Ok(secret) }
}

fn read(text: &str, seed: &Path) -> Result<SecretString, String> {
    if let Some(name) = text.strip_prefix("env:") {
        return env_vars::read(name)
            .map(SecretString::from)
            .ok_or_else(|| format!("the environment variable {name} isn't set; set it or write the secret otherwise"));
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = seed.parent().unwrap_or(Path::new("")).join(path);
        let bytes = read_file(&path)?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{} isn't text", path.display()))?;
        return Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(SecretString::from(text.to_owned()))
}

/// Reads a file that a seed names.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|why: io::Error| format!("{} can't be read: {why}", path.display()))
}
