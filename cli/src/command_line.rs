//! The table of commands. The options of a command are put together only when that command is called, since building all of
//! them takes longer than starting a container's first process.

use crate::ahead;
use crate::commands::switch::parse_switch;
use crate::commands::*;
use crate::context::Context;
use crate::failure::{Failure, OWN_ERROR, complain};
use crate::profiles::Expansion;
use crate::unsupported;
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use minirun_runtime::runtime::{Directories, Overrides};
use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// What one command is made of.
struct Entry {
    name: &'static str,
    about: &'static str,
    options: fn(Command) -> Command,
    run: fn(&ArgMatches, &Context) -> Result<ExitCode, Failure>,
}

/// A command that can be run once its options are known.
pub trait Run: Args + FromArgMatches {
    /// What it is for, in one line.
    const ABOUT: &'static str;

    /// Does what the command is for.
    fn run(self, context: &Context) -> Result<ExitCode, Failure>;
}

const fn entry<C: Run>(name: &'static str) -> Entry {
    Entry {
        name,
        about: C::ABOUT,
        // The derived options bring the documentation of their type along, which is not for users.
        options: |command| C::augment_args(command).about(C::ABOUT).long_about(None),
        run: |matches, context| {
            C::from_arg_matches(matches)
                .map_err(|error| Failure::own(error.to_string()))?
                .run(context)
        },
    }
}

const COMMANDS: &[Entry] = &[
    entry::<run::Run>("run"),
    entry::<create::Create>("create"),
    entry::<start::Start>("start"),
    entry::<stop::Stop>("stop"),
    entry::<restart::Restart>("restart"),
    entry::<kill::Kill>("kill"),
    entry::<rm::Remove>("rm"),
    entry::<rename::Rename>("rename"),
    entry::<wait::Wait>("wait"),
    entry::<pause::Pause>("pause"),
    entry::<unpause::Unpause>("unpause"),
    entry::<update::Update>("update"),
    entry::<top::Top>("top"),
    entry::<stats::Stats>("stats"),
    entry::<ps::List>("ps"),
    entry::<logs::Logs>("logs"),
    entry::<exec::Exec>("exec"),
    entry::<attach::Attach>("attach"),
    entry::<cp::Copy>("cp"),
    entry::<diff::Diff>("diff"),
    entry::<export::Export>("export"),
    entry::<commit::Commit>("commit"),
    entry::<inspect::Inspect>("inspect"),
    entry::<port::PortCommand>("port"),
    CONTAINER,
    entry::<network::NetworkCommand>("network"),
    entry::<volume::VolumeCommand>("volume"),
    entry::<import::Import>("import"),
    entry::<images::Images>("images"),
    entry::<rmi::RemoveImage>("rmi"),
    entry::<image::ImageCommand>("image"),
    entry::<events::Events>("events"),
    entry::<profile::ProfileCommand>("profile"),
    entry::<info::Info>("info"),
    entry::<system::SystemCommand>("system"),
    entry::<version::Version>("version"),
];

/// `minirun container` and its commands, most of which are known without that word, too.
const CONTAINER: Entry = Entry {
    name: "container",
    about: "Create, show, change and remove containers",
    options: |command| with_subcommands(command.subcommand_required(true), CONTAINER_COMMANDS),
    run: |matches, context| run_subcommand(CONTAINER_COMMANDS, matches, context),
};

const CONTAINER_COMMANDS: &[Entry] = &[
    entry::<run::Run>("run"),
    entry::<create::Create>("create"),
    entry::<start::Start>("start"),
    entry::<stop::Stop>("stop"),
    entry::<restart::Restart>("restart"),
    entry::<kill::Kill>("kill"),
    entry::<rm::Remove>("rm"),
    entry::<container_prune::ContainerPrune>("prune"),
    entry::<rename::Rename>("rename"),
    entry::<wait::Wait>("wait"),
    entry::<pause::Pause>("pause"),
    entry::<unpause::Unpause>("unpause"),
    entry::<update::Update>("update"),
    entry::<top::Top>("top"),
    entry::<stats::Stats>("stats"),
    entry::<ps::List>("ls"),
    entry::<ps::List>("ps"),
    entry::<logs::Logs>("logs"),
    entry::<exec::Exec>("exec"),
    entry::<attach::Attach>("attach"),
    entry::<cp::Copy>("cp"),
    entry::<diff::Diff>("diff"),
    entry::<export::Export>("export"),
    entry::<commit::Commit>("commit"),
    entry::<inspect::Inspect>("inspect"),
    entry::<port::PortCommand>("port"),
];

/// Parses the command line and runs the command.
pub fn run() -> Result<ExitCode, Failure> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let forerunner = ahead::send_forerunner(&words);
    let mut matches = match command_called(&words).try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(error) => return Ok(explain_usage(error)),
    };
    let context = Context {
        directories: directories(&matches)?,
        overrides: overrides(&matches)?,
        forerunner: RefCell::new(forerunner),
    };
    if let Some(expansion) = Expansion::of(&words, &matches, &context.directories)? {
        let command = command_called(&words).args_override_self(true);
        matches = match command.try_get_matches_from(&expansion.words) {
            Ok(matches) => matches,
            Err(error) => {
                return expansion
                    .culprit(value_problem)
                    .map_or_else(|| Ok(explain_usage(error)), Err);
            }
        };
    }
    run_subcommand(COMMANDS, &matches, &context)
}

fn run_subcommand(
    entries: &[Entry],
    matches: &ArgMatches,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let (name, options) = matches
        .subcommand()
        .ok_or_else(|| Failure::own("no command"))?;
    match entries.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.run)(options, context),
        None => Err(Failure::own(format!("no such command: `{name}`"))),
    }
}

/// Says what is wrong with the words, or gives the help that was asked for.
fn explain_usage(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help and version are no errors and go to standard output; whoever reads it may stop reading.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if let Some(problem) = value_problem(&error) {
        complain("error", &problem);
        return ExitCode::from(OWN_ERROR);
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(option) = error.get(ContextKind::InvalidArg).map(ToString::to_string)
        && let Some(hint) = unsupported::hint(&option)
    {
        complain("error", &format!("there is no option `{option}`"));
        complain("hint", &hint);
        return ExitCode::from(OWN_ERROR);
    }
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(command) = error.get(ContextKind::InvalidSubcommand)
        && let Some(hint) = unsupported::command_hint(&command.to_string())
    {
        complain("error", &format!("there is no command `{command}`"));
        complain("hint", hint);
        return ExitCode::from(OWN_ERROR);
    }
    // "To pass it as a value, write it behind `--`" is never what somebody means who types an option.
    error.remove(ContextKind::Suggested);
    let _ = error.print();
    ExitCode::from(OWN_ERROR)
}

/// What is wrong with the value of an option, if that is what is wrong.
fn value_problem(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let problem = std::error::Error::source(error)?.to_string();
    let option = error.get(ContextKind::InvalidArg);
    let option = option.map(|option| format!(" (of `{option}`)"));
    // The standard library's parsers do not say what they could not read.
    let value = error
        .get(ContextKind::InvalidValue)
        .map(ToString::to_string)
        .filter(|value| !problem.contains(value))
        .map(|value| format!("`{value}`: "));
    Some(format!(
        "{}{problem}{}",
        value.unwrap_or_default(),
        option.unwrap_or_default()
    ))
}

/// What is needed of the table of commands to understand these words: where they begin with a command's name, that command, because
/// even the names of all take time. Whatever is wrong with the others cannot be typed then.
fn command_called(words: &[OsString]) -> Command {
    let first = words.get(1).and_then(|word| word.to_str());
    match COMMANDS.iter().position(|entry| Some(entry.name) == first) {
        Some(called) => with_subcommands(command_without_table(), &COMMANDS[called..=called]),
        None => command(),
    }
}

fn command() -> Command {
    with_subcommands(command_without_table(), COMMANDS)
}

fn command_without_table() -> Command {
    Command::new("minirun")
        .about("A container runtime with no daemon that owns its networking")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(false)
        .args(global_arguments())
}

fn with_subcommands(mut command: Command, entries: &'static [Entry]) -> Command {
    for entry in entries {
        command = command.subcommand(
            Command::new(entry.name)
                .about(entry.about)
                .defer(entry.options),
        );
    }
    command
}

fn global_arguments() -> [clap::Arg; 5] {
    let directory = |name: &'static str, help: &'static str| {
        clap::Arg::new(name)
            .long(name)
            .value_name("PATH")
            .value_parser(clap::value_parser!(PathBuf))
            .help(help)
    };
    let switch = |name: &'static str, help: &'static str| {
        clap::Arg::new(name)
            .long(name)
            .value_name("true|false")
            .value_parser(parse_switch)
            .help(help)
    };
    [
        directory(
            "root",
            "Directory of images, containers and networks [env: MINIRUN_ROOT] [default: /var/lib/minirun]",
        ),
        directory(
            "state",
            "Directory of what dies with the boot [env: MINIRUN_STATE] [default: /run/minirun]",
        ),
        directory(
            "config",
            "Configuration file [env: MINIRUN_CONFIG] [default: /etc/minirun/minirun.toml]",
        ),
        switch(
            "iptables",
            "Whether rules are made, whatever the configuration says [env: MINIRUN_IPTABLES]",
        ),
        switch(
            "ip-forward",
            "Whether the host's forwarding may be switched on, whatever the configuration says [env: MINIRUN_IP_FORWARD]",
        ),
    ]
}

/// The command line first, then the environment, then the usual places. A configuration file that is named must be there:
/// a misspelt path would silently open what the file closes.
fn directories(matches: &ArgMatches) -> Result<Directories, Failure> {
    let named = |name: &str, variable: &str| {
        matches
            .get_one::<PathBuf>(name)
            .cloned()
            .or_else(|| {
                std::env::var_os(variable)
                    .filter(|value: &OsString| !value.is_empty())
                    .map(PathBuf::from)
            })
            .map(|path| std::path::absolute(&path).unwrap_or(path))
    };
    let usual = Directories::default();
    let configuration = named("config", "MINIRUN_CONFIG");
    if let Some(path) = configuration.as_ref().filter(|path| !path.is_file()) {
        return Err(Failure::own(format!(
            "there is no configuration file `{}`",
            path.display()
        )));
    }
    Ok(Directories {
        root: named("root", "MINIRUN_ROOT").unwrap_or(usual.root),
        state: named("state", "MINIRUN_STATE").unwrap_or(usual.state),
        configuration: configuration.unwrap_or(usual.configuration),
    })
}

/// The command line first, then the environment; what neither names is left to the configuration.
fn overrides(matches: &ArgMatches) -> Result<Overrides, Failure> {
    let named = |name: &str, variable: &str| -> Result<Option<bool>, Failure> {
        if let Some(value) = matches.get_one::<bool>(name) {
            return Ok(Some(*value));
        }
        std::env::var_os(variable)
            .filter(|value| !value.is_empty())
            .map(|value| parse_switch(&value.to_string_lossy()))
            .transpose()
            .map_err(|problem| {
                Failure::own(format!("environment variable `{variable}`: {problem}"))
            })
    };
    Ok(Overrides {
        iptables: named("iptables", "MINIRUN_IPTABLES")?,
        ip_forward: named("ip-forward", "MINIRUN_IP_FORWARD")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_every_command_are_consistent() {
        for entry in COMMANDS.iter().chain(CONTAINER_COMMANDS) {
            (entry.options)(Command::new(entry.name)).debug_assert();
        }
        command().debug_assert();
    }

    #[test]
    fn a_command_that_is_named_first_is_understood_as_among_all_others() {
        let told = |command: Command, words: &[&str]| {
            let words = ["minirun"].iter().chain(words);
            match command.try_get_matches_from(words) {
                // The names of the others are known to whoever was told of them only.
                Ok(matches) => format!("{:?}", matches.subcommand()),
                Err(error) => error.to_string(),
            }
        };
        for words in [
            &["run", "--rm", "-p", "80:80", "demo", "true"][..],
            &["run", "--help"],
            &["run"],
            &["run", "--nothing", "demo"],
            &["network", "create", "--icc=false", "net1"],
            &["network", "nothing"],
            &["container", "--help"],
            &["ps", "-a", "more"],
            &["--root", "/tmp", "ps"],
            &["help", "run"],
            &["rnu"],
            &["--help"],
            &[],
        ] {
            let whole = words.iter().copied().map(OsString::from);
            let whole: Vec<OsString> = [OsString::from("minirun")]
                .into_iter()
                .chain(whole)
                .collect();
            assert_eq!(
                told(command_called(&whole), words),
                told(command(), words),
                "{words:?}"
            );
        }
    }

    #[test]
    fn global_switches_stand_before_the_command() {
        let matches = command()
            .try_get_matches_from(["minirun", "--iptables=false", "--ip-forward", "1", "ps"])
            .unwrap();
        let overrides = overrides(&matches).unwrap();
        assert_eq!(overrides.iptables, Some(false));
        assert_eq!(overrides.ip_forward, Some(true));
    }
}
