//! A container's health in Docker's words.

use minirun_runtime::condition::Condition;
use minirun_runtime::health::HealthStatus;

/// What the health of a container can be called in a filter.
pub const HEALTHS: [&str; 4] = ["starting", "healthy", "unhealthy", "none"];

/// What its health is, one of [`HEALTHS`].
pub fn health(condition: &Condition) -> &'static str {
    match &condition.health {
        Some(health) => health.status.word(),
        None => "none",
    }
}

/// What follows the status in listings: ` (healthy)`; nothing where health is not known.
pub(super) fn behind_status(condition: &Condition) -> &'static str {
    match condition.health.as_ref().map(|health| health.status) {
        Some(HealthStatus::Starting) => " (health: starting)",
        Some(HealthStatus::Healthy) => " (healthy)",
        Some(HealthStatus::Unhealthy) => " (unhealthy)",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::running;
    use super::*;
    use minirun_runtime::health::Health;

    #[test]
    fn health_is_told_in_dockers_words() {
        for (status, word, behind) in [
            (None, "none", ""),
            (
                Some(HealthStatus::Starting),
                "starting",
                " (health: starting)",
            ),
            (Some(HealthStatus::Healthy), "healthy", " (healthy)"),
            (Some(HealthStatus::Unhealthy), "unhealthy", " (unhealthy)"),
        ] {
            let mut condition = running("web1").condition;
            condition.health = status.map(|status| Health {
                status,
                ..Health::default()
            });
            assert_eq!(health(&condition), word);
            assert_eq!(behind_status(&condition), behind);
            assert!(HEALTHS.contains(&word));
        }
    }
}
