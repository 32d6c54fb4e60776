//! `sleep`: waits.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use super::options::{Grammar, Operands};
use super::program::{Failure, Program, Status};
use super::signals;

const PROGRAM: Program = Program {
    name: "sleep",
    usage: "sleep NUMBER[s|m|h|d]... | infinity",
    misuse: 2,
};

const GRAMMAR: Grammar = Grammar {
    flags: "",
    valued: "",
    operands: Operands::Anywhere,
};

/// Runs `sleep`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let times = GRAMMAR.parse(arguments)?.operands;
    if times.is_empty() {
        return Err(Failure::Misuse("say how long".to_owned()));
    }
    let total = times.iter().try_fold(Duration::ZERO, |total, time| {
        Ok(total.saturating_add(parse_time(time)?))
    })?;
    signals::end_when_asked()?;
    thread::sleep(total);
    Ok(0)
}

/// A time such as `5`, `0.5`, `2m` or `infinity`, the last being longer than any machine runs.
fn parse_time(word: &OsStr) -> Result<Duration, Failure> {
    let invalid = || Failure::Misuse(format!("invalid time `{}`", word.to_string_lossy()));
    let text = word.to_str().ok_or_else(invalid)?;
    if text == "infinity" || text == "inf" {
        return Ok(Duration::MAX);
    }
    let (number, seconds_each) = match text.char_indices().next_back() {
        Some((end, 's')) => (&text[..end], 1.0),
        Some((end, 'm')) => (&text[..end], 60.0),
        Some((end, 'h')) => (&text[..end], 3_600.0),
        Some((end, 'd')) => (&text[..end], 86_400.0),
        _ => (text, 1.0),
    };
    if !number.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Err(invalid());
    }
    let number: f64 = number.parse().map_err(|_| invalid())?;
    Ok(Duration::try_from_secs_f64(number * seconds_each).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Duration {
        parse_time(OsStr::new(text)).unwrap()
    }

    #[test]
    fn a_time_is_a_number_with_a_unit_of_seconds_to_days() {
        assert_eq!(time("0"), Duration::ZERO);
        assert_eq!(time("5"), Duration::from_secs(5));
        assert_eq!(time("0.25"), Duration::from_millis(250));
        assert_eq!(time(".5s"), Duration::from_millis(500));
        assert_eq!(time("1.5m"), Duration::from_secs(90));
        assert_eq!(time("2h"), Duration::from_secs(7_200));
        assert_eq!(time("1d"), Duration::from_secs(86_400));
    }

    #[test]
    fn infinity_and_what_is_beyond_counting_are_for_ever() {
        assert_eq!(time("infinity"), Duration::MAX);
        assert_eq!(time("1e30"), Duration::MAX);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in ["", "s", "-1", "+1", "5x", "1 ", "nan", "1mm", "é"] {
            assert!(parse_time(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
