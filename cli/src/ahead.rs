//! What is begun before the command line is understood, which takes about half as long as a network namespace takes the kernel.

use crate::profiles::command_length;
use minirun_runtime::forerunner::Forerunner;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Words that say, or may say, that no network namespace of the container's own will be needed.
const WITHOUT: [&[u8]; 3] = [b"--net", b"--userns", b"--help"];

/// Sends a forerunner, if the words are most likely an order to run a container that needs one. What it makes is gone if nobody takes it
/// over, so a wrong guess costs nothing but its work.
pub fn send_forerunner(words: &[OsString]) -> Option<Forerunner> {
    needs_one(words).then(Forerunner::send).flatten()
}

fn needs_one(words: &[OsString]) -> bool {
    let (command, rest) = words.split_at(command_length(words));
    let is_run = command.len() > 1 && command.last().is_some_and(|word| word == "run");
    let mut rest = rest.iter().map(|word| word.as_bytes());
    is_run && !rest.any(|word| WITHOUT.iter().any(|beginning| word.starts_with(beginning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> bool {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        needs_one(&words)
    }

    #[test]
    fn a_container_that_is_run_needs_a_namespace() {
        assert!(needs("minirun run demo true"));
        assert!(needs("minirun --root /tmp/x --state=/tmp/y run -d demo"));
        assert!(needs("minirun container run demo"));
    }

    #[test]
    fn what_is_not_run_or_may_have_none_of_its_own_waits_until_that_is_known() {
        for words in [
            "minirun",
            "run",
            "minirun ps",
            "minirun exec web run",
            "minirun container ls run",
            "minirun run --network host demo",
            "minirun run --net=host demo",
            "minirun run --userns auto demo",
            "minirun run --help",
        ] {
            assert!(!needs(words), "{words}");
        }
    }
}
