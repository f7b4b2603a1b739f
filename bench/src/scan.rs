//! `migrate scan` against ripgrep's own crates, which look for the same words in the same tree with as many threads.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use grep_regex::RegexMatcherBuilder;
use grep_searcher::sinks::Bytes;
use grep_searcher::{BinaryDetection, SearcherBuilder};
use ignore::{WalkBuilder, WalkState};
use migrate::scan::{Options, WORDS, scan};

use crate::Effort;
use crate::process::peak;
use crate::table::Table;

/// How many files a tree has, and about how many bytes each.
const FILES: usize = 8_000;
const SIZE: usize = 16 << 10;
/// How many folders are in the first one; each has as much below it.
const FOLDERS: usize = 20;
/// One file in so many uses the extension.
const USED: usize = 400;

pub(crate) fn measure(binary: &Path, effort: Effort, table: &mut Table) -> Result<()> {
    let tree = tempfile::tempdir()?;
    let wanted = grow(tree.path())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let start = Instant::now();
        let report = scan(&[tree.path().to_owned()], &Options::default(), &|_| {})?;
        ours.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(report.findings.len() == wanted, "{} findings of {wanted}", report.findings.len());
        let start = Instant::now();
        let found = search(tree.path())?;
        theirs.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(found == wanted, "ripgrep's crates have {found} of {wanted}");
    }
    let name = format!("scan of a tree of {} MB, against ripgrep's crates", FILES * SIZE / 1_000_000);
    table.ratio(&name, "ms", &ours, &theirs, 2.0);
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        for (path, most) in [(tree.path().to_owned(), &mut whole), (tree.path().join("0"), &mut part)] {
            // 1 says that something was found, which is in every part of the tree.
            most.push(peak(binary, &["migrate", "scan", &path.display().to_string()], 1)?);
        }
    }
    table.ratio(&format!("memory of the same scan, against a {FOLDERS}th of the tree"), "MB", &whole, &part, 1.2);
    Ok(())
}

/// Makes files that look like programs, some of which use the extension; says how many.
fn grow(root: &Path) -> Result<usize> {
    let line =
        "    let response = client.request(method, &address).header(\"accept\", kind).send().await?; // localhost\n";
    let text = line.repeat(SIZE / line.len());
    let used = format!("{text}curl 'http://localhost:50342/oauth2/token?resource=x' -H Metadata:true\n{text}");
    for number in 0..FILES {
        let folder: PathBuf = root.join(format!("{}/{}", number % FOLDERS, number % 400));
        fs::create_dir_all(&folder)?;
        let body = if number % USED == 0 { &used } else { &text };
        fs::write(folder.join(format!("{number}.sh")), body)?;
    }
    Ok(FILES.div_ceil(USED))
}

/// How many lines have one of the words.
fn search(root: &Path) -> Result<usize> {
    let words: Vec<_> = WORDS.into_iter().collect();
    let matcher = RegexMatcherBuilder::new().fixed_strings(true).build_many(&words)?;
    let found = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    WalkBuilder::new(root).hidden(false).build_parallel().run(|| {
        let mut searcher = SearcherBuilder::new().binary_detection(BinaryDetection::quit(0)).build();
        let (matcher, found, failed) = (&matcher, &found, &failed);
        Box::new(move |entry| {
            let Some(entry) = entry.ok().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())) else {
                return WalkState::Continue;
            };
            let count = Bytes(|_, _| {
                found.fetch_add(1, Ordering::Relaxed);
                Ok(true)
            });
            if searcher.search_path(matcher, entry.path(), count).is_err() {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            WalkState::Continue
        })
    });
    (failed.into_inner() == 0).then_some(found.into_inner()).context("a file could not be searched")
}
