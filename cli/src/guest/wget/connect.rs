//! From a name to a connection.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::num::NonZeroU16;
use std::thread;
use std::time::{Duration, Instant};

use crate::guest::hosts_file;
use crate::guest::program::Failure;
use crate::guest::reason::reason;

/// For how long a refused connection is tried again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// For how long a server may take to close.
const GOODBYE: Duration = Duration::from_millis(200);

/// A connection, and how to speak of its other end.
#[derive(Debug)]
pub struct Connected {
    /// The connection; reads and writes time out.
    pub stream: TcpStream,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// The other end for messages: `web:80 (172.17.0.2)`.
    pub label: String,
}

impl Connected {
    /// Waits until the server has closed, if it does so soon. Whoever closes first has to be there a little longer to hear the
    /// other's goodbye; a server that closes last, towards a container that is gone by then, repeats it for minutes.
    pub fn await_close(&self) {
        let end = Instant::now() + GOODBYE;
        let mut stream = &self.stream;
        let mut rest = [0; 4096];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // Of no time at all the socket would make a wait without end, so that is refused.
            if stream.set_read_timeout(Some(left)).is_err()
                || !matches!(stream.read(&mut rest), Ok(1..))
            {
                return;
            }
        }
    }
}

/// Connects to the first address of `host` that takes the connection, waiting at most `timeout` for each.
///
/// # Errors
///
/// If the name has no address, or none of them takes the connection; the last one is named then.
pub fn connect(host: &str, port: NonZeroU16, timeout: Duration) -> Result<Connected, Failure> {
    let mut refusal = format!("cannot resolve `{host}`: it has no address");
    for address in resolve(host, port)? {
        let peer = SocketAddr::new(address, port.get());
        let label = match host.parse::<IpAddr>() {
            Ok(_) => peer.to_string(),
            Err(_) => format!("{host}:{port} ({address})"),
        };
        match open(&peer, timeout) {
            Ok(stream) => {
                return Ok(Connected {
                    stream,
                    peer,
                    label,
                });
            }
            Err(error) => refusal = format!("cannot connect to {label}: {}", reason(&error)),
        }
    }
    Err(Failure::new(refusal))
}

/// A server in a container that was started a moment ago may not listen yet, so a refusal is given some time to become a
/// welcome.
fn open(peer: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let end = Instant::now() + PATIENCE;
    let stream = loop {
        match TcpStream::connect_timeout(peer, timeout) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < end => {
                thread::sleep(PAUSE);
            }
            outcome => break outcome?,
        }
    };
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

/// An address is taken as it is. A name is looked up in the hosts file first, where links put theirs, and only then in DNS.
fn resolve(host: &str, port: NonZeroU16) -> Result<Vec<IpAddr>, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let hosts = fs::read_to_string(hosts_file::PATH).unwrap_or_default();
    let addresses = hosts_file::addresses_of(&hosts, host);
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    match (host, port.get()).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
        Err(_) => Err(Failure::new(format!(
            "cannot resolve `{host}`: neither `{}` nor DNS knows it",
            hosts_file::PATH
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;
    use crate::guest::scratch_network;

    const PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();
    const TIMEOUT: Duration = Duration::from_secs(10);

    #[test]
    fn a_server_that_never_closes_is_not_listened_to_for_ever() {
        scratch_network::inside(|| {
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            let connected = connect("127.0.0.1", PORT, TIMEOUT).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            let talker = thread::spawn(move || while server.write_all(b"and then").is_ok() {});
            connected.await_close();
            drop(connected);
            talker.join().unwrap();
        });
    }

    #[test]
    fn a_name_of_the_hosts_file_is_connected_to() {
        scratch_network::inside(|| {
            let _listener = TcpListener::bind("127.0.0.1:80").unwrap();
            let connected = connect("localhost", PORT, TIMEOUT).unwrap();
            assert_eq!(connected.label, "localhost:80 (127.0.0.1)");
        });
    }

    #[test]
    fn who_refused_and_why_is_said() {
        let message = |host| match scratch_network::inside(|| connect(host, PORT, TIMEOUT)) {
            Err(Failure::Failed { message, .. }) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            message("127.0.0.1"),
            "cannot connect to 127.0.0.1:80: connection refused"
        );
        assert_eq!(
            message("192.0.2.1"),
            "cannot connect to 192.0.2.1:80: network is unreachable"
        );
        assert_eq!(
            message("unknown.invalid"),
            "cannot resolve `unknown.invalid`: neither `/etc/hosts` nor DNS knows it"
        );
    }

    #[test]
    fn a_server_that_does_not_answer_times_out() {
        scratch_network::inside(|| {
            // Only so many connections wait to be accepted; the kernel drops the packets of any further one.
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap())
                .unwrap();
            let _waiting = TcpStream::connect("127.0.0.1:80").unwrap();
            // It counts from when the listener has it, which may be later than the client does.
            let mut question = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
            poll(&mut question, PollTimeout::NONE).unwrap();
            let error = connect("127.0.0.1", PORT, Duration::from_millis(20)).unwrap_err();
            let message = "cannot connect to 127.0.0.1:80: connection timed out";
            assert_eq!(error, Failure::new(message.to_owned()));
        });
    }
}
