//! Connections: accepted one after the other, served beside each other, request after request.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::STACK_SIZE;
use super::deadline::Deadline;
use super::request::{Connection, Method, Request};
use super::site::{Answer, Content, Ends, Site, Status};
use super::slots::Slots;
use crate::guest::http::read_head;

/// How long a client may take from one request to the end of the next, and to take an answer's next part.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long, and for how many bytes, a client that is being refused may go on sending.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 256 * 1024;

/// Serves every client of `listener`; returns only when it cannot accept any more.
pub fn accept_all(listener: &TcpListener, site: &Arc<Site>, slots: &Arc<Slots>) -> io::Error {
    loop {
        let slot = slots.take();
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if is_about_one_client(&error) => continue,
            Err(error) => return error,
        };
        let its_site = Arc::clone(site);
        let work = move || {
            // A client that breaks off has nobody left to be told of it.
            let _ = serve(&stream, &its_site);
            drop(slot);
        };
        let started = thread::Builder::new().stack_size(STACK_SIZE).spawn(work);
        if let Err(error) = started {
            site.log(&format!("cannot start a thread for a client: {error}"));
        }
    }
}

/// Serves one client until it or the server closes the connection.
///
/// # Errors
///
/// If the connection breaks while an answer is written.
pub fn serve(stream: &TcpStream, site: &Site) -> io::Result<()> {
    let ends = Ends {
        local: canonical(stream.local_addr()?),
        peer: canonical(stream.peer_addr()?),
    };
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(Deadline::new(stream, PATIENCE));
    loop {
        reader.get_mut().extend(PATIENCE);
        let request = match read_head(&mut reader) {
            Ok(None) => return Ok(()),
            Ok(Some(head)) => Request::from_head(head),
            Err(error) => match Status::for_unreadable(&error) {
                Some(status) => Err(status),
                None => return Ok(()),
            },
        };
        match request {
            Ok(request) => {
                let answer = site.answer(&request.path, &ends);
                record(site, &ends, &request.line, &answer);
                write_answer(stream, answer, request.method, request.connection)?;
                if request.connection == Connection::Close {
                    return linger(stream, reader);
                }
            }
            Err(status) => {
                let answer = Answer::from(status);
                record(site, &ends, "-", &answer);
                write_answer(stream, answer, Method::Get, Connection::Close)?;
                return linger(stream, reader);
            }
        }
    }
}

/// One line of the log, written before the answer so that whoever has the answer finds the line.
fn record(site: &Site, ends: &Ends, line: &str, answer: &Answer) {
    let Ends { local, peer } = ends;
    let status = answer.status.line();
    let size = answer.content.size();
    site.log(&format!(
        "{peer} -> {local} \"{line}\" {status}, {size} bytes"
    ));
}

fn write_answer(
    mut stream: &TcpStream,
    answer: Answer,
    method: Method,
    connection: Connection,
) -> io::Result<()> {
    let mut bytes = head_of(&answer, connection).into_bytes();
    match (method, answer.content) {
        (Method::Head, _) => stream.write_all(&bytes),
        (Method::Get, Content::Bytes(content)) => {
            bytes.extend(content);
            stream.write_all(&bytes)
        }
        (Method::Get, Content::File(file, size)) => {
            stream.write_all(&bytes)?;
            // A file that shrank meanwhile cannot be answered any more as announced; closing the connection says so.
            match io::copy(&mut file.take(size), &mut stream)? {
                count if count == size => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

fn head_of(answer: &Answer, connection: Connection) -> String {
    let allow = match answer.status {
        Status::MethodNotAllowed => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let connection = match connection {
        Connection::KeepAlive => "keep-alive",
        Connection::Close => "close",
    };
    format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Connection: {connection}\r\n\r\n",
        answer.status.line(),
        answer.content_type,
        answer.content.size(),
    )
}

/// Closing a connection on which unread bytes lie resets it, and the client may lose the answer. So the server says that it
/// is done and reads on for a short while.
fn linger(stream: &TcpStream, mut reader: BufReader<Deadline<'_>>) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    reader.get_mut().extend(LINGER_TIME);
    io::copy(&mut reader.take(LINGER_BYTES), &mut io::sink()).map(drop)
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Errors that `accept` reports for a client which is gone already; the next one may be well.
fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, Read};
    use std::sync::Mutex;
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;
    use crate::guest::scratch_network;

    /// A log that a test can read.
    struct Lines(Sender<Vec<u8>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Runs `client` on one connection to a server; returns what it returns and the log.
    fn with_server<T: Send>(client: impl FnOnce(TcpStream) -> T + Send) -> (T, String) {
        let (log, lines) = mpsc::channel();
        let site = Site {
            name: "web1".to_owned(),
            text: None,
            files: None,
            log: Mutex::new(Box::new(Lines(log))),
        };
        let result = scratch_network::inside(|| {
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            let stream = TcpStream::connect("127.0.0.1:80").unwrap();
            thread::scope(|scope| {
                scope.spawn(|| serve(&listener.accept().unwrap().0, &site));
                client(stream)
            })
        });
        drop(site);
        (result, collect(&lines))
    }

    fn collect(lines: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(lines.iter().flatten().collect()).unwrap()
    }

    fn exchange(request: &str) -> (String, String) {
        with_server(|mut stream| {
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
    }

    #[test]
    fn a_request_is_answered_and_written_down() {
        let (answer, log) = exchange("GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        let peer = content
            .lines()
            .nth(1)
            .unwrap()
            .strip_prefix("you are ")
            .unwrap();
        assert!(content.starts_with("Hello from `web1` (127.0.0.1:80)\nyou are 127.0.0.1:"));
        assert_eq!(
            head,
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close",
                content.len()
            )
        );
        assert_eq!(
            log,
            format!(
                "{peer} -> 127.0.0.1:80 \"GET / HTTP/1.1\" 200 OK, {} bytes\n",
                content.len()
            )
        );
    }

    #[test]
    fn one_connection_serves_many_requests_even_when_sent_at_once() {
        let (answer, log) = exchange(
            "GET /a HTTP/1.1\r\n\r\nHEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nConnection: close\r\n\r\n",
        );
        assert_eq!(answer.matches("HTTP/1.1 404 Not Found\r\n").count(), 3);
        assert_eq!(answer.matches("\r\n\r\n404 Not Found\n").count(), 2);
        assert_eq!(log.lines().count(), 3);
    }

    #[test]
    fn a_client_that_sends_content_still_gets_its_answer() {
        let content = "x".repeat(100_000);
        let (answer, log) = exchange(&format!(
            "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{content}"
        ));
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
        assert!(answer.contains("Allow: GET, HEAD\r\n"));
        assert!(log.contains("\"-\" 405"));
    }

    #[test]
    fn a_head_that_is_too_long_or_no_head_is_refused() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(20_000));
        assert!(exchange(&long).0.starts_with("HTTP/1.1 431 "));
        assert!(exchange("hello\r\n\r\n").0.starts_with("HTTP/1.1 400 "));
        assert!(exchange("\x1b[2J\r\n\r\n").1.contains("\"-\" 400"));
    }

    #[test]
    fn a_client_may_leave_without_a_word() {
        let ((), log) = with_server(drop);
        assert_eq!(log, "");
    }

    #[test]
    fn a_connection_stays_open_between_requests() {
        let (answers, _) = with_server(|stream| {
            let mut reader = BufReader::new(&stream);
            let mut status_lines = Vec::new();
            for _ in 0..2 {
                (&stream).write_all(b"HEAD / HTTP/1.1\r\n\r\n").unwrap();
                let lines: Vec<String> = reader
                    .by_ref()
                    .lines()
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                    .collect();
                status_lines.push(lines[0].clone());
            }
            status_lines
        });
        assert_eq!(answers, ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
    }
}
