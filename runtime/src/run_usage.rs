//! What one run of a container has used, measured by the kernel.

use crate::cgroup::Consumption;
use crate::process::ProcessUsage;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a run has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunUsage {
    /// How long it took, by a clock that nobody sets, from when its program was executed.
    pub wall: Duration,
    /// Processor time in its programs.
    pub user: Duration,
    /// Processor time in the kernel on their behalf.
    pub system: Duration,
    /// The most memory it had at any moment, in bytes.
    pub peak_memory: u64,
    /// What that is the memory of.
    pub peak_memory_of: MeasuredMemory,
    /// How often a process or thread could not be made because of `--pids-limit`; none if nobody counted.
    #[serde(default)]
    pub refused_processes: Option<u64>,
}

/// Whose memory was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeasuredMemory {
    /// All of the container together, with its files in memory, as its control group counts.
    Container,
    /// Its largest process alone, because the container has no control group that counts memory.
    Process,
}

impl RunUsage {
    /// What the control groups of a container have counted, or where they have not, what its first process and those below it
    /// have used.
    pub(crate) fn of(wall: Duration, counted: Consumption, process: ProcessUsage) -> RunUsage {
        let (user, system) = counted.processor.unwrap_or((process.user, process.system));
        let (peak_memory, peak_memory_of) = match counted.peak_memory {
            Some(peak) => (peak, MeasuredMemory::Container),
            None => (process.largest, MeasuredMemory::Process),
        };
        RunUsage {
            wall,
            user,
            system,
            peak_memory,
            peak_memory_of,
            refused_processes: counted.refused_processes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_control_group_counts_is_stronger_than_what_a_process_has_used() {
        let seconds = Duration::from_secs;
        let process = ProcessUsage {
            user: seconds(1),
            system: seconds(2),
            largest: 3,
        };
        let nothing = RunUsage::of(seconds(9), Consumption::default(), process);
        assert_eq!((nothing.user, nothing.system), (seconds(1), seconds(2)));
        let of_process = (3, MeasuredMemory::Process);
        assert_eq!((nothing.peak_memory, nothing.peak_memory_of), of_process);
        let counted = Consumption {
            processor: Some((seconds(4), seconds(5))),
            peak_memory: Some(6),
            refused_processes: Some(7),
        };
        let all = RunUsage::of(seconds(9), counted, process);
        assert_eq!((all.user, all.system), (seconds(4), seconds(5)));
        let of_container = (6, MeasuredMemory::Container);
        assert_eq!((all.peak_memory, all.peak_memory_of), of_container);
        assert_eq!(all.refused_processes, Some(7));
    }
}
