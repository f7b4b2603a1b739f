//! A Unix socket that only those it is meant for can reach.
//!
//! Whoever connects to the socket of a VM is that VM. So the folder must be one in which nobody else can put a socket in its
//! place, and the socket itself is closed to all others before the first connection can be made.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use crate::bind::BACKLOG;

/// The socket's place, and who may connect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnixSocket {
    /// Its path.
    pub path: PathBuf,
    /// Whether the socket's group may connect besides its owner: mode 0660 instead of 0600.
    pub group: bool,
}

/// Why a Unix socket can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum UnixError {
    /// The system refuses.
    #[error("the socket {} can't be {doing}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The socket.
        path: PathBuf,
        /// The system's answer.
        #[source]
        why: io::Error,
    },
    /// Others can put a socket in its place.
    #[error("the folder {} can be changed by others, who could put a socket of theirs there; take one that is yours alone to write", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// Somebody listens there.
    #[error("the socket {} is taken by a process that listens on it", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// There is a file that isn't a socket.
    #[error("{} is there and isn't a socket; it is left as it is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl UnixSocket {
    pub(crate) fn open(&self) -> Result<OpenSocket, UnixError> {
        let failed = |doing| {
            let path = self.path.clone();
            move |why| UnixError::Io { doing, path, why }
        };
        self.check_folder()?;
        self.clear()?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed("made"))?;
        socket.set_nonblocking(true).map_err(failed("made"))?;
        let address = SockAddr::unix(&self.path).map_err(failed("made"))?;
        socket.bind(&address).map_err(failed("made"))?;
        let place = Place::at(&self.path).map_err(failed("looked at"))?;
        // Nobody can connect before it listens.
        let mode = fs::Permissions::from_mode(if self.group { 0o660 } else { 0o600 });
        fs::set_permissions(&self.path, mode).map_err(failed("closed to others"))?;
        socket.listen(BACKLOG).map_err(failed("listened on"))?;
        Ok(OpenSocket { socket: socket.into(), place })
    }

    fn check_folder(&self) -> Result<(), UnixError> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let found = fs::metadata(folder).map_err(|why| UnixError::Io {
            doing: "put into its folder",
            path: self.path.clone(),
            why,
        })?;
        let us = rustix::process::geteuid().as_raw();
        let ours = found.uid() == us || found.uid() == 0;
        // In a sticky folder others can't take ours away.
        let closed = found.mode() & 0o022 == 0 || found.mode() & 0o1000 != 0;
        if ours && closed { Ok(()) } else { Err(UnixError::Folder { folder: folder.to_owned() }) }
    }

    /// Takes a socket away on which nobody listens: one of a process that was killed.
    fn clear(&self) -> Result<(), UnixError> {
        let path = self.path.clone();
        match fs::symlink_metadata(&self.path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(why) => Err(UnixError::Io { doing: "looked at", path, why }),
            Ok(found) if !found.file_type().is_socket() => Err(UnixError::Foreign { path }),
            Ok(_) => match is_listened_on(&self.path) {
                Ok(false) => fs::remove_file(&self.path).map_err(|why| UnixError::Io { doing: "made anew", path, why }),
                Ok(true) => Err(UnixError::Taken { path }),
                Err(why) => Err(UnixError::Io { doing: "looked at", path, why }),
            },
        }
    }
}

/// Whether somebody listens there. It never waits: whoever listens may accept nobody.
fn is_listened_on(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(true),
        // As many wait there as may (EAGAIN, connect(2)).
        Err(why) if why.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => Ok(false),
        Err(why) => Err(why),
    }
}

/// A socket that listens.
pub(crate) struct OpenSocket {
    socket: std::os::unix::net::UnixListener,
    place: Place,
}

impl OpenSocket {
    pub(crate) fn listener(self) -> Result<UnixSocketListener, UnixError> {
        let path = self.place.path.clone();
        let listener =
            UnixListener::from_std(self.socket).map_err(|why| UnixError::Io { doing: "listened on", path, why })?;
        Ok(UnixSocketListener { listener, _place: self.place })
    }
}

/// A listener whose socket goes with it.
#[derive(Debug)]
pub struct UnixSocketListener {
    pub(crate) listener: UnixListener,
    _place: Place,
}

/// The file of a socket, taken away when it is dropped unless another has its place.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: file(&fs::symlink_metadata(path)?) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| file(&found) == self.file) {
            // Gone already: nothing to do.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn file(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(folder: &Path, group: bool) -> UnixSocket {
        UnixSocket { path: folder.join("vm.sock"), group }
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn it_is_closed_to_others_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        for (group, mode) in [(false, 0o600), (true, 0o660)] {
            let socket = socket(folder.path(), group);
            let listener = socket.open().unwrap().listener().unwrap();
            assert_eq!(fs::metadata(&socket.path).unwrap().mode() & 0o777, mode);
            assert!(matches!(socket.open(), Err(UnixError::Taken { .. })));
            drop(listener);
            assert!(!socket.path.exists());
        }
    }

    #[test]
    fn what_a_killed_process_left_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        let socket = socket(folder.path(), false);
        drop(std::os::unix::net::UnixListener::bind(&socket.path).unwrap());
        assert!(socket.path.exists());
        drop(socket.open().unwrap());
        fs::write(&socket.path, b"words").unwrap();
        assert!(matches!(socket.open(), Err(UnixError::Foreign { .. })));
        assert_eq!(fs::read(&socket.path).unwrap(), b"words");
    }

    #[test]
    fn one_at_which_as_many_wait_as_may_is_taken_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        let socket = socket(folder.path(), false);
        let stream = || {
            let stream = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        };
        let (deaf, address) = (stream(), SockAddr::unix(&socket.path).unwrap());
        deaf.bind(&address).unwrap();
        deaf.listen(0).unwrap();
        let waiting: Vec<_> = std::iter::repeat_with(stream)
            .map_while(|stream| stream.connect(&address).is_ok().then_some(stream))
            .collect();
        assert!(!waiting.is_empty());
        assert!(matches!(socket.open(), Err(UnixError::Taken { .. })));
    }

    #[test]
    fn a_folder_in_which_others_write_is_refused_unless_they_cannot_take_ours_away() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, sound) in [(0o755, true), (0o1777, true), (0o777, false), (0o770, false)] {
            chmod(folder.path(), mode);
            let opened = socket(folder.path(), false).open();
            assert_eq!(opened.is_ok(), sound, "{mode:o}");
            assert!(sound || matches!(opened, Err(UnixError::Folder { .. })));
        }
        let error = socket(&folder.path().join("none"), false).open().err().unwrap().to_string();
        assert!(error.contains("put into its folder"), "{error}");
    }

    #[test]
    fn a_socket_that_took_its_place_is_left() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        let socket = socket(folder.path(), false);
        let open = socket.open().unwrap();
        fs::remove_file(&socket.path).unwrap();
        let other = std::os::unix::net::UnixListener::bind(&socket.path).unwrap();
        drop(open);
        assert!(socket.path.exists());
        drop(other);
    }
}
