//! The load: plain sockets on the second processor, one thread for all of them.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};

/// How connections are used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A few connections, each for many requests.
    KeepAlive,
    /// A connection for each request.
    EachItsOwn,
}

/// How many connections are open at once.
const CONNECTIONS: usize = 16;

/// The request of a cached token.
pub(crate) fn request(address: &str, query: &str) -> String {
    format!(
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01&{query} HTTP/1.1\r\nHost: {address}\r\n\
         Metadata: true\r\nUser-Agent: bench\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
    )
}

/// Sends so many requests; each must be answered with 200.
pub(crate) fn run(address: &str, requests: usize, mode: Mode, mut next: impl FnMut(usize) -> String) -> Result<()> {
    match mode {
        Mode::EachItsOwn => {
            for number in 0..requests {
                exchange(&mut connect(address)?, &next(number))?;
            }
        }
        Mode::KeepAlive => {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS.min(requests) {
                connections.push(connect(address)?);
            }
            let mut number = 0;
            while number < requests {
                // All are written before the first is read: the server has work waiting.
                let batch = connections.len().min(requests - number);
                for connection in connections.iter_mut().take(batch) {
                    connection.write_all(next(number).as_bytes())?;
                    number += 1;
                }
                for connection in connections.iter_mut().take(batch) {
                    read_answer(connection)?;
                }
            }
        }
    }
    Ok(())
}

/// One request on a connection; the body.
pub(crate) fn exchange(connection: &mut TcpStream, request: &str) -> Result<Vec<u8>> {
    connection.write_all(request.as_bytes())?;
    read_answer(connection)
}

/// Opens a connection.
pub(crate) fn connect(address: &str) -> Result<TcpStream> {
    let connection = TcpStream::connect(address).with_context(|| format!("{address} can't be reached"))?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// The body of an answer, which must be a 200.
pub(crate) fn read_answer(connection: &mut TcpStream) -> Result<Vec<u8>> {
    let (mut answer, body) = read_whole(connection)?;
    Ok(answer.split_off(body))
}

/// An answer, which must be a 200, and where its body begins.
pub(crate) fn read_whole(connection: &mut TcpStream) -> Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::with_capacity(4_096);
    let mut piece = [0; 8_192];
    loop {
        let count = connection.read(&mut piece)?;
        ensure!(count > 0, "the server closed the connection");
        bytes.extend(piece.iter().take(count));
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
        ensure!(head.starts_with("http/1.1 200"), "the server answered {head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("no length")?;
        let whole = end + 4 + length.trim().parse::<usize>()?;
        while bytes.len() < whole {
            let count = connection.read(&mut piece)?;
            ensure!(count > 0, "the server closed the connection");
            bytes.extend(piece.iter().take(count));
        }
        return Ok((bytes, end + 4));
    }
}
