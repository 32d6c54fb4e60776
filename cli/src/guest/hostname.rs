//! `hostname`: shows what the container is called, and with `-i` its addresses.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::process::ExitCode;

use super::hosts_file;
use super::options::{Grammar, Operands};
use super::program::{Failure, Program, Status, print};
use super::reason::reason;

const PROGRAM: Program = Program {
    name: "hostname",
    usage: "hostname [-i]",
    misuse: 2,
};

const GRAMMAR: Grammar = Grammar {
    flags: "i",
    valued: "",
    operands: Operands::Anywhere,
};

/// Runs `hostname`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

/// The host name of the calling process.
///
/// # Errors
///
/// If the kernel does not tell.
pub fn own_name() -> Result<String, Failure> {
    match nix::unistd::gethostname() {
        Ok(name) => Ok(name.to_string_lossy().into_owned()),
        Err(error) => {
            let error = reason(&io::Error::from(error));
            Err(Failure::new(format!("cannot read the host name: {error}")))
        }
    }
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let parsed = GRAMMAR.parse(arguments)?;
    if let Some(operand) = parsed.operands.first() {
        let operand = operand.to_string_lossy();
        return Err(Failure::Misuse(format!("unexpected `{operand}`")));
    }
    let name = own_name()?;
    let line = if parsed.choices.is_empty() {
        name
    } else {
        own_addresses(&name)?
    };
    print(format!("{line}\n").as_bytes())?;
    Ok(0)
}

fn own_addresses(name: &str) -> Result<String, Failure> {
    let path = hosts_file::PATH;
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read `{path}`: {}", reason(&error))))?;
    let addresses = hosts_file::addresses_of(&text, name);
    if addresses.is_empty() {
        return Err(Failure::new(format!("no address of `{name}` in `{path}`")));
    }
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    Ok(addresses.join(" "))
}
