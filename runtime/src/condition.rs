//! What a container does, which everybody shows who shows a container at all.

use crate::container_state::ContainerState;
use crate::health::Health;

/// What a container does.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What state it is in.
    pub state: ContainerState,
    /// Whether it does its work; none unless it runs and that is checked.
    pub health: Option<Health>,
    /// Whether it is paused while it runs.
    pub is_paused: bool,
}

impl ContainerState {
    /// Whether its program has begun and has not ended, so that its health may be known.
    pub(crate) fn has_program(&self) -> bool {
        matches!(self, ContainerState::Running(record) if record.init.is_some())
    }
}
