//! Asking before something is done that cannot be taken back.

use crate::context::print;
use crate::failure::Failure;
use std::io::{BufRead, IsTerminal};

/// What somebody has to answer.
const QUESTION: &str = "Are you sure you want to continue? [y/N] ";

/// Says what will happen and asks whether it shall.
///
/// # Errors
/// When nobody is there who could answer.
pub fn is_wanted(warning: &str) -> Result<bool, Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(
            Failure::new("standard input is not a terminal, so nobody can confirm this")
                .with_hint("use `--force` to go ahead without being asked"),
        );
    }
    print(&format!("WARNING! {warning}\n{QUESTION}"))?;
    let mut answer = String::new();
    input
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        assert!(is_yes("y\n") && is_yes("Y\n") && is_yes("yes"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("n\n") && !is_yes("yikes\n"));
    }
}
