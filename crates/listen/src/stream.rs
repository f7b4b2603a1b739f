//! What a listener accepts, of whatever kind it is.

use std::io::{self, IoSlice, Read};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(feature = "host")]
use tokio::net::UnixStream;
use tokio::net::{TcpListener, TcpStream};
#[cfg(feature = "host")]
use tokio_vsock::{VsockListener, VsockStream};

use crate::process::Ends;
#[cfg(feature = "host")]
use crate::unix::UnixSocketListener;

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// On an address.
    Tcp(TcpListener),
    /// On a Unix socket.
    #[cfg(feature = "host")]
    Unix(UnixSocketListener),
    /// For virtual machines, by their hypervisor.
    #[cfg(feature = "host")]
    Vsock(VsockListener),
}

/// Who is at the other end, as the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Somebody who has this address, or says so.
    Ip(IpAddr),
    /// A process that may reach the Unix socket.
    Local,
    /// The virtual machine of this context id.
    Vsock(u32),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl Listener {
    /// The address that it listens on, when it is one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(feature = "host")]
            Self::Unix(_) | Self::Vsock(_) => None,
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Peer::Ip(peer.ip().to_canonical())))
            }
            #[cfg(feature = "host")]
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                Ok((Stream::Unix(stream), Peer::Local))
            }
            #[cfg(feature = "host")]
            Self::Vsock(listener) => {
                let (stream, peer) = std::future::poll_fn(|context| listener.poll_accept(context)).await?;
                Ok((Stream::Vsock(stream), Peer::Vsock(peer.cid())))
            }
        }
    }
}

/// A connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(feature = "host")]
    Unix(UnixStream),
    #[cfg(feature = "host")]
    Vsock(VsockStream),
}

/// Does the same to the connection of whatever kind.
macro_rules! each {
    ($of:expr, $stream:ident => $what:expr) => {
        match $of {
            Stream::Tcp($stream) => $what,
            #[cfg(feature = "host")]
            Stream::Unix($stream) => $what,
            #[cfg(feature = "host")]
            Stream::Vsock($stream) => $what,
        }
    };
}

impl Stream {
    /// Its two ends, where it has addresses.
    pub(crate) fn ends(&self) -> Option<Ends> {
        match self {
            Self::Tcp(stream) => Some(Ends { local: stream.local_addr().ok()?, remote: stream.peer_addr().ok()? }),
            #[cfg(feature = "host")]
            Self::Unix(_) => None,
            #[cfg(feature = "host")]
            Self::Vsock(_) => None,
        }
    }
}

/// Takes what lies in a socket without waiting for more; nothing is the end.
pub(crate) fn late(stream: &Stream, out: &mut [u8]) -> io::Result<usize> {
    each!(stream, stream => (&*SockRef::from(stream)).read(out))
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self, stream => Pin::new(stream).poll_read(context, out))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(&mut *self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self, stream => Pin::new(stream).poll_shutdown(context))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(&mut *self, stream => Pin::new(stream).poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }
}
