//! The change `HEALTHCHECK`: options, then `CMD` and a program, or `NONE`.

use std::fmt::Display;
use std::str::FromStr;

use super::change::parse_array;
use crate::health::{HealthCheck, HealthTest};

/// The check that the text means; none for `NONE`.
pub(super) fn parse_health(value: &str) -> Result<Option<HealthCheck>, String> {
    // What is checked comes last, and the options before it have to be kept somewhere.
    let mut check = HealthCheck::of(HealthTest::Program(Vec::new()));
    let mut rest = value;
    let mut has_options = false;
    while rest.starts_with("--") {
        let option;
        (option, rest) = first_word(rest);
        set_option(&mut check, option)?;
        has_options = true;
    }
    let (kind, command) = first_word(rest);
    match (kind.to_ascii_uppercase().as_str(), command) {
        ("NONE", "") if has_options => Err("`NONE` takes no options".to_owned()),
        ("NONE", "") => Ok(None),
        ("NONE", _) => Err("nothing may follow `NONE`".to_owned()),
        ("CMD", "") => Err("`CMD` needs a program behind it".to_owned()),
        ("CMD", command) => {
            check.test = test(command)?;
            Ok(Some(check))
        }
        _ => Err("it must be `CMD` and a program, or `NONE`".to_owned()),
    }
}

fn test(command: &str) -> Result<HealthTest, String> {
    match parse_array(command)? {
        None => Ok(HealthTest::Shell(command.to_owned())),
        Some(words) if words.is_empty() => Err("`CMD` needs a program behind it".to_owned()),
        Some(words) => Ok(HealthTest::Program(words)),
    }
}

fn set_option(check: &mut HealthCheck, option: &str) -> Result<(), String> {
    let Some((name, value)) = option.split_once('=') else {
        return Err(format!("`{option}` needs a value: write `{option}=…`"));
    };
    match name {
        "--interval" => check.interval = parsed(name, value)?,
        "--timeout" => check.timeout = parsed(name, value)?,
        "--start-period" => check.start_period = parsed(name, value)?,
        "--start-interval" => check.start_interval = parsed(name, value)?,
        "--retries" => check.retries = parsed(name, value)?,
        _ => {
            return Err(format!(
                "there is no option `{name}`: use `--interval`, `--timeout`, `--start-period`, `--start-interval` or \
                 `--retries`"
            ));
        }
    }
    Ok(())
}

fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("`{name}`: {error}"))
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace)
        .map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_before_the_program() {
        let text = "--interval=5m --timeout=3s  --start-period=1m --start-interval=1s --retries=2 CMD curl -f x || exit 1";
        let check = parse_health(text).expect("it is understood");
        let expected = HealthCheck {
            test: HealthTest::Shell("curl -f x || exit 1".into()),
            interval: "5m".parse().expect("a time span"),
            timeout: "3s".parse().expect("a time span"),
            start_period: "1m".parse().expect("a time span"),
            start_interval: "1s".parse().expect("a time span"),
            retries: 2,
        };
        assert_eq!(check, Some(expected));
    }

    #[test]
    fn a_program_is_an_array_or_a_line_for_the_shell() {
        let words = ["a", "b c"].map(str::to_owned).to_vec();
        let check = HealthCheck::of(HealthTest::Program(words));
        assert_eq!(parse_health(r#"cmd ["a", "b c"]"#), Ok(Some(check)));
        assert_eq!(parse_health("none"), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in [
            "",
            "true",
            "CMD",
            "CMD []",
            "CMD [\"a\"",
            "NONE true",
            "--interval=5s NONE",
            "--interval=5s",
            "--interval 5s CMD true",
            "--interval=-5s CMD true",
            "--interval=5 CMD true",
            "--retries=-1 CMD true",
            "--patience=5s CMD true",
        ] {
            assert!(parse_health(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in "(--)?(interval|retries)?=?.{0,40}") {
            let _ = parse_health(&text);
        }
    }
}
