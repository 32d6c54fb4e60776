//! What is answered: a greeting that names both ends of the connection, the environment, the hosts file, and files.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::static_files::StaticFiles;
use crate::guest::environment::{Variable, listing};
use crate::guest::hosts_file;

/// What the server shows, and where it writes down who looked.
pub struct Site {
    /// What the container is called.
    pub name: String,
    /// What is said below the greeting.
    pub text: Option<String>,
    /// Files that go before the pages made here.
    pub files: Option<StaticFiles>,
    /// Where the log goes.
    pub log: Mutex<Box<dyn Write + Send>>,
}

/// The two ends of a connection as the server sees them, IPv4 in its own notation.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The server's.
    pub local: SocketAddr,
    /// The client's.
    pub peer: SocketAddr,
}

/// An answer that is still to be written.
pub struct Answer {
    /// How it went.
    pub status: Status,
    /// What the content is.
    pub content_type: &'static str,
    /// The content itself.
    pub content: Content,
}

/// The content of an answer.
pub enum Content {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// As many bytes of a file.
    File(File, u64),
}

/// The statuses that this server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 200
    Ok,
    /// 400
    BadRequest,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 431
    FieldsTooLarge,
    /// 500
    InternalError,
}

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

impl Site {
    /// The answer to a request for `path` by the client at `ends.peer`.
    pub fn answer(&self, path: &str, ends: &Ends) -> Answer {
        let file = self.files.as_ref().and_then(|files| files.find(path));
        match (file, path) {
            (Some(answer), _) => answer,
            (None, "/") => Answer::text(Status::Ok, self.greeting(ends).into_bytes()),
            (None, "/env") => {
                let variables: Vec<Variable> = std::env::vars_os().collect();
                Answer::text(Status::Ok, listing(&variables))
            }
            (None, "/hosts") => match fs::read(hosts_file::PATH) {
                Ok(text) => Answer::text(Status::Ok, text),
                Err(_) => Answer::from(Status::InternalError),
            },
            (None, _) => Answer::from(Status::NotFound),
        }
    }

    /// Writes one line. A log that nobody takes does not stop the server.
    pub fn log(&self, line: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = log
            .write_all(format!("{line}\n").as_bytes())
            .and_then(|()| log.flush());
    }

    fn greeting(&self, ends: &Ends) -> String {
        let Ends { local, peer } = ends;
        let mut page = format!("Hello from `{}` ({local})\nyou are {peer}\n", self.name);
        if let Some(text) = &self.text {
            page.push_str(text);
            page.push('\n');
        }
        page
    }
}

impl Answer {
    fn text(status: Status, text: Vec<u8>) -> Self {
        Self {
            status,
            content_type: PLAIN_TEXT,
            content: Content::Bytes(text),
        }
    }
}

/// An answer that consists of its status.
impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self::text(status, format!("{}\n", status.line()).into_bytes())
    }
}

impl Status {
    /// Number and words as in a status line.
    pub fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::FieldsTooLarge => "431 Request Header Fields Too Large",
            Self::InternalError => "500 Internal Server Error",
        }
    }
}

impl Content {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: Option<&str>, path: &str) -> (Status, String) {
        let site = Site {
            name: "web1".to_owned(),
            text: text.map(str::to_owned),
            files: None,
            log: Mutex::new(Box::new(Vec::new())),
        };
        let ends = Ends {
            local: "172.17.0.2:80".parse().unwrap(),
            peer: "172.17.0.3:41234".parse().unwrap(),
        };
        let answer = site.answer(path, &ends);
        match answer.content {
            Content::Bytes(bytes) => (answer.status, String::from_utf8(bytes).unwrap()),
            Content::File(..) => panic!("no file is served here"),
        }
    }

    #[test]
    fn the_greeting_names_both_ends() {
        assert_eq!(
            page(None, "/").1,
            "Hello from `web1` (172.17.0.2:80)\nyou are 172.17.0.3:41234\n"
        );
        assert!(
            page(Some("first lesson"), "/")
                .1
                .ends_with("\nfirst lesson\n")
        );
    }

    #[test]
    fn environment_and_hosts_file_are_shown() {
        let path = std::env::var("PATH").unwrap();
        assert!(page(None, "/env").1.contains(&format!("PATH={path}\n")));
        let hosts = fs::read_to_string("/etc/hosts").unwrap();
        assert_eq!(page(None, "/hosts"), (Status::Ok, hosts));
    }

    #[test]
    fn anything_else_is_not_found() {
        let expected = (Status::NotFound, "404 Not Found\n".to_owned());
        assert_eq!(page(None, "/etc/passwd"), expected);
        assert_eq!(page(None, "/env/"), expected);
    }
}
