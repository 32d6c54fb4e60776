//! Where a document is: `http://host[:port]/path`.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// The port of HTTP.
const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// An address of a document, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// A name or an address, an IPv6 address without its brackets.
    pub host: String,
    /// The port, 80 if none was given.
    pub port: NonZeroU16,
    /// Path and query as they are sent; begins with `/`.
    pub target: String,
}

/// Why a text is no URL for this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlError {
    /// It asks for encryption.
    Encrypted,
    /// It names a protocol other than HTTP.
    Protocol(String),
    /// It holds a name and password.
    Credentials,
    /// The host is missing or has characters that no host has.
    Host(String),
    /// The port is no number from 1 to 65535.
    Port(String),
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(UrlError::Encrypted);
            }
            Some((scheme, _)) => return Err(UrlError::Protocol(scheme.to_owned())),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            host,
            port,
            target: encode_target(target),
        })
    }
}

impl Url {
    /// The last part of the path, by which a document is saved.
    pub fn file_name(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        match path.rsplit('/').next() {
            None | Some("" | "." | "..") => "index.html",
            Some(name) => name,
        }
    }

    /// Host and port as the `Host` field wants them: the port only when it is not the usual one.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            DEFAULT_PORT => host,
            port => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority(), self.target)
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted => {
                formatter.write_str("https is not spoken by this wget; write `http://`")
            }
            Self::Protocol(scheme) => {
                write!(
                    formatter,
                    "`{scheme}` is not spoken by this wget; write `http://`"
                )
            }
            Self::Credentials => {
                formatter.write_str("this wget logs in nowhere; leave out what is before the `@`")
            }
            Self::Host(host) => write!(formatter, "invalid host `{host}`"),
            Self::Port(port) => {
                write!(
                    formatter,
                    "invalid port `{port}`; write a number from 1 to 65535"
                )
            }
        }
    }
}

fn split_authority(authority: &str) -> Result<(String, NonZeroU16), UrlError> {
    let wrong = || UrlError::Host(authority.to_owned());
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(wrong)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_bracketed = authority.starts_with('[');
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '.' | '-' | '_')
            || is_bracketed && character == ':'
    };
    if host.is_empty() || !host.chars().all(is_allowed) {
        return Err(wrong());
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => DEFAULT_PORT,
        None => return Err(wrong()),
        Some("") => DEFAULT_PORT,
        Some(digits) => digits
            .parse()
            .map_err(|_| UrlError::Port(digits.to_owned()))?,
    };
    Ok((host.to_owned(), port))
}

/// What goes into the request line: no fragment, and every byte that could end the line or the word written as `%0A`.
fn encode_target(target: &str) -> String {
    let target = target.split('#').next().unwrap_or_default();
    let mut encoded = String::with_capacity(target.len() + 1);
    if !target.starts_with('/') {
        encoded.push('/');
    }
    for byte in target.bytes() {
        match byte {
            b'!'..=b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (String, u16, String) {
        let url: Url = text.parse().unwrap();
        (url.host, url.port.get(), url.target)
    }

    fn expected(host: &str, port: u16, target: &str) -> (String, u16, String) {
        (host.to_owned(), port, target.to_owned())
    }

    #[test]
    fn port_path_and_even_the_protocol_may_be_left_out() {
        assert_eq!(parts("http://web/"), expected("web", 80, "/"));
        assert_eq!(parts("http://web"), expected("web", 80, "/"));
        assert_eq!(parts("web:8080/env"), expected("web", 8080, "/env"));
        assert_eq!(parts("HTTP://web:/a?b=c#d"), expected("web", 80, "/a?b=c"));
        assert_eq!(parts("web?b"), expected("web", 80, "/?b"));
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(parts("http://[::1]:81/"), expected("::1", 81, "/"));
        let url: Url = "http://[::1]:81/a".parse().unwrap();
        assert_eq!(url.to_string(), "http://[::1]:81/a");
    }

    #[test]
    fn nothing_in_a_path_ends_the_request_line() {
        assert_eq!(parts("web/a b\r\nHost: c").2, "/a%20b%0D%0AHost:%20c");
        assert_eq!(parts("web/ü").2, "/%C3%BC");
    }

    #[test]
    fn a_document_is_saved_by_the_last_part_of_its_path() {
        let name = |text: &str| text.parse::<Url>().unwrap().file_name().to_owned();
        assert_eq!(name("web/a/b.txt?c/d"), "b.txt");
        assert_eq!(name("web/a/"), "index.html");
        assert_eq!(name("web"), "index.html");
        assert_eq!(name("web/.."), "index.html");
    }

    #[test]
    fn what_this_program_does_not_speak_is_refused() {
        let refusal = |text: &str| text.parse::<Url>().unwrap_err();
        assert_eq!(refusal("https://web/"), UrlError::Encrypted);
        assert_eq!(refusal("ftp://web/"), UrlError::Protocol("ftp".into()));
        assert_eq!(refusal("http://me:word@web/"), UrlError::Credentials);
        assert_eq!(refusal("http:///path"), UrlError::Host(String::new()));
        assert_eq!(refusal("http://we b/"), UrlError::Host("we b".into()));
        assert_eq!(refusal("http://[::1/"), UrlError::Host("[::1".into()));
        assert_eq!(refusal("http://web:0/"), UrlError::Port("0".into()));
        assert_eq!(refusal("http://web:x/"), UrlError::Port("x".into()));
    }

    proptest! {
        #[test]
        fn a_url_survives_display_and_parse(text in any::<String>()) {
            if let Ok(url) = text.parse::<Url>() {
                prop_assert_eq!(url.to_string().parse::<Url>(), Ok(url.clone()));
                prop_assert!(url.target.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
