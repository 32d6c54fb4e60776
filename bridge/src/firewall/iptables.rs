//! The acting half of the iptables driver: reading through the `iptables` crate, writing through `iptables-restore`.
//!
//! Writing is one process for each change, whatever the number of rules (three to four milliseconds; see
//! `iptables-restore(8)`). Reading costs a process a question, so it happens only when our chains are made or mended.

use super::FirewallError;
use super::render::{USER_CHAIN, jumps};
use super::rule::{Rule, Transaction};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const RESTORE: &str = "iptables-restore";

/// Applies a transaction with `iptables-restore --noflush`, waiting for other users of the lock.
pub(super) fn restore(transaction: &Transaction) -> Result<(), FirewallError> {
    let input = transaction.restore_input();
    let spawn_error = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FirewallError::ProgramMissing,
        _ => FirewallError::Spawn {
            program: RESTORE,
            error,
        },
    };
    let mut child = Command::new(RESTORE)
        .args(["--noflush", "--wait"])
        .env("PATH", search_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(spawn_error)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that stops reading has an error to tell; that error is the one worth reporting.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(spawn_error)?;
    if output.status.success() {
        return Ok(());
    }
    Err(FirewallError::Refused {
        program: RESTORE,
        message: explain_refusal(&input, &String::from_utf8_lossy(&output.stderr)),
    })
}

/// What the host has of what leads to our chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether the administrator's chain exists.
    pub(super) user_chain: bool,
    /// Those of our jumps that are missing.
    pub(super) missing_jumps: Vec<Rule>,
}

/// Looks at the host's rules.
pub(super) fn look() -> Result<Found, FirewallError> {
    let iptables = reader()?;
    let user_chain = iptables
        .chain_exists("filter", USER_CHAIN)
        .map_err(read_error)?;
    let is_missing = |rule: &Rule| {
        // `iptables -C` fails, too, when the chain that the rule jumps to does not exist yet.
        !iptables
            .exists(&rule.table.to_string(), rule.chain, &rule.specification)
            .unwrap_or(false)
    };
    Ok(Found {
        user_chain,
        missing_jumps: jumps().into_iter().filter(is_missing).collect(),
    })
}

/// The crate's own constructor would ask the program for its version each time; every version since 2013 can check and wait.
/// Without `-n`, listing a chain asks the DNS about every address in it.
fn reader() -> Result<iptables::IPTables, FirewallError> {
    Ok(iptables::IPTables {
        cmd: program()?,
        has_check: true,
        has_wait: true,
        is_numeric: true,
    })
}

/// The program, in the caller's search path or where distributions keep it, which root's path may lack.
fn program() -> Result<&'static str, FirewallError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|directory| directory.join("iptables").is_file()) {
        return Ok("iptables");
    }
    ["/usr/sbin/iptables", "/sbin/iptables"]
        .into_iter()
        .find(|program| Path::new(program).is_file())
        .ok_or(FirewallError::ProgramMissing)
}

fn read_error(error: Box<dyn std::error::Error>) -> FirewallError {
    FirewallError::Read {
        message: error.to_string().trim().to_string(),
    }
}

/// The caller's search path, and the places where distributions keep the program, which root's path may lack.
fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// The program's message, with the text of the line that it names by number.
fn explain_refusal(input: &str, message: &str) -> String {
    let message = message.lines().next().unwrap_or("no message").trim();
    let line = message
        .split("line ")
        .nth(1)
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| input.lines().nth(number.checked_sub(1)?));
    match line {
        Some(line) => format!("{message} (`{line}`)"),
        None => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_the_line_it_is_about() {
        let message = explain_refusal(
            "*filter\n-A NOPE -j ACCEPT\nCOMMIT\n",
            "iptables-restore: line 2 failed: No chain/target/match by that name.\n",
        );
        assert_eq!(
            message,
            "iptables-restore: line 2 failed: No chain/target/match by that name. (`-A NOPE -j ACCEPT`)"
        );
    }
}
