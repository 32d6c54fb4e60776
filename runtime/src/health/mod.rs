//! Whether a container's program does its work: another program asks it from time to time.
//!
//! [`HealthCheck`] is what is asked and how often, [`HealthProgress`] what the answers mean, [`Health`] what is shown of
//! it. Who asks is the container's monitor.

mod check;
mod progress;
mod record;
mod test;
mod time;
mod wanted;

pub use check::{HealthCheck, HealthTerms};
pub use progress::{HealthProgress, HealthStatus, Outcome};
pub use record::{Health, HealthResult};
pub use test::{HealthTest, HealthTestError};
pub use time::{HealthTime, HealthTimeError};
pub use wanted::{HealthOptions, HealthWanted};
