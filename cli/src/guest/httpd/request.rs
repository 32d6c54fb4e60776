//! What a client asks for.

use crate::guest::http::{Head, HeadError};

use super::site::Status;

/// A request that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The line as it was sent, for the log.
    pub line: String,
    /// What to do.
    pub method: Method,
    /// The path without the query, percent signs not decoded.
    pub path: String,
    /// Whether the connection stays open after the answer.
    pub connection: Connection,
}

/// What to do with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Answer with it.
    Get,
    /// Answer as to `GET`, without the content.
    Head,
}

/// What becomes of a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The next request may come.
    KeepAlive,
    /// It is closed.
    Close,
}

impl Request {
    /// The request that a head makes.
    ///
    /// # Errors
    ///
    /// The status that answers a head which is no request, or none that is served here.
    pub fn from_head(head: Head) -> Result<Self, Status> {
        let words: Vec<&str> = head.start_line.split(' ').collect();
        let [method, target, version] = words[..] else {
            return Err(Status::BadRequest);
        };
        let method = match method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            _ => return Err(Status::MethodNotAllowed),
        };
        // A proxy's form with a whole address is allowed everywhere (RFC 9112, section 3.2.2).
        let target = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |start| &rest[start..]),
            None => target,
        };
        if !target.starts_with('/') {
            return Err(Status::BadRequest);
        }
        let path = target.split(['?', '#']).next().unwrap_or(target).to_owned();
        let connection = connection_after(&head, version)?;
        Ok(Self {
            line: head.start_line,
            method,
            path,
            connection,
        })
    }
}

impl Status {
    /// How an unreadable head is answered, if its sender still listens.
    pub fn for_unreadable(error: &HeadError) -> Option<Self> {
        match error {
            HeadError::Read(_) | HeadError::Truncated => None,
            HeadError::TooLong => Some(Self::FieldsTooLarge),
            HeadError::Malformed => Some(Self::BadRequest),
        }
    }
}

/// A request with content is answered, but the content is not read, so the connection cannot go on behind it.
fn connection_after(head: &Head, version: &str) -> Result<Connection, Status> {
    let has_content = head.field("transfer-encoding").is_some()
        || head
            .field("content-length")
            .is_some_and(|length| length != "0");
    let stays = match version {
        "HTTP/1.1" => !head.lists("connection", "close"),
        "HTTP/1.0" => head.lists("connection", "keep-alive"),
        _ => return Err(Status::BadRequest),
    };
    Ok(if stays && !has_content {
        Connection::KeepAlive
    } else {
        Connection::Close
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::http::read_head;

    fn request(text: &str) -> Result<Request, Status> {
        let head = read_head(&mut format!("{text}\r\n\r\n").as_bytes());
        Request::from_head(head.unwrap().unwrap())
    }

    #[test]
    fn the_query_is_not_part_of_the_path() {
        let request = request("GET /env?a=b HTTP/1.1\r\nHost: web").unwrap();
        assert_eq!(request.path, "/env");
        assert_eq!(request.line, "GET /env?a=b HTTP/1.1");
    }

    #[test]
    fn a_whole_address_is_a_target_as_well() {
        assert_eq!(request("GET http://web/env HTTP/1.1").unwrap().path, "/env");
        assert_eq!(request("HEAD http://web HTTP/1.1").unwrap().path, "/");
    }

    #[test]
    fn a_connection_stays_open_in_the_way_of_its_version() {
        let connection = |text| request(text).unwrap().connection;
        assert_eq!(connection("GET / HTTP/1.1"), Connection::KeepAlive);
        assert_eq!(
            connection("GET / HTTP/1.1\r\nConnection: close"),
            Connection::Close
        );
        assert_eq!(connection("GET / HTTP/1.0"), Connection::Close);
        assert_eq!(
            connection("GET / HTTP/1.0\r\nConnection: Keep-Alive"),
            Connection::KeepAlive
        );
    }

    #[test]
    fn content_that_is_not_read_closes_the_connection() {
        for field in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
            let request = request(&format!("GET / HTTP/1.1\r\n{field}")).unwrap();
            assert_eq!(request.connection, Connection::Close, "{field}");
        }
    }

    #[test]
    fn what_is_no_request_has_a_status() {
        assert_eq!(request("hello"), Err(Status::BadRequest));
        assert_eq!(request("GET  / HTTP/1.1"), Err(Status::BadRequest));
        assert_eq!(request("GET env HTTP/1.1"), Err(Status::BadRequest));
        assert_eq!(request("GET / HTTP/2.0"), Err(Status::BadRequest));
        assert_eq!(request("POST / HTTP/1.1"), Err(Status::MethodNotAllowed));
    }
}
