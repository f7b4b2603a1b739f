//! Where a listener is: an address, for one network device or in another network namespace where that is said, a Unix
//! socket, or a port of the virtual machines' sockets (vsock).

use std::fmt;
use std::io;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};

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
    /// Listens on it, on whatever thread is within a runtime.
    ///
    /// # Errors
    /// When the system refuses, or others could come between (a Unix socket).
    pub(crate) fn open(&self) -> Result<Listener, EndpointError> {
        match self {
            Self::Tcp(tcp) => {
                let listener = match &tcp.namespace {
                    None => bind::open(tcp)?,
                    Some(path) => in_namespace(path, || bind::open(tcp))?,
                };
                let listener = TcpListener::from_std(listener);
                let failed = |why| BindError { address: tcp.address, holder: None, why };
                Ok(Listener::Tcp(listener.map_err(failed)?))
            }
            Self::Unix(socket) => Ok(Listener::Unix(socket.open()?.listener()?)),
            // A port below 1024 takes `CAP_NET_BIND_SERVICE` (Linux `net/vmw_vsock/af_vsock.c`, `__vsock_bind_connectible`).
            Self::Vsock(port) => {
                let listener = VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, *port));
                Ok(Listener::Vsock(listener.map_err(|why| EndpointError::Vsock { port: *port, why })?))
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
