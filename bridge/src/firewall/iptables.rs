//! The acting half of the iptables driver: reading through the `iptables` crate, writing through `iptables-restore`.
//!
//! Writing is one process for each change, whatever the number of rules (three to four milliseconds; see
//! `iptables-restore(8)`). Reading costs a process a question, so it happens only when our chains are made or mended.

use super::FirewallError;
use super::egress_rules::{input_jump, is_egress_chain};
use super::render::{Present, USER_CHAIN, jumps};
use super::rule::{Chain, Rule, Table, Transaction, program};
use crate::network::Family;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Applies a transaction with `iptables-restore --noflush` and its counterpart for IPv6, waiting for other users of the lock.
pub(super) fn restore(transaction: &Transaction) -> Result<(), FirewallError> {
    for (family, program) in [
        (Family::Ipv4, "iptables-restore"),
        (Family::Ipv6, "ip6tables-restore"),
    ] {
        if !transaction.is_empty_of(family) {
            run(program, &transaction.restore_input(family))?;
        }
    }
    Ok(())
}

fn run(program: &'static str, input: &str) -> Result<(), FirewallError> {
    let spawn_error = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FirewallError::ProgramMissing { program },
        _ => FirewallError::Spawn { program, error },
    };
    let mut child = Command::new(program)
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
        program,
        message: explain_refusal(input, &String::from_utf8_lossy(&output.stderr)),
    })
}

/// What the host has of what leads to our chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether the administrator's chain exists.
    pub(super) user_chain: bool,
    /// Those of our jumps that are missing.
    pub(super) missing_jumps: Vec<Rule>,
    /// The chains that were made for egress.
    pub(super) egress_chains: Vec<Chain>,
    /// Whether `INPUT` leads to them.
    pub(super) input_jump: bool,
}

impl Found {
    /// The same, as what renders rules takes it.
    pub(super) fn present(self, family: Family) -> Present {
        Present {
            missing_jumps: self.missing_jumps,
            egress_chains: self.egress_chains,
            input_jumps: self.input_jump.then_some(family).into_iter().collect(),
        }
    }
}

/// Looks at the host's rules of one family.
pub(super) fn look(family: Family) -> Result<Found, FirewallError> {
    let iptables = reader(family)?;
    let chains = iptables.list_chains("filter").map_err(read_error)?;
    let is_missing = |rule: &Rule| {
        // `iptables -C` fails, too, when the chain that the rule jumps to does not exist yet.
        !iptables
            .exists(&rule.table.to_string(), &rule.chain, &rule.specification)
            .unwrap_or(false)
    };
    let egress_chains: Vec<Chain> = chains
        .iter()
        .filter(|name| is_egress_chain(name))
        .map(|name| Chain {
            family,
            table: Table::Filter,
            name: name.clone().into(),
        })
        .collect();
    Ok(Found {
        user_chain: chains.iter().any(|chain| chain == USER_CHAIN),
        missing_jumps: jumps(family).into_iter().filter(is_missing).collect(),
        // Only where there is such a chain can anything lead to it.
        input_jump: !egress_chains.is_empty() && !is_missing(&input_jump(family)),
        egress_chains,
    })
}

/// The crate's own constructor would ask the program for its version each time; every version since 2013 can check and wait.
/// Without `-n`, listing a chain asks the DNS about every address in it.
fn reader(family: Family) -> Result<iptables::IPTables, FirewallError> {
    Ok(iptables::IPTables {
        cmd: find(family)?,
        has_check: true,
        has_wait: true,
        is_numeric: true,
    })
}

/// The program, in the caller's search path or where distributions keep it, which root's path may lack.
fn find(family: Family) -> Result<&'static str, FirewallError> {
    let name = program(family);
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|directory| directory.join(name).is_file()) {
        return Ok(name);
    }
    let usual = match family {
        Family::Ipv4 => ["/usr/sbin/iptables", "/sbin/iptables"],
        Family::Ipv6 => ["/usr/sbin/ip6tables", "/sbin/ip6tables"],
    };
    usual
        .into_iter()
        .find(|path| Path::new(path).is_file())
        .ok_or(FirewallError::ProgramMissing { program: name })
}

/// Whether the program is there.
pub(super) fn is_installed() -> bool {
    find(Family::Ipv4).is_ok()
}

/// Whether the program makes rules of nf_tables: its version says so, `iptables v1.8.9 (nf_tables)`.
pub(super) fn uses_nf_tables() -> bool {
    let version = find(Family::Ipv4)
        .ok()
        .and_then(|program| Command::new(program).arg("-V").output().ok());
    version.is_some_and(|output| String::from_utf8_lossy(&output.stdout).contains("nf_tables"))
}

fn read_error(error: Box<dyn std::error::Error>) -> FirewallError {
    FirewallError::Read {
        message: error.to_string().trim().to_string(),
    }
}

/// The caller's search path, and the places where distributions keep the program, which root's path may lack.
pub(super) fn search_path() -> String {
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
