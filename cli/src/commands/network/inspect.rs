//! `minirun network inspect`.

use crate::commands::inspect::print_as;
use crate::commands::inspect_format::InspectFormat;
use crate::failure::Failure;
use crate::show::network;
use clap::Args;
use minirun_bridge::error::NetworkError;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::runtime::Runtime;
use serde_json::Value;
use std::process::ExitCode;

/// Options of `minirun network inspect`.
#[derive(Debug, Args)]
pub struct NetworkInspect {
    /// How to show them: `json`, or a template such as `{{.Driver}}`
    #[arg(short, long, value_name = "json|TEMPLATE")]
    format: Option<InspectFormat>,
    /// Networks
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
}

impl NetworkInspect {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        print_as(&self.networks, self.format.as_ref(), |name| {
            Ok(find(runtime, name)?)
        })
    }
}

/// Everything about a network.
pub fn find(runtime: &Runtime, name: &str) -> Result<Value, RuntimeError> {
    match runtime.resolve_network(name) {
        Ok(name) => Ok(network::inspect(&runtime.network_details(&name)?)),
        Err(RuntimeError::Network(NetworkError::NotABridge(name))) => {
            Ok(network::inspect_built_in(&name))
        }
        Err(error) => Err(error),
    }
}
