//! The head of an HTTP/1 message: the part that requests and answers share (RFC 9112, sections 2 to 5).

use std::io::{self, BufRead, Read};

/// The longest head that is read, in bytes. Whoever sends more is not waited for.
pub const LONGEST_HEAD: usize = 16 * 1024;

/// A start line and the fields below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The request or status line, without its line end.
    pub start_line: String,
    /// Names and values in order, values without blanks around them.
    pub fields: Vec<(String, String)>,
}

/// Why a head could not be read.
#[derive(Debug)]
pub enum HeadError {
    /// The other side could not be read from.
    Read(io::Error),
    /// It closed the connection in the middle of a head.
    Truncated,
    /// It sent more than [`LONGEST_HEAD`].
    TooLong,
    /// It sent something else than HTTP.
    Malformed,
}

/// Reads the next head, or nothing if the connection was closed before one began.
///
/// # Errors
///
/// If the connection breaks, or what comes is no head of at most [`LONGEST_HEAD`] bytes.
pub fn read_head(reader: &mut impl BufRead) -> Result<Option<Head>, HeadError> {
    let mut room = LONGEST_HEAD;
    let start_line = loop {
        match read_line(reader, &mut room)? {
            None if room == LONGEST_HEAD => return Ok(None),
            None => return Err(HeadError::Truncated),
            // Empty lines before a request are to be passed over (section 2.2).
            Some(line) if line.is_empty() => {}
            Some(line) => break line,
        }
    };
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader, &mut room)?.ok_or(HeadError::Truncated)?;
        if line.is_empty() {
            return Ok(Some(Head { start_line, fields }));
        }
        fields.push(parse_field(&line).ok_or(HeadError::Malformed)?);
    }
}

impl Head {
    /// The value of the first field of this name, in whatever case it was written.
    pub fn field(&self, name: &str) -> Option<&str> {
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .find_map(|(known, value)| is_it(known).then_some(value.as_str()))
    }

    /// Whether `word` is one of the words, separated by commas, in the fields of this name.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.fields
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .any(|known| known.trim().eq_ignore_ascii_case(word))
    }
}

/// Reads to the next line end, which is left out; `room` shrinks by what was read. Nothing at the end of the connection.
pub fn read_line(reader: &mut impl BufRead, room: &mut usize) -> Result<Option<String>, HeadError> {
    let mut line = Vec::new();
    let mut limited = reader.by_ref().take(*room as u64);
    let count = limited
        .read_until(b'\n', &mut line)
        .map_err(HeadError::Read)?;
    *room -= count;
    if line.pop_if(|byte| *byte == b'\n').is_none() {
        return match count {
            _ if *room == 0 => Err(HeadError::TooLong),
            0 => Ok(None),
            _ => Err(HeadError::Truncated),
        };
    }
    line.pop_if(|byte| *byte == b'\r');
    // Control characters have no place in a head, and would reach logs and terminals.
    if line
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return Err(HeadError::Malformed);
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// A name without blanks, a colon, a value. Lines that continue the one before are no longer allowed (section 5.2).
fn parse_field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && !name.contains([' ', '\t']);
    is_name.then(|| (name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<Head>, HeadError> {
        read_head(&mut text.as_bytes())
    }

    #[test]
    fn a_head_is_a_start_line_and_fields_up_to_an_empty_line() {
        let mut input = b"\r\nGET / HTTP/1.1\r\nHost: web\r\nAccept:*/*\n\r\nrest".as_slice();
        let head = read_head(&mut input).unwrap().unwrap();
        assert_eq!(head.start_line, "GET / HTTP/1.1");
        assert_eq!(head.field("HOST"), Some("web"));
        assert_eq!(head.field("accept"), Some("*/*"));
        assert_eq!(head.field("cookie"), None);
        assert_eq!(input, b"rest");
    }

    #[test]
    fn a_field_may_list_words_and_come_twice() {
        let text = "GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nConnection: CLOSE\r\n\r\n";
        let head = read(text).unwrap().unwrap();
        assert!(head.lists("connection", "upgrade"));
        assert!(head.lists("connection", "close"));
        assert!(!head.lists("connection", "keep"));
    }

    #[test]
    fn a_connection_may_end_before_a_head_but_not_within() {
        assert!(matches!(read(""), Ok(None)));
        assert!(matches!(read("GET / HT"), Err(HeadError::Truncated)));
        assert!(matches!(read("\r\n"), Err(HeadError::Truncated)));
        let text = "GET / HTTP/1.1\r\nHost: web\r\n";
        assert!(matches!(read(text), Err(HeadError::Truncated)));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for text in [
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\n: value\r\n\r\n",
            "GET / HTTP/1.1\r\nName : value\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n continued: c\r\n\r\n",
            "GET /\x1b[2J HTTP/1.1\r\n\r\n",
        ] {
            assert!(matches!(read(text), Err(HeadError::Malformed)), "{text:?}");
        }
    }

    #[test]
    fn an_endless_head_is_not_waited_for() {
        let mut one_line = io::repeat(b'a');
        let mut many_lines =
            io::BufReader::new(io::Read::chain(&b"GET / HTTP/1.1\r\n"[..], Fields));
        assert!(matches!(
            read_head(&mut io::BufReader::new(&mut one_line)),
            Err(HeadError::TooLong)
        ));
        assert!(matches!(
            read_head(&mut many_lines),
            Err(HeadError::TooLong)
        ));
    }

    /// Fields without end, one in each read.
    struct Fields;

    impl Read for Fields {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let field = b"A: b\r\n";
            buffer[..field.len()].copy_from_slice(field);
            Ok(field.len())
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            if let Ok(Some(head)) = read_head(&mut bytes.as_slice()) {
                prop_assert!(!head.start_line.chars().any(|character| character.is_ascii_control() && character != '\t'));
            }
        }
    }
}
