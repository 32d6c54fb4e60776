//! The options that `run` and `create` share.

use crate::failure::{Failure, complain};
use clap::Args;
use minirun_bridge::environment::{EnvironmentEntry, EnvironmentVariable, parse_env_file};
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::link::LinkRequest;
use minirun_bridge::name::{ContainerName, Hostname};
use minirun_bridge::port::{ExposeError, ExposedPort, parse_expose};
use minirun_bridge::publish::{PublishError, PublishRequest, parse_publish};
use minirun_netns::MacAddress;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::create::{CreateRequest, Created};
use minirun_runtime::runtime::Runtime;
use minirun_runtime::signal::StopSignal;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

/// What a container is to be.
#[derive(Debug, Args)]
pub struct ContainerOptions {
    /// Name of the container
    #[arg(long, value_name = "NAME", help_heading = "Container")]
    name: Option<ContainerName>,
    /// Remove the container when it ends
    #[arg(long = "rm", help_heading = "Container")]
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
    #[arg(long, help_heading = "Container")]
    read_only: bool,
    /// Security option: `no-new-privileges`
    #[arg(long, value_name = "OPTION", help_heading = "Container")]
    security_opt: Vec<SecurityOption>,
    /// Signal that asks the program to end [default: the image's, else SIGTERM]
    #[arg(long, value_name = "SIGNAL", help_heading = "Container")]
    stop_signal: Option<StopSignal>,
    /// Seconds to wait for the program to obey it before it is killed [default: 10]
    #[arg(long, value_name = "SECONDS", help_heading = "Container")]
    stop_timeout: Option<u32>,

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
    /// Program to run instead of the image's entry point
    #[arg(long, value_name = "PROGRAM", help_heading = "Program")]
    entrypoint: Option<String>,

    /// Network: `bridge`, `none` or `host`
    #[arg(
        long,
        visible_alias = "net",
        value_name = "NETWORK",
        default_value = "bridge",
        help_heading = "Network"
    )]
    network: NetworkMode,
    /// Name another container as ALIAS, with its environment, and open its exposed ports to this one
    #[arg(long, value_name = "CONTAINER[:ALIAS]", help_heading = "Network")]
    link: Vec<LinkRequest>,
    /// Publish a port on the host
    #[arg(
        short,
        long,
        value_name = "[[ADDRESS:][PORT]:]PORT[/PROTOCOL]",
        help_heading = "Network"
    )]
    publish: Vec<Publish>,
    /// Publish every exposed port on a random port of the host
    #[arg(short = 'P', long, help_heading = "Network")]
    publish_all: bool,
    /// Expose ports to containers that are linked to this one
    #[arg(long, value_name = "PORT[-PORT][/PROTOCOL]", help_heading = "Network")]
    expose: Vec<Expose>,
    /// IPv4 address on the network
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    ip: Option<Ipv4Addr>,
    /// MAC address
    #[arg(long, value_name = "MAC", help_heading = "Network")]
    mac_address: Option<MacAddress>,
    /// Host name
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    hostname: Option<Hostname>,
    /// Add a line to /etc/hosts; `host-gateway` stands for the host's address on the network
    #[arg(long, value_name = "NAME:ADDRESS", help_heading = "Network")]
    add_host: Vec<ExtraHostRequest>,
    /// Name server instead of the host's
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    dns: Vec<IpAddr>,

    /// Image to make the container from
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Program and its arguments, instead of the image's
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

/// `--label`.
#[derive(Debug, Clone)]
struct Label(String, String);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Label, String> {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            return Err("a label needs a key: write KEY=VALUE".into());
        }
        Ok(Label(key.into(), value.into()))
    }
}

/// `--security-opt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecurityOption {
    NewPrivileges { allowed: bool },
}

impl FromStr for SecurityOption {
    type Err = String;

    fn from_str(text: &str) -> Result<SecurityOption, String> {
        match text {
            "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true" => {
                Ok(SecurityOption::NewPrivileges { allowed: false })
            }
            "no-new-privileges=false" | "no-new-privileges:false" => {
                Ok(SecurityOption::NewPrivileges { allowed: true })
            }
            other => Err(format!(
                "unknown security option `{other}`: use `no-new-privileges`"
            )),
        }
    }
}

/// One `-p`, which may stand for a range.
#[derive(Debug, Clone)]
struct Publish(Vec<PublishRequest>);

impl FromStr for Publish {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Publish, PublishError> {
        parse_publish(text).map(Publish)
    }
}

/// One `--expose`, which may stand for a range.
#[derive(Debug, Clone)]
struct Expose(Vec<ExposedPort>);

impl FromStr for Expose {
    type Err = ExposeError;

    fn from_str(text: &str) -> Result<Expose, ExposeError> {
        parse_expose(text).map(Expose)
    }
}

impl ContainerOptions {
    /// Creates the container, tells what may not be what was meant, and writes the id file.
    pub fn create(&self, runtime: &Runtime) -> Result<Created, Failure> {
        let id_file = self.open_id_file()?;
        let created = self
            .request()
            .and_then(|request| {
                runtime
                    .create(request)
                    .map_err(|error| Failure::of_program(&error))
            })
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

    fn request(&self) -> Result<CreateRequest, Failure> {
        let flatten = |expose: &[Expose]| expose.iter().flat_map(|ports| ports.0.clone()).collect();
        Ok(CreateRequest {
            image: self.image.clone(),
            command: self.command.clone(),
            name: self.name.clone(),
            environment: environment(&self.env_file, &self.env)?,
            working_directory: self.workdir.clone(),
            user: self.user.clone(),
            entrypoint: self.entrypoint.clone(),
            hostname: self.hostname.clone(),
            read_only: self.read_only,
            expose: flatten(&self.expose),
            publish: self
                .publish
                .iter()
                .flat_map(|ports| ports.0.clone())
                .collect(),
            publish_all: self.publish_all,
            links: self.link.clone(),
            network: self.network,
            static_address: self.ip,
            mac_address: self.mac_address,
            extra_hosts: self.add_host.clone(),
            nameservers: self.dns.clone(),
            stop_signal: self.stop_signal,
            stop_timeout_seconds: self.stop_timeout,
            labels: self.labels(),
            auto_remove: self.auto_remove,
            open_stdin: self.interactive,
            no_new_privileges: self
                .security_opt
                .contains(&SecurityOption::NewPrivileges { allowed: false }),
        })
    }

    fn labels(&self) -> BTreeMap<String, String> {
        self.label
            .iter()
            .map(|Label(key, value)| (key.clone(), value.clone()))
            .collect()
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
