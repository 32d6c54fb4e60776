//! How it is found out whether a container's program does its work.

use serde::{Deserialize, Serialize};

/// What is asked of the program, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The program that asks, and its arguments.
    pub command: Vec<String>,
}

/// What a user asks for; what is left out is the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthWanted {}
