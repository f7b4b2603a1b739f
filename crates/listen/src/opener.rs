//! A thread that opens listeners, so that it alone needs the rights for that.
//!
//! Network devices and namespaces come while a host runs, and to listen there takes rights that nothing else of it needs
//! (a port below 1024, another namespace). Rights belong to threads: whoever starts an opener and gives its own up
//! afterwards leaves them to this thread, which opens what it is asked for and reads nothing from any network.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::endpoint::{Endpoint, EndpointError};
use crate::stream::Listener;

/// Opens listeners. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub struct Opener {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Open(Endpoint, Handle, oneshot::Sender<Result<Listener, EndpointError>>),
    Look(PathBuf, oneshot::Sender<Option<FileId>>),
}

/// Which file it is: its device and inode.
pub type FileId = (u64, u64);

impl Opener {
    /// Starts the thread; `begin` is done on it first, such as giving up what it doesn't need.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(begin: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || {
            begin();
            while let Ok(job) = queue.recv() {
                // Who asked may have gone; what was opened is closed then.
                match job {
                    Job::Open(endpoint, runtime, done) => {
                        let _within = runtime.enter();
                        drop(done.send(endpoint.open()));
                    }
                    Job::Look(path, done) => drop(done.send(file_id(&path))),
                }
            }
        };
        std::thread::Builder::new().name("opener".to_owned()).spawn(work)?;
        Ok(Self { jobs })
    }

    /// Listens on an endpoint.
    ///
    /// # Errors
    /// As the system says.
    pub async fn open(&self, endpoint: &Endpoint) -> Result<Listener, EndpointError> {
        let (done, opened) = oneshot::channel();
        self.jobs.send(Job::Open(endpoint.clone(), Handle::current(), done)).map_err(|_| EndpointError::Closed)?;
        opened.await.map_err(|_| EndpointError::Closed)?
    }

    /// Which file there is at a path, such as a network namespace's: not everyone may look into another process.
    pub async fn look(&self, path: &Path) -> Option<FileId> {
        let (done, found) = oneshot::channel();
        self.jobs.send(Job::Look(path.to_owned(), done)).ok()?;
        found.await.ok().flatten()
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
