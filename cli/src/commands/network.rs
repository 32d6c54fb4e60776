//! `minirun network`.

use super::inspect::print_found;
use super::ps::{Format, truncation};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
use crate::narration::Narration;
use crate::show::network;
use clap::{Args, Subcommand};
use minirun_bridge::error::NetworkError;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::runtime::Runtime;
use serde_json::Value;
use std::process::ExitCode;

/// Options of `minirun network`.
#[derive(Debug, Args)]
pub struct NetworkCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List networks
    Ls(NetworkList),
    /// Show everything about networks, as JSON
    Inspect(NetworkInspect),
    /// Change a network, also for the containers that run on it
    Update(NetworkUpdate),
}

#[derive(Debug, Args)]
struct NetworkList {
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,
    /// How to show them
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
struct NetworkInspect {
    /// Networks
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
}

#[derive(Debug, Args)]
struct NetworkUpdate {
    /// Whether containers reach each other without a link
    #[arg(long, value_name = "true|false", required = true, action = clap::ArgAction::Set)]
    icc: Option<bool>,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Network
    #[arg(value_name = "NETWORK")]
    network: String,
}

impl RunCommand for NetworkCommand {
    const ABOUT: &'static str = "List, inspect and update networks";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        match self.action {
            Action::Ls(options) => options.run(&runtime),
            Action::Inspect(options) => {
                print_found(&options.networks, |name| inspect(&runtime, name))
            }
            Action::Update(options) => options.run(&runtime),
        }
    }
}

impl NetworkList {
    fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        runtime.default_network()?;
        print(&network::list(
            &runtime.networks.networks()?,
            self.format.unless(self.quiet),
            truncation(self.no_trunc),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl NetworkUpdate {
    fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut narration = Narration::new(self.explain);
        let name = runtime.resolve_network(&self.network)?;
        if let Some(icc) = self.icc {
            let network = runtime.set_icc(&name, icc.into(), &mut narration)?;
            for warning in runtime.link_warnings_of(&network)? {
                complain("warning", &warning.to_string());
            }
        }
        print(&format!("{}\n", self.network))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn inspect(runtime: &Runtime, name: &str) -> Result<Value, Failure> {
    match runtime.resolve_network(name) {
        Ok(name) => Ok(network::inspect(&runtime.network_details(&name)?)),
        Err(RuntimeError::Network(NetworkError::NotABridge(name))) => {
            Ok(network::inspect_built_in(&name))
        }
        Err(error) => Err(error.into()),
    }
}
