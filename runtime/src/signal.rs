//! Signals by the names and numbers people type: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// First real-time signal a program can use: the C library keeps 32 and 33 of the kernel for itself.
const REAL_TIME_FIRST: i32 = 34;
/// Last real-time signal, and the highest signal number there is.
const REAL_TIME_LAST: i32 = 64;
/// Real-time signals from this one on are shown by their distance from the end of the range, the others from its start.
const REAL_TIME_UPPER: i32 = 50;

/// Standard signals with the names they are shown by; synonyms are in [`SYNONYMS`].
const NAMES: [(&str, i32); 31] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("STKFLT", libc::SIGSTKFLT),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("PWR", libc::SIGPWR),
    ("SYS", libc::SIGSYS),
];

/// Second names that are understood but never shown.
const SYNONYMS: [(&str, i32); 3] = [
    ("CLD", libc::SIGCHLD),
    ("IOT", libc::SIGABRT),
    ("POLL", libc::SIGPOLL),
];

/// A signal that a container can be sent, above all the one that asks it to stop. The number is within 1 to 64.
///
/// Serialised as its name, as images and `inspect` write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StopSignal(i32);

/// Why a word is not a signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// The word is neither a known name nor a number.
    #[error("unknown signal `{0}`: write a name such as `SIGTERM` or a number from 1 to 64")]
    Unknown(String),
    /// The number is not one the kernel has.
    #[error("signal number `{0}` is out of range: the kernel has signals 1 to 64")]
    OutOfRange(String),
}

impl StopSignal {
    /// What a container is stopped with when neither the image nor the user says otherwise.
    pub const TERMINATE: StopSignal = StopSignal(libc::SIGTERM);
    /// The signal that no process can ignore.
    pub const KILL: StopSignal = StopSignal(libc::SIGKILL);

    /// The kernel's number, 1 to 64.
    pub fn number(self) -> i32 {
        self.0
    }
}

impl Default for StopSignal {
    fn default() -> Self {
        StopSignal::TERMINATE
    }
}

impl FromStr for StopSignal {
    type Err = SignalError;

    fn from_str(word: &str) -> Result<Self, SignalError> {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return match word.parse() {
                Ok(number @ 1..=REAL_TIME_LAST) => Ok(StopSignal(number)),
                _ => Err(SignalError::OutOfRange(word.to_owned())),
            };
        }
        let upper = word.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        NAMES
            .iter()
            .chain(&SYNONYMS)
            .find(|(known, _)| *known == name)
            .map(|(_, number)| *number)
            .or_else(|| real_time(name))
            .map(StopSignal)
            .ok_or_else(|| SignalError::Unknown(word.to_owned()))
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            REAL_TIME_FIRST => write!(formatter, "SIGRTMIN"),
            REAL_TIME_LAST => write!(formatter, "SIGRTMAX"),
            number @ REAL_TIME_FIRST..REAL_TIME_UPPER => {
                write!(formatter, "SIGRTMIN+{}", number - REAL_TIME_FIRST)
            }
            number @ REAL_TIME_UPPER..REAL_TIME_LAST => {
                write!(formatter, "SIGRTMAX-{}", REAL_TIME_LAST - number)
            }
            number => match NAMES.iter().find(|(_, known)| *known == number) {
                Some((name, _)) => write!(formatter, "SIG{name}"),
                None => write!(formatter, "{number}"),
            },
        }
    }
}

impl TryFrom<String> for StopSignal {
    type Error = SignalError;

    fn try_from(word: String) -> Result<Self, SignalError> {
        word.parse()
    }
}

impl From<StopSignal> for String {
    fn from(signal: StopSignal) -> String {
        signal.to_string()
    }
}

/// Reads `RTMIN`, `RTMIN+3`, `RTMAX` and `RTMAX-3`.
fn real_time(name: &str) -> Option<i32> {
    let (base, offset) = if let Some(rest) = name.strip_prefix("RTMIN") {
        (REAL_TIME_FIRST, offset_after(rest, '+')?)
    } else {
        (
            REAL_TIME_LAST,
            -offset_after(name.strip_prefix("RTMAX")?, '-')?,
        )
    };
    let number = base + offset;
    (REAL_TIME_FIRST..=REAL_TIME_LAST)
        .contains(&number)
        .then_some(number)
}

/// The distance written behind a real-time name: nothing is 0, `+3` is 3. Signs and lengths a number type would
/// quietly accept are refused.
fn offset_after(rest: &str, sign: char) -> Option<i32> {
    if rest.is_empty() {
        return Some(0);
    }
    let digits = rest.strip_prefix(sign)?;
    let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(word: &str) -> i32 {
        word.parse::<StopSignal>().unwrap().number()
    }

    #[test]
    fn a_signal_is_read_with_and_without_its_prefix_in_any_case_and_as_a_number() {
        for word in ["SIGTERM", "TERM", "sigterm", "Term", "15"] {
            assert_eq!(number(word), 15, "{word}");
        }
        assert_eq!(number("IOT"), 6);
        assert_eq!(number("SIGPOLL"), number("SIGIO"));
    }

    #[test]
    fn real_time_signals_count_from_both_ends() {
        assert_eq!(number("SIGRTMIN"), 34);
        assert_eq!(number("SIGRTMIN+3"), 37);
        assert_eq!(number("rtmax-1"), 63);
        assert_eq!(number("RTMIN+30"), number("RTMAX"));
    }

    #[test]
    fn what_is_no_signal_is_refused_with_the_word_in_the_message() {
        for word in [
            "",
            "SIG",
            "0",
            "65",
            "99999999999",
            "-9",
            "+9",
            "TERMINATE",
            "RTMIN-1",
            "RTMIN+31",
            "RTMAX+1",
            "RTMIN++1",
            "RTMIN+",
            "SIGSIGTERM",
        ] {
            let error = word.parse::<StopSignal>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{word}`")), "{error}");
        }
    }

    #[test]
    fn every_signal_is_shown_in_a_form_that_reads_back() {
        for signal in (1..=64).map(StopSignal) {
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
        assert_eq!(StopSignal::default().to_string(), "SIGTERM");
        assert_eq!(StopSignal(37).to_string(), "SIGRTMIN+3");
        assert_eq!(StopSignal(32).to_string(), "32");
    }

    #[test]
    fn a_signal_is_saved_as_its_name() {
        let text = serde_json::to_string(&StopSignal::KILL).unwrap();
        assert_eq!(text, "\"SIGKILL\"");
        assert_eq!(
            serde_json::from_str::<StopSignal>("\"quit\"").unwrap(),
            StopSignal(libc::SIGQUIT)
        );
        assert!(serde_json::from_str::<StopSignal>("\"nonsense\"").is_err());
    }
}
