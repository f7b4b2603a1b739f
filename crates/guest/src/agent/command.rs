//! A handler's command, run as an agent runs it: by a shell, in the handler's folder, with a time limit.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::running::Note;
use crate::handler::process::Unstoppable;
use crate::log_file::LogFile;
use crate::time::Time;

/// How much is kept of what a command says, in bytes of each stream.
const KEPT: usize = 4 * 1024;
/// How long is waited for words of those who were left behind by a command that ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The file in the handler's log folder.
const LOG: &str = "CommandExecution.log";

/// A command to be run.
#[derive(Debug)]
pub struct Run {
    /// The handler's folder.
    pub folder: PathBuf,
    /// The command, relative to the folder, as the manifest has it.
    pub command: String,
    /// What it is told by its environment, besides what the agent has.
    pub variables: Vec<(&'static str, String)>,
    /// How long it may take.
    pub limit: Duration,
    /// Where its words go.
    pub logs: PathBuf,
    /// Time.
    pub time: Time,
}

/// A command that ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it said, as far as it is kept, in the form of Azure's agent.
    pub words: String,
}

/// Why a command has no exit code.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It wasn't started.
    #[error("{command} can't be run")]
    Start {
        /// The command.
        command: String,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// One that an earlier agent left is still at work.
    #[error("{command} can't be run: an earlier command doesn't end")]
    Left {
        /// The command.
        command: String,
        /// Why.
        #[source]
        why: Unstoppable,
    },
    /// It took too long, and was ended with all that it started.
    #[error("Timeout({}): {command}\n{words}", limit.as_secs())]
    Late {
        /// The command.
        command: String,
        /// How long it was given.
        limit: Duration,
        /// What it had said.
        words: String,
    },
}

impl Run {
    /// The command with the folder it is in.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}/{}", self.folder.display(), self.command.trim_start_matches('/'))
    }

    /// Runs it.
    ///
    /// # Errors
    /// When it can't be started, or takes too long, or an earlier one doesn't end.
    pub async fn run(&self) -> Result<Ended, CommandError> {
        let note = Note::of(&self.folder);
        note.end(&self.time).await.map_err(|why| CommandError::Left { command: self.line(), why })?;
        let start = |why| CommandError::Start { command: self.line(), why };
        // The agent's own umask is stricter than programs expect that install something for others.
        let command = format!("umask 022\n./{}", self.command.trim_start_matches('/'));
        let mut child = Command::new("/bin/sh")
            .args(["-c", command.as_str()])
            .current_dir(&self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // So that it can be ended with all that it started.
            .process_group(0)
            .spawn()
            .map_err(start)?;
        if let Some(Err(error)) = child.id().and_then(|id| i32::try_from(id).ok()).map(|pid| note.begin(pid)) {
            tracing::warn!(error = &error as &dyn std::error::Error, "it can't be noted that a command is at work");
        }
        let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
        let ended = tokio::time::timeout(self.limit, child.wait()).await;
        let status = match ended {
            Ok(status) => Some(status.map_err(start)?),
            Err(_late) => {
                end(&mut child).await;
                None
            }
        };
        note.forget();
        let words = format!("[stdout]\n{}\n\n[stderr]\n{}\n", said(out).await, said(err).await);
        self.log(status, &words);
        match status {
            Some(status) => Ok(Ended { code: status.code().unwrap_or(-1), words }),
            None => Err(CommandError::Late { command: self.line(), limit: self.limit, words }),
        }
    }

    fn log(&self, status: Option<ExitStatus>, words: &str) {
        let how = status.map_or_else(|| "took too long".to_owned(), |status| status.to_string());
        let text = format!("{}: {how}\n{words}\n", self.line());
        if let Err(error) = LogFile::new(self.logs.clone(), LOG).append(text.as_bytes()) {
            tracing::warn!(folder = %self.logs.display(), %error, "a command's words can't be logged");
        }
    }
}

/// Ends a command and all that it started and that stayed with it.
async fn end(child: &mut Child) {
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group {
        // It hasn't been waited for, so its number is nobody else's.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill().await);
}

/// Takes what a stream says, to its end, and keeps the first of it.
fn listen(stream: Option<impl AsyncRead + Send + Unpin + 'static>) -> Option<(JoinHandle<()>, Heard)> {
    let mut stream = stream?;
    let heard = Heard::default();
    let kept = heard.clone();
    let task = tokio::spawn(async move {
        let mut piece = [0; 1024];
        while let Ok(length) = stream.read(&mut piece).await {
            if length == 0 {
                break;
            }
            kept.keep(piece.get(..length).unwrap_or_default());
        }
    });
    Some((task, heard))
}

/// What was heard so far: whoever is left behind by a command may hold its stream open for ever.
#[derive(Clone, Default)]
struct Heard(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Heard {
    fn keep(&self, piece: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = KEPT.saturating_sub(kept.len());
        kept.extend(piece.iter().take(room));
    }
}

async fn said(heard: Option<(JoinHandle<()>, Heard)>) -> String {
    let Some((mut task, heard)) = heard else { return String::new() };
    if tokio::time::timeout(LAST_WORDS, &mut task).await.is_err() {
        task.abort();
    }
    let kept = heard.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    String::from_utf8_lossy(&kept).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct World {
        folder: tempfile::TempDir,
        logs: tempfile::TempDir,
    }

    impl World {
        fn new(script: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("handler");
            std::fs::create_dir(folder.path().join("config")).unwrap();
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            Self { folder, logs: tempfile::tempdir().unwrap() }
        }

        async fn run(&self, limit: Duration) -> Result<Ended, CommandError> {
            let variables = vec![("ConfigSequenceNumber", "7".to_owned())];
            let (folder, logs) = (self.folder.path().to_owned(), self.logs.path().to_owned());
            let time = Time::system();
            Run { folder, command: "/handler enable".to_owned(), variables, limit, logs, time }.run().await
        }

        fn log(&self) -> String {
            std::fs::read_to_string(self.logs.path().join(LOG)).unwrap()
        }
    }

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn a_command_runs_in_its_folder_with_its_words_kept_and_logged() {
        let world = World::new("echo \"$1 $ConfigSequenceNumber $(pwd)\"; echo oops >&2; exit 52");
        let ended = world.run(LONG).await.unwrap();
        assert_eq!(ended.code, 52);
        let folder = world.folder.path().display();
        assert_eq!(ended.words, format!("[stdout]\nenable 7 {folder}\n\n[stderr]\noops\n"));
        assert!(world.log().contains("handler enable: exit status: 52\n[stdout]\nenable 7 "), "{}", world.log());
    }

    #[tokio::test]
    async fn what_it_says_is_kept_within_bounds_and_holds_nothing_up() {
        let world = World::new("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done");
        let ended = world.run(LONG).await.unwrap();
        assert_eq!(ended.code, 0);
        assert!((KEPT..KEPT + 100).contains(&ended.words.len()), "{}", ended.words.len());
    }

    #[tokio::test]
    async fn one_that_takes_too_long_is_ended_with_all_that_it_started() {
        let world = World::new("echo here; sh -c 'echo $$ > child; while :; do sleep 0.05; done' & wait");
        let error = world.run(Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(&error, CommandError::Late { words, .. } if words.contains("here")), "{error}");
        assert!(world.log().contains("took too long"));
        let child: i32 = std::fs::read_to_string(world.folder.path().join("child")).unwrap().trim().parse().unwrap();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        assert!(Time::system().within(LONG, Duration::from_millis(10), gone).await);
    }

    #[tokio::test]
    async fn one_that_an_agent_left_is_ended_before_the_next() {
        let world = World::new("echo $$ >> began; [ $(wc -l < began) -gt 1 ] || while :; do sleep 0.05; done");
        let began = || {
            let text = std::fs::read_to_string(world.folder.path().join("began")).unwrap_or_default();
            text.lines().map(|line| line.parse::<i32>().unwrap()).collect::<Vec<_>>()
        };
        let noted = world.folder.path().join("config/Running");
        let time = Time::system();
        // As an agent that is killed: nobody waits for it, and nobody ends it.
        let killed = async {
            assert!(time.within(LONG, Duration::from_millis(10), || !began().is_empty() && noted.exists()).await);
        };
        tokio::select! {
            biased;
            () = killed => {}
            ended = world.run(LONG) => panic!("{ended:?}"),
        }
        assert!(std::fs::exists(format!("/proc/{}", began()[0])).unwrap());
        assert_eq!(world.run(LONG).await.unwrap().code, 0);
        let left = std::fs::read_to_string(format!("/proc/{}/stat", began()[0])).unwrap_or_default();
        assert!(left.is_empty() || left.contains(") Z "), "{left}");
        assert!(!noted.exists() && began().len() == 2);
    }

    #[tokio::test]
    async fn one_that_leaves_a_process_behind_which_holds_its_streams_is_not_waited_for() {
        let world = World::new("(trap '' HUP; while [ -e run ]; do sleep 0.05; done) & echo done");
        std::fs::write(world.folder.path().join("run"), "").unwrap();
        let ended = world.run(LONG).await.unwrap();
        assert_eq!((ended.code, ended.words.contains("done")), (0, true));
        std::fs::remove_file(world.folder.path().join("run")).unwrap();
    }

    #[tokio::test]
    async fn one_that_is_not_there_says_so_by_the_shells_code() {
        let world = World::new("");
        std::fs::remove_file(world.folder.path().join("handler")).unwrap();
        assert_eq!(world.run(LONG).await.unwrap().code, 127);
    }
}
