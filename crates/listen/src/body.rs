//! Bodies of requests, read within a bound.

use bytes::Bytes;
use contract::gate::Refusal;
use contract::head::FramingRefusal;
use http_body_util::{BodyExt as _, Collected, LengthLimitError, Limited};
use hyper::body::Body;

/// Reads a body of at most so many bytes; one that announces more isn't waited for.
///
/// # Errors
/// When it is longer, breaks off or comes too slowly.
pub async fn body<B: Body>(body: B, most: usize) -> Result<Bytes, Refusal>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = || Refusal::Framing(FramingRefusal::BodyTooLarge);
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let read = Limited::new(body, most).collect().await;
    read.map(Collected::to_bytes)
        .map_err(|why| if why.is::<LengthLimitError>() { too_large() } else { Refusal::BodyUnreadable })
}
