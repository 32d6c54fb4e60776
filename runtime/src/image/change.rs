//! Changes to an image's configuration as `import --change` takes them: a few words of the Dockerfile language.

use std::path::Path;
use std::str::FromStr;

use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::port::{ExposedPort, parse_expose};

use super::config::ImageConfig;
use super::health_change::parse_health;
use crate::health::HealthCheck;
use crate::signal::StopSignal;
use crate::storage::{Destination, DestinationProblem};

/// One change to an image's configuration, parsed from `ENV A=b` and its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `ENV A=b C="d e"` or `ENV A the rest`.
    Environment(Vec<EnvironmentVariable>),
    /// `EXPOSE 80 443/udp 3000-3003`.
    Expose(Vec<ExposedPort>),
    /// `CMD ["a", "b"]`, or a line for `/bin/sh -c`.
    Command(Vec<String>),
    /// `ENTRYPOINT ["a", "b"]`, or a line for `/bin/sh -c`.
    Entrypoint(Vec<String>),
    /// `WORKDIR /srv`; a relative path continues the one before.
    WorkingDirectory(String),
    /// `USER name[:group]`.
    User(String),
    /// `LABEL key=value other="two words"` or `LABEL key the rest`.
    Labels(Vec<(String, String)>),
    /// `STOPSIGNAL SIGQUIT`.
    StopSignal(StopSignal),
    /// `HEALTHCHECK --interval=10s CMD ["a", "b"]`, or a line for `/bin/sh -c`; `HEALTHCHECK NONE`.
    Health(Option<HealthCheck>),
    /// `VOLUME /data /logs`, or a JSON array.
    Volumes(Vec<Destination>),
}

/// A change that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The text is empty.
    #[error(
        "an empty change says nothing; one is a keyword and what follows it, as in `EXPOSE 80`"
    )]
    Empty,
    /// The first word is none of the nine.
    #[error(
        "`{keyword}` cannot be changed; ENV, EXPOSE, CMD, ENTRYPOINT, WORKDIR, USER, LABEL, STOPSIGNAL, HEALTHCHECK and VOLUME can"
    )]
    Keyword {
        /// The word as typed.
        keyword: String,
    },
    /// Nothing follows the keyword.
    #[error("`{keyword}` needs something behind it")]
    Missing {
        /// The word as typed.
        keyword: String,
    },
    /// What follows the keyword is wrong.
    #[error("`{keyword} {value}` cannot be read: {reason}")]
    Value {
        /// The word as typed.
        keyword: String,
        /// What follows it, as typed.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl FromStr for Change {
    type Err = ChangeError;

    fn from_str(text: &str) -> Result<Self, ChangeError> {
        let text = text.trim();
        let (keyword, value) = text
            .split_once(char::is_whitespace)
            .map_or((text, ""), |(keyword, value)| (keyword, value.trim()));
        if keyword.is_empty() {
            return Err(ChangeError::Empty);
        }
        let parse =
            parser_of(&keyword.to_ascii_uppercase()).ok_or_else(|| ChangeError::Keyword {
                keyword: keyword.to_owned(),
            })?;
        if value.is_empty() {
            return Err(ChangeError::Missing {
                keyword: keyword.to_owned(),
            });
        }
        parse(value).map_err(|reason| ChangeError::Value {
            keyword: keyword.to_owned(),
            value: value.to_owned(),
            reason,
        })
    }
}

/// Makes changes to a configuration, first to last.
pub fn apply(config: &mut ImageConfig, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Environment(variables) => set_variables(&mut config.environment, variables),
            Change::Expose(ports) => config.exposed.extend(ports.iter().copied()),
            Change::Command(words) => config.command.clone_from(words),
            Change::Entrypoint(words) => config.entrypoint.clone_from(words),
            Change::WorkingDirectory(path) => {
                let before = Path::new("/").join(&config.working_directory);
                config.working_directory = before.join(path).to_string_lossy().into_owned();
            }
            Change::User(user) => config.user.clone_from(user),
            Change::Labels(labels) => config.labels.extend(labels.iter().cloned()),
            Change::StopSignal(signal) => config.stop_signal = Some(*signal),
            Change::Health(check) => config.health.clone_from(check),
            Change::Volumes(volumes) => config.volumes.extend(volumes.iter().cloned()),
        }
    }
}

/// A later value replaces an earlier one in its place, so that no name stands twice.
fn set_variables(environment: &mut Vec<EnvironmentVariable>, variables: &[EnvironmentVariable]) {
    for variable in variables {
        match environment.iter_mut().find(|old| old.name == variable.name) {
            Some(old) => old.value.clone_from(&variable.value),
            None => environment.push(variable.clone()),
        }
    }
}

type Parser = fn(&str) -> Result<Change, String>;

fn parser_of(keyword: &str) -> Option<Parser> {
    Some(match keyword {
        "ENV" => parse_environment,
        "EXPOSE" => parse_ports,
        "CMD" => |value| parse_program(value).map(Change::Command),
        "ENTRYPOINT" => |value| parse_program(value).map(Change::Entrypoint),
        "WORKDIR" => |value| one_word(value).map(Change::WorkingDirectory),
        "USER" => |value| one_word(value).map(Change::User),
        "LABEL" => |value| parse_pairs(value).map(Change::Labels),
        "STOPSIGNAL" => parse_signal,
        "HEALTHCHECK" => |value| parse_health(value).map(Change::Health),
        "VOLUME" => parse_volumes,
        _ => return None,
    })
}

fn parse_environment(value: &str) -> Result<Change, String> {
    parse_pairs(value)?
        .into_iter()
        .map(|(name, value)| {
            let variable: EnvironmentVariable = format!("{name}={value}")
                .parse()
                .map_err(|error| format!("{error}"))?;
            Ok(variable)
        })
        .collect::<Result<_, String>>()
        .map(Change::Environment)
}

fn parse_ports(value: &str) -> Result<Change, String> {
    let mut ports = Vec::new();
    for word in value.split_whitespace() {
        ports.extend(parse_expose(word).map_err(|error| error.to_string())?);
    }
    Ok(Change::Expose(ports))
}

fn parse_signal(value: &str) -> Result<Change, String> {
    value
        .parse()
        .map(Change::StopSignal)
        .map_err(|error| format!("{error}"))
}

/// A JSON array of paths, or paths between blanks.
fn parse_volumes(value: &str) -> Result<Change, String> {
    let paths = match value.starts_with('[') {
        true => serde_json::from_str::<Vec<String>>(value)
            .map_err(|error| format!("it is not a JSON array of strings: {error}"))?,
        false => split_words(value)?,
    };
    paths
        .iter()
        .map(|path| {
            path.parse()
                .map_err(|problem: DestinationProblem| problem.to_string())
        })
        .collect::<Result<_, String>>()
        .map(Change::Volumes)
}

/// A JSON array of strings, or a line for the shell. `[ -f x ] && y` is a line for the shell, `["x"` is a mistake.
fn parse_program(value: &str) -> Result<Vec<String>, String> {
    let shell = || vec!["/bin/sh".to_owned(), "-c".to_owned(), value.to_owned()];
    Ok(parse_array(value)?.unwrap_or_else(shell))
}

/// A JSON array of strings; nothing if it is a line for the shell. `[ -f x ] && y` is a line for the shell, `["x"` is a
/// mistake.
pub(super) fn parse_array(value: &str) -> Result<Option<Vec<String>>, String> {
    let is_array = value
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start().starts_with(['"', ']']));
    if !is_array {
        return Ok(None);
    }
    serde_json::from_str(value)
        .map(Some)
        .map_err(|error| format!("it is not a JSON array of strings: {error}"))
}

fn one_word(value: &str) -> Result<String, String> {
    let mut words = split_words(value)?;
    match (words.pop(), words.is_empty()) {
        (Some(word), true) if !word.is_empty() => Ok(word),
        _ => Err("it takes exactly one word".to_owned()),
    }
}

/// `a=b c="d e"`, or `a the rest` where the first word has no `=`.
fn parse_pairs(value: &str) -> Result<Vec<(String, String)>, String> {
    let words = split_words(value)?;
    if words.first().is_some_and(|word| !word.contains('=')) {
        return match value.split_once(char::is_whitespace) {
            Some((name, rest)) => Ok(vec![(name.to_owned(), rest.trim().to_owned())]),
            None => Err(format!("`{value}` has no value; write `{value}=…`")),
        };
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(format!("`{word}` is not of the form `name=value`")),
        })
        .collect()
}

/// Splits at white space, minding quotes and backslashes as a shell does.
fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => {
                let next = characters
                    .next()
                    .ok_or("it ends in a backslash that quotes nothing")?;
                word.get_or_insert_default().push(next);
            }
            (_, Some(open)) if character == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(character),
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, None) if character.is_whitespace() => words.extend(word.take()),
            (_, None) => word.get_or_insert_default().push(character),
        }
    }
    match quote {
        Some(open) => Err(format!("the quote {open} is never closed")),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> ImageConfig {
        let changes: Vec<Change> = changes.iter().map(|text| text.parse().unwrap()).collect();
        let mut config = ImageConfig::default();
        apply(&mut config, &changes);
        config
    }

    fn environment(changes: &[&str]) -> Vec<(String, String)> {
        changed(changes)
            .environment
            .into_iter()
            .map(|variable| (variable.name, variable.value))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn env_takes_pairs_with_quotes_and_the_old_form() {
        assert_eq!(
            environment(&[r#"ENV A=b C="d e" D=f\ g E='$x "y"'"#]),
            [
                pair("A", "b"),
                pair("C", "d e"),
                pair("D", "f g"),
                pair("E", "$x \"y\"")
            ]
        );
        assert_eq!(environment(&["env A b  c=d"]), [pair("A", "b  c=d")]);
    }

    #[test]
    fn a_later_variable_replaces_an_earlier_one_in_its_place() {
        assert_eq!(
            environment(&["ENV A=1 B=2", "ENV A=3"]),
            [pair("A", "3"), pair("B", "2")]
        );
    }

    #[test]
    fn expose_takes_several_ports_and_ranges() {
        let shown: Vec<String> = changed(&["EXPOSE 443/udp 80", "expose 3000-3001/TCP"])
            .exposed
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["80/tcp", "3000/tcp", "3001/tcp", "443/udp"]);
    }

    #[test]
    fn a_program_is_an_array_or_a_line_for_the_shell() {
        let config = changed(&[r#"CMD ["a", "b c"]"#, "ENTRYPOINT [ -f x ] && y"]);
        assert_eq!(config.command, ["a", "b c"]);
        assert_eq!(config.entrypoint, ["/bin/sh", "-c", "[ -f x ] && y"]);
        assert_eq!(changed(&["CMD x", "CMD []"]).command, [""; 0]);
    }

    #[test]
    fn a_relative_working_directory_continues_the_one_before() {
        assert_eq!(changed(&["WORKDIR srv"]).working_directory, "/srv");
        let config = changed(&["WORKDIR /srv", "WORKDIR www"]);
        assert_eq!(config.working_directory, "/srv/www");
    }

    #[test]
    fn user_label_and_stop_signal_are_kept() {
        let config = changed(&["USER 1000:50", "LABEL a=b c=\"d e\"", "STOPSIGNAL SIGQUIT"]);
        assert_eq!(config.user, "1000:50");
        assert_eq!(config.labels["c"], "d e");
        assert!(config.stop_signal.is_some());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in [
            "",
            "   ",
            "RUN true",
            "ENV",
            "ENV A",
            "ENV =b",
            "ENV A=b C",
            "ENV A=\"b",
            "ENV A=b\\",
            "EXPOSE x",
            "EXPOSE 0",
            "CMD [\"a\"",
            "CMD [\"a\", 1]",
            "WORKDIR a b",
            "USER \"\"",
            "STOPSIGNAL NOSUCH",
            "LABEL a",
        ] {
            assert!(bad.parse::<Change>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_understood_or_refused(text in ".{0,60}") {
            let _ = text.parse::<Change>();
            let _ = format!("ENV {text}").parse::<Change>();
        }
    }
}
