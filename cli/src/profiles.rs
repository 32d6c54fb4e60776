//! `--profile`: the settings of profiles, put in front of what was typed.
//!
//! Theory of operation
//!
//! 1. The command line is parsed as it was typed, so what is wrong with it is told first.
//! 2. If it names profiles, or else the configuration file names one, each of their settings becomes the word that a person
//!    would type for it. These words are put between the command and what was typed, in the order in which the profiles were
//!    named.
//! 3. All of it is parsed again, by the same grammar. Of single values the last one holds, lists add up; so what was typed is
//!    stronger than a profile, and a later profile stronger than an earlier one. Words of lists that would contradict a
//!    stronger one are left out before ([`precedence`]).
//! 4. If that fails, the settings are tried one by one, to name the line that is wrong.

mod precedence;

use crate::commands::container_options::ContainerOptions;
use crate::failure::Failure;
use crate::unsupported;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use minirun_bridge::settings::Settings;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::profile::{Profile, ProfileWord, Setting, SettingValue, find};
use minirun_runtime::runtime::Directories;
use precedence::{DECIDING, Stronger, give_way};
use std::ffi::OsString;

/// Options that say which container it is, or what is to be done with it now.
const NOT_FOR_PROFILES: [&str; 8] = [
    "name",
    "cidfile",
    "profile",
    "help",
    "detach",
    "explain",
    "status-fd",
    "detach-keys",
];

/// A command line with the settings of its profiles.
pub struct Expansion {
    /// All words of it.
    pub words: Vec<OsString>,
    profiles: Vec<Profile>,
}

impl Expansion {
    /// The settings of the profiles that are named among `words`, which mean `matches`; none if there are none.
    pub fn of(
        words: &[OsString],
        matches: &ArgMatches,
        directories: &Directories,
    ) -> Result<Option<Expansion>, Failure> {
        let Some(matches) = with_profiles(matches) else {
            return Ok(None);
        };
        let mut inserted = Vec::new();
        let mut named: Vec<ProfileWord> = typed(matches, "profile");
        if named.is_empty() {
            named.extend(usual(directories)?);
            inserted.extend(named.iter().map(|word| format!("--profile={word}").into()));
        }
        if named.is_empty() {
            return Ok(None);
        }
        let profiles = named
            .iter()
            .map(|word| find(directories, word).map_err(Failure::own))
            .collect::<Result<Vec<_>, _>>()?;
        let options = options();
        for profile in &profiles {
            for setting in &profile.settings {
                let key = &setting.key;
                for value in values(&setting.value) {
                    give_way(&mut inserted, &Stronger { key, value });
                }
            }
            for setting in &profile.settings {
                add(&mut inserted, setting, &options)
                    .map_err(|refusal| refusal.about(profile, setting))?;
            }
        }
        weaken(&mut inserted, matches);
        let (command, typed) = words.split_at(command_length(words));
        Ok(Some(Expansion {
            words: [command, &inserted, typed].concat(),
            profiles,
        }))
    }

    /// The setting that is wrong, if one is so by itself. `problem` says what is wrong with a value.
    pub fn culprit(&self, problem: impl Fn(&clap::Error) -> Option<String>) -> Option<Failure> {
        let options = options().no_binary_name(true);
        let all = self.profiles.iter();
        let mut settings =
            all.flat_map(|profile| profile.settings.iter().map(move |one| (profile, one)));
        settings.find_map(|(profile, setting)| {
            let mut words = Vec::new();
            add(&mut words, setting, &options).ok()?;
            words.push("image".into());
            let error = options.clone().try_get_matches_from(words).err()?;
            Some(Refusal::new(problem(&error)?).about(profile, setting))
        })
    }
}

/// Why a setting cannot be used.
struct Refusal {
    problem: String,
    hint: Option<String>,
}

impl Refusal {
    fn new(problem: String) -> Refusal {
        Refusal {
            problem,
            hint: None,
        }
    }

    fn about(self, profile: &Profile, setting: &Setting) -> Failure {
        let line = setting.line;
        let failure = Failure::own(format!("{}, line {line}: {}", profile.origin, self.problem));
        match self.hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// What was typed behind whichever command it is, if that takes profiles.
fn with_profiles(matches: &ArgMatches) -> Option<&ArgMatches> {
    let mut command = matches;
    while let Some((_, deeper)) = command.subcommand() {
        command = deeper;
    }
    let takes_profiles = command.try_contains_id("profile").is_ok();
    takes_profiles.then_some(command)
}

/// The profile of all containers for which none is named.
fn usual(directories: &Directories) -> Result<Option<ProfileWord>, Failure> {
    let settings = Settings::load(&directories.configuration)
        .map_err(|error| Failure::of_program(&RuntimeError::from(error)))?;
    let word = settings.profile.map(|word| word.parse());
    word.transpose().map_err(|error| {
        let file = directories.configuration.display();
        Failure::own(format!("configuration file `{file}`, `profile`: {error}"))
    })
}

/// Takes out of the words of profiles what gives way to what was typed.
fn weaken(inserted: &mut Vec<OsString>, matches: &ArgMatches) {
    for key in DECIDING {
        // clap knows a field by its own name.
        let values = matches.try_get_raw(&key.replace('-', "_"));
        for value in values.ok().flatten().into_iter().flatten() {
            if let Some(value) = value.to_str() {
                give_way(inserted, &Stronger { key, value });
            }
        }
    }
}

fn typed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, option: &str) -> Vec<T> {
    let values = matches.try_get_many::<T>(option).ok().flatten();
    values.into_iter().flatten().cloned().collect()
}

fn values(value: &SettingValue) -> &[String] {
    match value {
        SettingValue::Switch(_) => &[],
        SettingValue::One(value) => std::slice::from_ref(value),
        SettingValue::Many(values) => values,
    }
}

fn options() -> Command {
    ContainerOptions::augment_args(Command::new("run"))
}

/// Adds the words of a setting to those of the settings before it.
fn add(words: &mut Vec<OsString>, setting: &Setting, options: &Command) -> Result<(), Refusal> {
    let Setting { key, value, .. } = setting;
    let option = option(options, key)?;
    let word = |value: &str| OsString::from(format!("--{key}={value}"));
    match (value, option.get_action()) {
        (SettingValue::Switch(on), ArgAction::SetTrue | ArgAction::SetFalse) => {
            let switch = OsString::from(format!("--{key}"));
            words.retain(|word| *word != switch);
            words.extend(on.then_some(switch));
        }
        (_, ArgAction::SetTrue | ArgAction::SetFalse) => {
            let problem = format!("`{key}` is a switch: write `true` or `false`");
            return Err(Refusal::new(problem));
        }
        (SettingValue::Switch(on), _) => words.push(word(&on.to_string())),
        (SettingValue::One(value), _) => words.push(word(value)),
        (SettingValue::Many(values), ArgAction::Append) => {
            words.extend(values.iter().map(|value| word(value)));
        }
        (SettingValue::Many(_), _) => {
            return Err(Refusal::new(format!("`{key}` takes one value, not a list")));
        }
    }
    Ok(())
}

fn option<'a>(options: &'a Command, key: &str) -> Result<&'a Arg, Refusal> {
    if NOT_FOR_PROFILES.contains(&key) {
        let problem = format!("`{key}` is for one container and one moment: type `--{key}`");
        return Err(Refusal::new(problem));
    }
    let goes_by = |option: &&Arg| {
        let names = option.get_long_and_visible_aliases();
        names.is_some_and(|names| names.contains(&key))
    };
    options
        .get_arguments()
        .find(goes_by)
        .ok_or_else(|| Refusal {
            problem: format!("there is no option `--{key}`"),
            hint: unsupported::hint(&format!("--{key}")),
        })
}

/// How many words there are up to the command, which is one that has options for containers. All options before it take a
/// value.
pub fn command_length(words: &[OsString]) -> usize {
    let text = |at: usize| words.get(at).and_then(|word| word.to_str()).unwrap_or("");
    let mut at = 1;
    while text(at).starts_with("--") {
        at += if text(at).contains('=') { 1 } else { 2 };
    }
    if text(at) == "container" {
        at += 1;
    }
    (at + 1).min(words.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minirun_runtime::profile::{Origin, parse_settings};

    fn words(text: &str) -> Result<Vec<String>, String> {
        let mut words = Vec::new();
        let profile = Profile {
            origin: Origin::File("x.toml".into()),
            text: text.into(),
            settings: parse_settings(text).unwrap(),
        };
        for setting in &profile.settings {
            add(&mut words, setting, &options())
                .map_err(|refusal| refusal.about(&profile, setting).to_string())?;
        }
        let text = |word: OsString| word.into_string().unwrap();
        Ok(words.into_iter().map(text).collect())
    }

    #[test]
    fn a_setting_becomes_what_a_person_would_type() {
        let text = "memory = \"1g\"\npids-limit = -1\nread-only = true\ninit = false\n\
                    tmpfs = [\"/tmp\", \"/run\"]\nenv = \"A=-b\"\n";
        let expected = [
            "--memory=1g",
            "--pids-limit=-1",
            "--read-only=true",
            "--init=false",
            "--tmpfs=/tmp",
            "--tmpfs=/run",
            "--env=A=-b",
        ];
        assert_eq!(words(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_option_of_a_profile_is_refused_with_its_line() {
        for (text, expected) in [
            ("\nmemry = 1", "line 2: there is no option `--memry`"),
            (
                "name = \"web\"",
                "line 1: `name` is for one container and one moment: type `--name`",
            ),
            ("image = \"demo\"", "line 1: there is no option `--image`"),
            (
                "memory = [\"1g\"]",
                "line 1: `memory` takes one value, not a list",
            ),
            (
                "publish-all = \"yes\"",
                "line 1: `publish-all` is a switch: write `true` or `false`",
            ),
        ] {
            let expected = format!("profile `x.toml`, {expected}");
            assert_eq!(words(text), Err(expected));
        }
    }

    #[test]
    fn the_command_is_found_behind_the_options_of_minirun() {
        for (line, expected) in [
            ("minirun run --profile x", 2),
            ("minirun --root /r run --profile x", 4),
            ("minirun --root=/r --state /s container create x", 6),
            ("minirun", 1),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(command_length(&words), expected, "{line}");
        }
    }
}
