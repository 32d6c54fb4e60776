//! Reading from a connection that may not take for ever.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A connection to read from until a point in time. A time-out for each read would let a client hold a connection by
/// sending a byte now and then.
pub struct Deadline<'a> {
    stream: &'a TcpStream,
    end: Instant,
}

impl<'a> Deadline<'a> {
    /// Reads from `stream` fail after `patience` from now.
    pub fn new(stream: &'a TcpStream, patience: Duration) -> Self {
        let end = Instant::now() + patience;
        Self { stream, end }
    }

    /// Reads fail after `patience` from now.
    pub fn extend(&mut self, patience: Duration) {
        self.end = Instant::now() + patience;
    }
}

impl Read for Deadline<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::scratch_network;
    use std::net::TcpListener;

    #[test]
    fn a_silent_client_is_not_waited_for() {
        scratch_network::inside(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            let mut reader = Deadline::new(&stream, Duration::from_millis(1));
            assert!(reader.read(&mut [0]).is_err());
            assert_eq!(
                reader.read(&mut [0]).unwrap_err().kind(),
                io::ErrorKind::TimedOut
            );
        });
    }
}
