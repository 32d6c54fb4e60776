//! One request and its answer.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use super::connect::Connected;
use super::content::{Content, Framing};
use super::url::Url;
use crate::guest::http::{Head, HeadError, read_head};
use crate::guest::program::Failure;
use crate::guest::reason::reason;

/// An answer whose content is still to be read.
pub struct Answer<'a> {
    /// The number of its status.
    pub status: u16,
    /// The words behind the number.
    pub words: String,
    /// All of its head.
    pub head: Head,
    /// What follows the head.
    pub content: Content<BufReader<&'a TcpStream>>,
}

/// Asks for the document and reads the head of the answer.
///
/// # Errors
///
/// If the connection breaks or nothing comes in time, and if what comes is no HTTP.
pub fn request<'a>(connected: &'a Connected, url: &Url) -> Result<Answer<'a>, Failure> {
    let label = &connected.label;
    let mut stream = &connected.stream;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: minirun-wget\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.target,
        url.authority(),
    );
    stream.write_all(request.as_bytes()).map_err(|error| {
        Failure::new(format!(
            "cannot send the request to {label}: {}",
            reason(&error)
        ))
    })?;
    let mut reader = BufReader::new(stream);
    let (status, words, head) = read_status(&mut reader)
        .map_err(|error| Failure::new(format!("no answer from {label}: {}", explain(&error))))?;
    let framing = Framing::of(status, &head).ok_or_else(|| {
        Failure::new(format!("no answer from {label}: its length makes no sense"))
    })?;
    Ok(Answer {
        status,
        words,
        head,
        content: Content::new(reader, framing, label),
    })
}

/// The first head that is not provisional (status 1xx, RFC 9110, section 15.2).
fn read_status(reader: &mut BufReader<&TcpStream>) -> Result<(u16, String, Head), HeadError> {
    loop {
        let head = read_head(reader)?.ok_or(HeadError::Truncated)?;
        let (status, words) = parse_status_line(&head.start_line).ok_or(HeadError::Malformed)?;
        if status >= 200 {
            let words = words.to_owned();
            return Ok((status, words, head));
        }
    }
}

/// Number and words of a line such as `HTTP/1.1 200 OK`.
fn parse_status_line(line: &str) -> Option<(u16, &str)> {
    let (version, rest) = line.split_once(' ')?;
    let (number, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_number = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    let status = number.parse().ok()?;
    (version.starts_with("HTTP/1.") && is_number && status >= 100).then_some((status, words))
}

fn explain(error: &HeadError) -> String {
    match error {
        HeadError::Read(error) => super::content::explain_read(error),
        HeadError::Truncated => "it closed the connection".to_owned(),
        HeadError::TooLong => "its head does not end".to_owned(),
        HeadError::Malformed => "it does not speak HTTP/1".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::num::NonZeroU16;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::guest::scratch_network;
    use crate::guest::wget::connect::connect;

    /// What a client gets from a server that answers with `bytes`: status and content, or the message of its failure.
    fn fetch(bytes: &[u8]) -> Result<(u16, String), String> {
        scratch_network::inside(|| {
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    let (mut stream, _) = listener.accept().unwrap();
                    read_head(&mut BufReader::new(&stream)).unwrap();
                    stream.write_all(bytes).unwrap();
                });
                let result = read_all();
                result.map_err(|failure| match failure {
                    Failure::Failed { message, .. } | Failure::Misuse(message) => message,
                })
            })
        })
    }

    fn read_all() -> Result<(u16, String), Failure> {
        let port = NonZeroU16::new(80).unwrap();
        let connected = connect("127.0.0.1", port, Duration::from_secs(10))?;
        let mut answer = request(&connected, &"http://web/".parse().unwrap())?;
        let mut content = Vec::new();
        let mut buffer = [0; 7];
        loop {
            match answer.content.read(&mut buffer)? {
                0 => return Ok((answer.status, String::from_utf8(content).unwrap())),
                count => content.extend(&buffer[..count]),
            }
        }
    }

    fn success(status: u16, content: &str) -> Result<(u16, String), String> {
        Ok((status, content.to_owned()))
    }

    #[test]
    fn content_comes_in_three_framings() {
        assert_eq!(
            fetch(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world and more"),
            success(200, "hello world")
        );
        assert_eq!(
            fetch(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nB\r\n, new world\r\n0\r\nA: b\r\n\r\n"),
            success(404, "hello, new world")
        );
        assert_eq!(
            fetch(b"HTTP/1.0 200\r\n\r\nuntil the end"),
            success(200, "until the end")
        );
    }

    #[test]
    fn provisional_answers_are_passed_over_and_some_have_no_content() {
        assert_eq!(
            fetch(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nx"),
            success(204, "")
        );
    }

    #[test]
    fn an_answer_that_is_none_or_ends_too_early_is_told() {
        let refusal = |bytes: &[u8]| fetch(bytes).unwrap_err();
        assert_eq!(
            refusal(b""),
            "no answer from 127.0.0.1:80: it closed the connection"
        );
        assert_eq!(
            refusal(b"SSH-2.0-x\r\n\r\n"),
            "no answer from 127.0.0.1:80: it does not speak HTTP/1"
        );
        assert_eq!(
            refusal(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"),
            "the answer of 127.0.0.1:80 is not complete: 5 bytes are missing"
        );
        assert_eq!(
            refusal(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
            "no answer from 127.0.0.1:80: its length makes no sense"
        );
    }

    #[test]
    fn our_own_server_is_understood() {
        use crate::guest::httpd::for_tests::serve_one;

        let greeting = scratch_network::inside(|| {
            let listener = TcpListener::bind("127.0.0.1:80").unwrap();
            thread::scope(|scope| {
                scope.spawn(|| serve_one(&listener));
                read_all().unwrap()
            })
        });
        assert_eq!(greeting.0, 200);
        assert!(greeting.1.starts_with("Hello from `web1` (127.0.0.1:80)\n"));
    }
}
