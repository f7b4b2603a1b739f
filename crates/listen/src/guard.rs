//! Stands between a socket and hyper, and judges the bytes of each head before hyper sees them.
//!
//! A sound head is passed on as it came, and behind it exactly the body that it announced. In the place of a
//! refused head hyper gets [`REFUSED`], a request that can't come from the wire because its method isn't
//! made of letters: so the refusal is written by hyper in its turn, behind the answers of requests that came
//! before it. After that, and on a hang-up or when time runs out, hyper sees the end of the stream; so it does
//! when the server is to leave and nothing has arrived.

mod writing;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use contract::head::{Chunked, Framing, FramingRefusal, Limits, Scan, scan};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Duration;

use crate::timer::Timer;
use crate::turns::{Turn, give_way};

/// What hyper is given in the place of a refused head.
const REFUSED: &[u8] = b"~ / HTTP/1.1\r\nhost: -\r\n\r\n";
/// Its method.
pub(crate) const REFUSED_METHOD: &str = "~";

/// How long a connection that rests is listened to when the server is to leave and its stream can't be asked what lies in
/// it: longer than what arrived before takes to be told by the runtime.
const LINGER: Duration = Duration::from_millis(100);

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) head: Duration,
    pub(crate) body: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
    pub(crate) drain: Duration,
}

/// Why the head of this connection was refused, told by the guard to the connection's service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    fn set(&self, refusal: FramingRefusal) {
        let code = match refusal {
            FramingRefusal::Malformed => 0,
            FramingRefusal::HeadTooLarge => 1,
            FramingRefusal::BodyTooLarge => 2,
            FramingRefusal::Expectation => 3,
        };
        self.0.store(code, Ordering::Release);
    }

    /// The refusal; only asked for once [`REFUSED`] arrived.
    pub(crate) fn get(&self) -> FramingRefusal {
        match self.0.load(Ordering::Acquire) {
            1 => FramingRefusal::HeadTooLarge,
            2 => FramingRefusal::BodyTooLarge,
            3 => FramingRefusal::Expectation,
            _ => FramingRefusal::Malformed,
        }
    }
}

/// Whether the server is to leave, told to the guard and to the connection's service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leave(Arc<AtomicBool>);

impl Leave {
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Takes what lies in a stream without waiting for more; nothing is the end.
pub(crate) type Late<I> = fn(&I, &mut [u8]) -> io::Result<usize>;

/// A connection whose heads are judged: a socket, or what TLS makes of one.
pub(crate) struct Guard<I> {
    stream: I,
    limits: Limits,
    times: Times,
    verdict: Verdict,
    leave: Leave,
    /// None where the stream has no such way, as below TLS: it is listened to for [`LINGER`] instead.
    late: Option<Late<I>>,
    timer: Timer,
    /// What each of its heads waits for, where others have to do with the listener.
    turn: Option<Turn>,
    /// Runs while it is listened for what may still come with the end.
    lingering: Option<Timer>,
    /// What arrived and wasn't passed on.
    arrived: BytesMut,
    state: State,
    /// Whether no request came through yet: the time of the first head runs since the connection began.
    first: bool,
    /// Runs while the other side takes nothing of what is written to it.
    stuck: Option<Timer>,
    /// How much may still be drained, once the other side was told that nothing more comes.
    draining: Option<usize>,
}

enum State {
    /// Between requests, or within a head.
    Head,
    /// So many bytes may be passed on: the rest of a sound head and its body.
    Passing(u64),
    /// So many bytes may be passed on, and behind them a body in chunks.
    PassingTo(usize),
    /// A body in chunks.
    Chunks(Chunked),
    /// So many bytes of [`REFUSED`] have been passed on.
    Refusing(usize),
    /// Nothing more is passed on.
    Ended,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Guard<I> {
    pub(crate) fn new(
        stream: I,
        limits: Limits,
        times: Times,
        verdict: Verdict,
        leave: Leave,
        late: Option<Late<I>>,
        turn: Option<Turn>,
    ) -> Self {
        // The first head must be complete in time whether it begins or not.
        let timer = Timer::after(times.head);
        let (arrived, state, first) = (BytesMut::new(), State::Head, true);
        let (lingering, stuck, draining) = (None, None, None);
        Self {
            stream,
            limits,
            times,
            verdict,
            leave,
            late,
            timer,
            turn,
            lingering,
            arrived,
            state,
            first,
            stuck,
            draining,
        }
    }

    /// Reads from the socket into hyper's own buffer, where a sound head stays without being copied.
    fn poll_socket(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = out.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, out) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(out.filled().len() - before)),
            Poll::Ready(Err(why)) => Poll::Ready(Err(why)),
            Poll::Pending if self.leave.is_asked() && self.rests() => match self.late {
                Some(late) => Poll::Ready(self.read_late(late, out)),
                None => {
                    let lingering = self.lingering.get_or_insert_with(|| Timer::after(LINGER));
                    lingering.poll(context).map(|()| Ok(0))
                }
            },
            // Out of time is the end of the stream.
            Poll::Pending => self.timer.poll(context).map(|()| Ok(0)),
        }
    }

    /// Waits until a head that is there may be answered.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.turn.as_mut().map_or(Poll::Ready(()), |turn| turn.poll(context))
    }

    fn rests(&self) -> bool {
        matches!(self.state, State::Head) && self.arrived.is_empty()
    }

    /// Takes what lies in the socket; nothing is the end of the stream. The runtime's word isn't enough here: what
    /// arrived after it looked last, and before the end was asked for, is to be answered.
    fn read_late(&self, late: Late<I>, out: &mut ReadBuf<'_>) -> io::Result<usize> {
        let count = match late(&self.stream, out.initialize_unfilled()) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => 0,
            read => read?,
        };
        out.advance(count);
        Ok(count)
    }

    /// Reads the first bytes of a head; a complete one that nothing follows is passed on at once.
    fn poll_first(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let count = ready!(self.poll_socket(context, out))?;
        if count == 0 {
            self.state = State::Ended;
            return Poll::Ready(Ok(()));
        }
        let bytes = out.filled().get(before..).unwrap_or_default();
        if let Scan::Head(head) = scan(bytes, &self.limits)
            && let Framing::Length(body) = head.body
        {
            let whole = body.saturating_add(head.len as u64);
            if let Some(left) = whole.checked_sub(count as u64)
                && self.poll_turn(context).is_ready()
            {
                if left > 0 {
                    self.timer.reset(self.times.body);
                }
                self.state = State::Passing(left);
                return Poll::Ready(Ok(()));
            }
        }
        self.arrived.extend_from_slice(bytes);
        out.set_filled(before);
        if !self.first {
            self.timer.reset(self.times.head);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads more of what has begun; `false` at the end of the stream.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut room = [std::mem::MaybeUninit::uninit(); 2 * 1024];
        let mut more = ReadBuf::uninit(&mut room);
        let count = ready!(self.poll_socket(context, &mut more))?;
        self.arrived.extend_from_slice(more.filled());
        Poll::Ready(Ok(count > 0))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match this.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Refusing(sent) => {
                    let rest = REFUSED.get(sent..).unwrap_or_default();
                    if rest.is_empty() {
                        // Not the end of the stream: hyper answers, and closes because the answer says so.
                        return Poll::Pending;
                    }
                    let piece = rest.get(..rest.len().min(out.remaining())).unwrap_or_default();
                    out.put_slice(piece);
                    this.state = State::Refusing(sent + piece.len());
                    return Poll::Ready(Ok(()));
                }
                State::Passing(0) => {
                    // What arrived already is the begin of the next head.
                    let begun = !this.arrived.is_empty();
                    this.timer.reset(if begun { this.times.head } else { this.times.idle });
                    (this.first, this.state) = (false, State::Head);
                    if begun {
                        // Whoever sends ahead has its next answer after all others have had their turn.
                        give_way(context);
                        return Poll::Pending;
                    }
                }
                State::Passing(left) if !this.arrived.is_empty() => {
                    let left_here = usize::try_from(left).unwrap_or(usize::MAX);
                    let count = this.arrived.len().min(out.remaining()).min(left_here);
                    out.put_slice(this.arrived.get(..count).unwrap_or_default());
                    this.arrived.advance(count);
                    this.state = State::Passing(left.saturating_sub(count as u64));
                    return Poll::Ready(Ok(()));
                }
                State::Passing(_) => {
                    if !ready!(this.poll_more(context))? {
                        this.state = State::Ended;
                    }
                }
                State::PassingTo(0) => this.state = State::Chunks(Chunked::new(this.limits.body)),
                State::PassingTo(left) => {
                    let count = left.min(out.remaining());
                    out.put_slice(this.arrived.get(..count).unwrap_or_default());
                    this.arrived.advance(count);
                    this.state = State::PassingTo(left - count);
                    return Poll::Ready(Ok(()));
                }
                State::Chunks(chunked) if chunked.is_done() => this.state = State::Passing(0),
                State::Chunks(mut chunked) if !this.arrived.is_empty() => {
                    let piece = this.arrived.get(..this.arrived.len().min(out.remaining())).unwrap_or_default();
                    match chunked.follow(piece) {
                        Ok(count) => {
                            out.put_slice(piece.get(..count).unwrap_or_default());
                            this.arrived.advance(count);
                            this.state = State::Chunks(chunked);
                            return Poll::Ready(Ok(()));
                        }
                        // The end of the stream within a body: whoever reads it gets an error.
                        Err(_) => this.state = State::Ended,
                    }
                }
                State::Chunks(_) => {
                    if !ready!(this.poll_more(context))? {
                        this.state = State::Ended;
                    }
                }
                State::Head if this.arrived.is_empty() => {
                    let before = out.filled().len();
                    ready!(this.poll_first(context, out))?;
                    if out.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                State::Head => match scan(&this.arrived, &this.limits) {
                    Scan::Head(head) => {
                        ready!(this.poll_turn(context));
                        if head.body != Framing::Length(0) {
                            this.timer.reset(this.times.body);
                        }
                        this.state = match head.body {
                            Framing::Length(body) => State::Passing(body.saturating_add(head.len as u64)),
                            Framing::Chunked => State::PassingTo(head.len),
                        };
                    }
                    Scan::Refused(refusal) => {
                        ready!(this.poll_turn(context));
                        this.verdict.set(refusal);
                        this.state = State::Refusing(0);
                    }
                    Scan::Hangup => this.state = State::Ended,
                    Scan::Incomplete => {
                        if !ready!(this.poll_more(context))? {
                            this.state = State::Ended;
                        }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
