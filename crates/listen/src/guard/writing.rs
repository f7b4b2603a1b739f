//! What is written: for how long, and what is still read behind the end of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Guard, State};
use crate::timer::Timer;

/// How much of what a refused client still sends is read before its connection is closed. Closing a socket
/// with unread bytes makes the kernel reset it, and the client may lose the answer.
const DRAIN: usize = 256 * 1024;

impl<I: AsyncRead + AsyncWrite + Unpin> Guard<I> {
    /// Lets a write, a flush or an end that waits fail when it has waited too long. Each that is done begins anew; what TLS
    /// holds back for a flush has that time in all.
    fn bounded<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Timer::after(self.times.write));
        stuck.poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads and forgets what a client still sends that has its answer already.
    fn poll_drain(&mut self, context: &mut Context<'_>, left: usize) -> Poll<io::Result<()>> {
        let mut left = left;
        let mut room = [std::mem::MaybeUninit::uninit(); 2 * 1024];
        while left > 0 {
            let mut more = ReadBuf::uninit(&mut room);
            match self.poll_socket(context, &mut more) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(count)) => left = left.saturating_sub(count),
                Poll::Pending => {
                    self.draining = Some(left);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = match this.draining {
            Some(left) => left,
            None => {
                let shut = Pin::new(&mut this.stream).poll_shutdown(context);
                ready!(this.bounded(context, shut))?;
                if !matches!(this.state, State::Refusing(_) | State::Passing(1..) | State::Chunks(_)) {
                    return Poll::Ready(Ok(()));
                }
                this.timer.reset(this.times.drain);
                DRAIN
            }
        };
        this.poll_drain(context, left)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
