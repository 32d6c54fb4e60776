//! What an image says about the containers made of it.

use std::collections::{BTreeMap, BTreeSet};

use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::port::ExposedPort;
use serde::{Deserialize, Serialize};

use crate::health::HealthCheck;
use crate::signal::StopSignal;
use crate::storage::Destination;

/// An image's configuration: the defaults of every container made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// The program and its first arguments, in front of the command. Empty for none.
    pub entrypoint: Vec<String>,
    /// What runs where the user names no command. Empty for none.
    pub command: Vec<String>,
    /// The environment, in the order it was given; no name twice.
    pub environment: Vec<EnvironmentVariable>,
    /// An absolute path in the image; empty means `/`.
    pub working_directory: String,
    /// `user[:group]`, names or numbers as the image wrote them; empty means root.
    pub user: String,
    /// The ports that the program listens on.
    pub exposed: BTreeSet<ExposedPort>,
    /// Free remarks.
    pub labels: BTreeMap<String, String>,
    /// The directories that every container gets a volume for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<Destination>,
    /// What asks the program to stop; none means `SIGTERM`.
    pub stop_signal: Option<StopSignal>,
    /// How it is found out whether the program does its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
}
