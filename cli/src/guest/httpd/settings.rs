//! What `httpd` was asked to do.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroU16;
use std::path::PathBuf;

use crate::guest::options::{Choice, Grammar, Operands};
use crate::guest::program::Failure;

const GRAMMAR: Grammar = Grammar {
    flags: "",
    valued: "pumh",
    operands: Operands::Anywhere,
};

/// Where HTTP is served when nobody says where.
const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// The arguments of `httpd`, checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where HTTP is served.
    pub tcp_ports: Vec<NonZeroU16>,
    /// Where datagrams are sent back.
    pub udp_ports: Vec<NonZeroU16>,
    /// Whose files are served.
    pub directory: Option<PathBuf>,
    /// What is said below the greeting.
    pub text: Option<String>,
}

impl Settings {
    /// Reads the arguments. Without `-p` it is port 80.
    ///
    /// # Errors
    ///
    /// [`Failure::Misuse`] for unknown options, operands, and ports outside 1 to 65535.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Failure> {
        let parsed = GRAMMAR.parse(arguments)?;
        if let Some(operand) = parsed.operands.first() {
            let operand = operand.to_string_lossy();
            return Err(Failure::Misuse(format!("unexpected `{operand}`")));
        }
        let mut settings = Self {
            tcp_ports: Vec::new(),
            udp_ports: Vec::new(),
            directory: None,
            text: None,
        };
        for choice in parsed.choices {
            match choice {
                Choice::Value('p', port) => settings.tcp_ports.push(parse_port(&port)?),
                Choice::Value('u', port) => settings.udp_ports.push(parse_port(&port)?),
                Choice::Value('h', directory) => settings.directory = Some(directory.into()),
                Choice::Value(_, text) => settings.text = Some(text.to_string_lossy().into_owned()),
                Choice::Flag(_) => {}
            }
        }
        if settings.tcp_ports.is_empty() {
            settings.tcp_ports.push(DEFAULT_PORT);
        }
        Ok(settings)
    }
}

fn parse_port(word: &OsStr) -> Result<NonZeroU16, Failure> {
    word.to_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            let word = word.to_string_lossy();
            Failure::Misuse(format!(
                "invalid port `{word}`; write a number from 1 to 65535"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::options::words;

    fn parse(line: &str) -> Result<Settings, Failure> {
        Settings::parse(&words(line))
    }

    #[test]
    fn port_80_is_served_unless_others_are_named() {
        let ports = |line| -> Vec<u16> {
            let settings = parse(line).unwrap();
            settings.tcp_ports.iter().map(|port| port.get()).collect()
        };
        assert_eq!(ports(""), [80]);
        assert_eq!(ports("-p 22"), [22]);
        assert_eq!(ports("-p 80 -p8080"), [80, 8080]);
        assert_eq!(ports("-u 53"), [80]);
    }

    #[test]
    fn directory_and_text_are_kept_as_they_are() {
        let settings = parse("-h /srv -m hello -u 53").unwrap();
        assert_eq!(settings.directory, Some("/srv".into()));
        assert_eq!(settings.text.as_deref(), Some("hello"));
        assert_eq!(settings.udp_ports.len(), 1);
    }

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        for wrong in ["0", "65536", "http", "-1", "80x"] {
            let arguments = ["-p".into(), wrong.into()];
            assert!(Settings::parse(&arguments).is_err(), "{wrong}");
        }
        assert!(parse("80").is_err());
    }
}
