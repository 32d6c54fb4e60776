//! One HTTP request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::LONG_WAIT;

/// Gets `path` from `target` and returns the body of the answer, whatever its status.
///
/// # Errors
///
/// If no connection is made or no answer comes in time.
pub fn http_get(target: impl Into<SocketAddr>, path: &str) -> io::Result<String> {
    let target = target.into();
    let mut stream = TcpStream::connect_timeout(&target, LONG_WAIT)?;
    stream.set_read_timeout(Some(LONG_WAIT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) => Ok(body.to_owned()),
        None => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the answer has no body",
        )),
    }
}
