//! Where a listener is: an address, for one network device or in another network namespace where that is said, a Unix
//! socket, or a port of the virtual machines' sockets (vsock).

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::bind::{self, BindError, Tcp};
use crate::stream::Listener;
use crate::unix::{UnixError, UnixSocket};

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An address.
    Tcp(Tcp),
    /// A Unix socket.
    Unix(UnixSocket),
    /// A port that virtual machines reach by their hypervisor.
    Vsock(u32),
}

/// Why an endpoint can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address can't.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The Unix socket can't.
    #[error(transparent)]
    Unix(#[from] UnixError),
    /// The system has no such sockets, or they are taken.
    #[error("vsock port {port} can't be listened on")]
    Vsock {
        /// The port.
        port: u32,
        /// The system's answer.
        #[source]
        why: io::Error,
    },
    /// The network namespace can't be entered.
    #[error("the network namespace {} can't be entered", path.display())]
    Namespace {
        /// Its file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        why: io::Error,
    },
    /// What opens listeners has ended.
    #[error("nothing opens listeners any more")]
    Closed,
}

impl Endpoint {
    /// Listens on it.
    ///
    /// # Errors
    /// When the system refuses, or others could come between (a Unix socket).
    pub(crate) fn open(&self) -> Result<Opened, EndpointError> {
        match self {
            Self::Tcp(tcp) => match &tcp.namespace {
                None => Ok(Opened::Tcp(bind::open(tcp)?)),
                Some(path) => in_namespace(path, || bind::open(tcp)).map(Opened::Tcp),
            },
            Self::Unix(socket) => Ok(Opened::Unix(socket.open()?)),
            Self::Vsock(port) => Ok(Opened::Vsock(*port)),
        }
    }
}

/// What was opened on any thread, to be used in the runtime.
pub(crate) enum Opened {
    Tcp(std::net::TcpListener),
    Unix(crate::unix::OpenSocket),
    /// It needs no right to be opened and is opened in the runtime.
    Vsock(u32),
}

impl Opened {
    pub(crate) fn listener(self) -> Result<Listener, EndpointError> {
        match self {
            Self::Tcp(listener) => {
                let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
                let listener = tokio::net::TcpListener::from_std(listener);
                Ok(Listener::Tcp(listener.map_err(|why| BindError { address, holder: None, why })?))
            }
            Self::Unix(socket) => Ok(Listener::Unix(socket.listener()?)),
            Self::Vsock(port) => {
                use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};
                let listener = VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, port));
                Ok(Listener::Vsock(listener.map_err(|why| EndpointError::Vsock { port, why })?))
            }
        }
    }
}

/// Does something on a thread that is in another network namespace and ends with it.
#[cfg(target_os = "linux")]
fn in_namespace<T: Send>(
    path: &std::path::Path,
    open: impl FnOnce() -> Result<T, BindError> + Send,
) -> Result<T, EndpointError> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd;

    let refused = |why| EndpointError::Namespace { path: path.to_owned(), why };
    let namespace = std::fs::File::open(path).map_err(refused)?;
    std::thread::scope(|scope| {
        let entered = scope.spawn(|| {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(|why| refused(why.into()))?;
            Ok(open()?)
        });
        entered.join().unwrap_or(Err(EndpointError::Closed))
    })
}

#[cfg(not(target_os = "linux"))]
fn in_namespace<T>(path: &std::path::Path, _: impl FnOnce() -> Result<T, BindError>) -> Result<T, EndpointError> {
    Err(EndpointError::Namespace { path: path.to_owned(), why: io::ErrorKind::Unsupported.into() })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(Tcp { address, device, namespace, .. }) => {
                write!(f, "{address}")?;
                if let Some(device) = device {
                    write!(f, " on {device}")?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in {}", namespace.display()),
                    None => Ok(()),
                }
            }
            Self::Unix(socket) => write!(f, "{}", socket.path.display()),
            Self::Vsock(port) => write!(f, "vsock port {port}"),
        }
    }
}
