//! The keys of a playbook, as they are written. Unknown keys are refused with line and column.

use serde::Deserialize;
use serde_saphyr::Spanned;

/// A word of the file with its place, for errors that name it.
pub(crate) type Word = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PlaybookFile {
    pub(crate) steps: Vec<Spanned<StepFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StepFile {
    pub(crate) vm: Option<Word>,
    pub(crate) path: Option<Word>,
    pub(crate) from: Option<Spanned<u64>>,
    pub(crate) every: Option<Spanned<u64>>,
    pub(crate) count: Option<Spanned<u64>>,
    #[serde(rename = "for")]
    pub(crate) duration: Option<Word>,
    pub(crate) latency: Option<Word>,
    pub(crate) status: Option<Spanned<u16>>,
    pub(crate) retry_after: Option<Word>,
    pub(crate) body: Option<Word>,
    pub(crate) partial: Option<Spanned<u64>>,
    #[serde(default)]
    pub(crate) drop: bool,
    #[serde(default)]
    pub(crate) expired_token: bool,
    #[serde(default)]
    pub(crate) not_propagated: bool,
}
