//! A container's health in Docker's words.

use minirun_runtime::details::ContainerDetails;
use minirun_runtime::health::HealthStatus;

/// What the health of a container can be called in a filter.
pub const HEALTHS: [&str; 4] = ["starting", "healthy", "unhealthy", "none"];

/// What its health is, one of [`HEALTHS`].
pub fn health(details: &ContainerDetails) -> &'static str {
    match &details.health {
        Some(health) => health.status.word(),
        None => "none",
    }
}

/// What follows the status in listings: ` (healthy)`; nothing where health is not known.
pub(super) fn behind_status(details: &ContainerDetails) -> &'static str {
    match details.health.as_ref().map(|health| health.status) {
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
            let mut details = running("web1");
            details.health = status.map(|status| Health {
                status,
                ..Health::default()
            });
            assert_eq!(health(&details), word);
            assert_eq!(behind_status(&details), behind);
            assert!(HEALTHS.contains(&word));
        }
    }
}
