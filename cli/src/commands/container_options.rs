//! The options that `run` and `create` share.

use super::container_devices::ContainerDevices;
use super::container_egress::ContainerEgress;
use super::container_health::ContainerHealth;
use super::container_life::ContainerLife;
use super::container_limits::ContainerLimits;
use super::container_log::ContainerLog;
use super::container_namespaces::ContainerNamespaces;
use super::container_network::ContainerNetwork;
use super::container_privileges::ContainerPrivileges;
use super::container_resources::ContainerResources;
use super::container_security::ContainerSecurity;
use super::container_storage::ContainerStorage;
use super::container_terminal::ContainerTerminal;
use super::label::{Label, labels};
use super::switch::parse_switch;
use crate::failure::{Failure, complain};
use clap::{ArgAction, Args};
use minirun_bridge::environment::{EnvironmentEntry, EnvironmentVariable, parse_env_file};
use minirun_bridge::name::ContainerName;
use minirun_runtime::create::{CreateRequest, Created};
use minirun_runtime::profile::ProfileWord;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::stop_timeout::StopTimeout;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// What a container is to be. As with Docker, `-h` is the host name here, so that only `--help` asks for help.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct ContainerOptions {
    /// Name of the container
    #[arg(long, value_name = "NAME", help_heading = "Container")]
    name: Option<ContainerName>,
    /// Take the options in a profile as well, which are weaker than those typed here
    #[arg(long, value_name = "NAME|FILE", help_heading = "Container")]
    profile: Vec<ProfileWord>,
    /// Remove the container when it ends
    #[arg(
        long = "rm",
        value_name = "true|false",
        value_parser = parse_switch,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        help_heading = "Container"
    )]
    pub auto_remove: bool,
    /// Keep standard input open
    #[arg(short, long, help_heading = "Container")]
    pub interactive: bool,
    /// Note something on the container
    #[arg(short, long, value_name = "KEY=VALUE", help_heading = "Container")]
    label: Vec<Label>,
    /// Write the container's id to a file, which must not exist
    #[arg(long, value_name = "FILE", help_heading = "Container")]
    cidfile: Option<PathBuf>,
    /// Mount the root file system read-only
    #[arg(
        long,
        value_name = "true|false",
        value_parser = parse_switch,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        help_heading = "Container"
    )]
    read_only: bool,
    /// Signal that asks the program to end [default: the image's, else SIGTERM]
    #[arg(long, value_name = "SIGNAL", help_heading = "Container")]
    stop_signal: Option<StopSignal>,
    /// Seconds to wait for the program to obey it before it is killed, -1 for ever [default: 10]
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        help_heading = "Container"
    )]
    stop_timeout: Option<StopTimeout>,

    /// Set a variable, or pass one on from your environment
    #[arg(short, long, value_name = "NAME[=VALUE]", help_heading = "Program")]
    env: Vec<EnvironmentEntry>,
    /// Read variables from a file
    #[arg(long, value_name = "FILE", help_heading = "Program")]
    env_file: Vec<PathBuf>,
    /// Directory to start in
    #[arg(short, long, value_name = "DIRECTORY", help_heading = "Program")]
    workdir: Option<String>,
    /// User to run as
    #[arg(short, long, value_name = "USER[:GROUP]", help_heading = "Program")]
    user: Option<String>,
    /// Put a small first process before the program, which passes signals on and reaps orphans
    #[arg(
        long,
        value_name = "true|false",
        value_parser = parse_switch,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        help_heading = "Program"
    )]
    init: bool,
    /// Program to run instead of the image's entry point
    #[arg(long, value_name = "PROGRAM", help_heading = "Program")]
    entrypoint: Option<String>,

    #[command(flatten)]
    pub terminal: ContainerTerminal,
    #[command(flatten)]
    life: ContainerLife,
    #[command(flatten)]
    storage: ContainerStorage,
    #[command(flatten)]
    network: ContainerNetwork,
    #[command(flatten)]
    resources: ContainerResources,
    #[command(flatten)]
    limits: ContainerLimits,
    #[command(flatten)]
    security: ContainerSecurity,
    #[command(flatten)]
    privileges: ContainerPrivileges,
    #[command(flatten)]
    namespaces: ContainerNamespaces,
    #[command(flatten)]
    devices: ContainerDevices,
    #[command(flatten)]
    egress: ContainerEgress,
    #[command(flatten)]
    health: ContainerHealth,
    #[command(flatten)]
    log: ContainerLog,

    /// Print help
    #[arg(long = "help", action = ArgAction::Help, help_heading = None)]
    _help: Option<bool>,

    /// Image to make the container from
    #[arg(value_name = "IMAGE", help_heading = None)]
    image: String,
    /// Program and its arguments, instead of the image's
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        help_heading = None
    )]
    command: Vec<String>,
}

impl ContainerOptions {
    /// Creates the container, tells what may not be what was meant, and writes the id file.
    pub fn create(&self, runtime: &Runtime) -> Result<Created, Failure> {
        self.create_as(self.request()?, runtime)
    }

    /// The same when it is known already what is asked for ([`ContainerOptions::request`]).
    pub fn create_as(&self, request: CreateRequest, runtime: &Runtime) -> Result<Created, Failure> {
        let id_file = self.open_id_file()?;
        let created = runtime
            .create(request)
            .map_err(|error| Failure::of_program(&error))
            .inspect_err(|_| self.remove_id_file())?;
        for warning in &created.warnings {
            complain("warning", &warning.to_string());
        }
        if let (Some(mut file), Some(path)) = (id_file, &self.cidfile) {
            file.write_all(created.config.id.to_string().as_bytes())
                .map_err(|error| cannot("write", path, &error))?;
        }
        Ok(created)
    }

    /// What these options ask for.
    pub fn request(&self) -> Result<CreateRequest, Failure> {
        let request = CreateRequest {
            image: self.image.clone(),
            command: self.command.clone(),
            name: self.name.clone(),
            environment: environment(&self.env_file, &self.env)?,
            working_directory: self.workdir.clone(),
            user: self.user.clone(),
            entrypoint: self.entrypoint.clone(),
            read_only: self.read_only,
            stop_signal: self.stop_signal,
            stop_timeout: self.stop_timeout,
            labels: labels(&self.label),
            auto_remove: self.auto_remove,
            open_stdin: self.interactive,
            init: self.init,
            profiles: self.profile.iter().map(ToString::to_string).collect(),
            ..CreateRequest::default()
        };
        let request = self.terminal.fill(request)?;
        let request = self.life.fill(request)?;
        let request = self.storage.fill(request)?;
        let request = self.resources.fill(request)?;
        let request = self.limits.fill(request)?;
        let request = self.security.fill(request)?;
        let request = self.privileges.fill(request)?;
        let request = self.namespaces.fill(request)?;
        let request = self.devices.fill(request)?;
        let request = self.egress.fill(request)?;
        let request = self.health.fill(request)?;
        let request = self.log.fill(request)?;
        self.network.fill(request)
    }

    fn open_id_file(&self) -> Result<Option<fs::File>, Failure> {
        let Some(path) = &self.cidfile else {
            return Ok(None);
        };
        fs::File::create_new(path)
            .map(Some)
            .map_err(|error| cannot("create", path, &error))
    }

    /// Removes the id file again, because there is no container that it names.
    pub fn remove_id_file(&self) {
        if let Some(path) = &self.cidfile {
            let _ = fs::remove_file(path);
        }
    }
}

/// The variables of files and options; what the options say is stronger.
pub fn environment(
    files: &[PathBuf],
    entries: &[EnvironmentEntry],
) -> Result<Vec<EnvironmentVariable>, Failure> {
    let mut all = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).map_err(|error| cannot("read", path, &error))?;
        let read = parse_env_file(&text)
            .map_err(|error| Failure::own(format!("`{}`: {error}", path.display())))?;
        all.extend(read);
    }
    all.extend(entries.iter().cloned());
    let mut variables: Vec<EnvironmentVariable> = Vec::new();
    for entry in all {
        let name = entry.name().to_string();
        variables.retain(|variable| variable.name != name);
        variables.extend(entry.resolve(|name| std::env::var(name).ok()));
    }
    Ok(variables)
}

fn cannot(action: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::own(format!("cannot {action} `{}`: {error}", path.display()))
}
