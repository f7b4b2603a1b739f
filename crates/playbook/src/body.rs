//! A body that may break off.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

/// A body that was to break off did.
#[derive(Debug, thiserror::Error)]
#[error("the body breaks off here, as a playbook wants it")]
pub struct BrokenOff;

/// The body of an answer, which breaks off where a playbook wants it.
#[derive(Debug)]
pub enum MayBreak {
    /// It doesn't.
    Whole(Full<Bytes>),
    /// It does, behind this.
    Partial {
        /// What is sent of it.
        piece: Option<Bytes>,
        /// How long it says that it is.
        announced: u64,
        /// Whether what was sent is on its way.
        sent: bool,
    },
}

impl MayBreak {
    /// The first so many bytes of a body, one less than all at most.
    pub(crate) fn partial(whole: &Bytes, bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(whole.len().saturating_sub(1));
        let piece = Some(whole.slice(..bytes)).filter(|piece| !piece.is_empty());
        Self::Partial { piece, announced: whole.len() as u64, sent: false }
    }
}

impl Body for MayBreak {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never: Infallible| match never {}),
            Self::Partial { piece, sent, .. } => match piece.take() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                // What is written is sent only once nothing more is ready; an error now would take it back.
                None if !*sent => {
                    *sent = true;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Ready(Some(Err(BrokenOff))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Partial { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Partial { announced, .. } => SizeHint::with_exact(*announced),
        }
    }
}
