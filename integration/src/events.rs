//! What a host tells of what happens on it.

use serde_json::Value;

use crate::host::TestHost;
use crate::running::Running;

impl TestHost {
    /// Everything that has happened, event by event.
    #[track_caller]
    pub fn past_events(&self, options: &str) -> Vec<Value> {
        let shown = self
            .minirun(format!(
                "events --since 0 --until 0s --format json {options}"
            ))
            .succeeds();
        let parse = |line| serde_json::from_str(line).expect("every line is JSON");
        shown.stdout().lines().map(parse).collect()
    }

    /// Starts to follow events, and waits until it waits for the next one.
    #[track_caller]
    pub fn follows_events(&self, options: &str) -> Running {
        let follower = self.spawn_minirun(format!("events {options}"));
        follower.process().awaits_open_file("/events");
        follower.process().awaits_sleep();
        follower
    }
}
