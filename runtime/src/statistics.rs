//! What a running container uses: processor time, memory, network, devices, processes.
//!
//! Its groups count some of that, depending on the controllers they have. What they do not count is added up over its
//! processes, which is less exact: processes that have ended do not count, and memory is what can be put down to each.

use crate::cgroup::{Members, Usage};
use crate::config::NetworkMode;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::outline::ContainerOutline;
use crate::process_listing::listed;
use crate::runtime::Runtime;
use std::fs;
use std::time::{Duration, Instant};

/// What a container uses at one moment. What is counted from its start only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// When this was looked at.
    pub taken: Instant,
    /// Processor time since its start.
    pub cpu: Duration,
    /// Bytes of memory, without files that the kernel would give up at once.
    pub memory: u64,
    /// The bytes of memory it may use: its limit, or all of the host's.
    pub memory_limit: u64,
    /// What came and went by its network interfaces, the loopback left out.
    pub network: Transfer,
    /// What was read from and written to devices.
    pub block: Transfer,
    /// Processes and threads.
    pub tasks: u64,
}

/// Bytes in two directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Received or read.
    pub inward: u64,
    /// Sent or written.
    pub outward: u64,
}

impl Statistics {
    /// How busy it kept processors since an earlier moment: 1 is one processor all the time.
    pub fn cpu_since(&self, earlier: &Statistics) -> f64 {
        let elapsed = self.taken.duration_since(earlier.taken).as_secs_f64();
        let used = self.cpu.saturating_sub(earlier.cpu).as_secs_f64();
        if elapsed > 0.0 { used / elapsed } else { 0.0 }
    }

    /// The part of the memory it may use that it does use, from 0 to 1.
    pub fn memory_part(&self) -> f64 {
        match self.memory_limit {
            0 => 0.0,
            limit => self.memory as f64 / limit as f64,
        }
    }
}

impl Runtime {
    /// What a container uses now; none unless it runs.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn statistics(
        &self,
        outline: &ContainerOutline,
    ) -> Result<Option<Statistics>, RuntimeError> {
        let name = outline.group();
        let init = match self.paths(&outline.id).container_state()? {
            ContainerState::Running(record) => record.init,
            _ => None,
        };
        let Some(init) = init else {
            return Ok(None);
        };
        let usage = Usage::of(name)?;
        let taken = Instant::now();
        let members = Members::of(name, init.pid)?;
        let (cpu, tasks) = match (usage.cpu, usage.tasks) {
            (Some(cpu), Some(tasks)) => (cpu, tasks),
            (cpu, tasks) => {
                let processes = listed(&members)?;
                let all: Duration = processes.iter().map(|process| process.cpu).sum();
                let threads = processes.iter().map(|process| u64::from(process.threads));
                (cpu.unwrap_or(all), tasks.unwrap_or(threads.sum()))
            }
        };
        let pids = members.processes()?;
        let host_memory = host_memory();
        Ok(Some(Statistics {
            taken,
            cpu,
            memory: usage
                .memory
                .unwrap_or_else(|| pids.iter().map(|pid| proportional_memory(*pid)).sum()),
            memory_limit: usage.memory_limit.unwrap_or(u64::MAX).min(host_memory),
            network: match outline.network.mode {
                // Nobody can tell which of the host's traffic is the container's.
                NetworkMode::Host => Transfer::default(),
                _ => network(&read(init.pid, "net/dev")),
            },
            block: match usage.block {
                Some((inward, outward)) => Transfer { inward, outward },
                None => pids.iter().map(|pid| block(&read(*pid, "io"))).sum(),
            },
            tasks,
        }))
    }
}

impl std::iter::Sum for Transfer {
    fn sum<I: Iterator<Item = Transfer>>(all: I) -> Transfer {
        all.fold(Transfer::default(), |sum, one| Transfer {
            inward: sum.inward + one.inward,
            outward: sum.outward + one.outward,
        })
    }
}

/// A process that has ended meanwhile says nothing.
fn read(pid: i32, name: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

/// The memory of a process, where what it shares with others counts in equal parts for each.
fn proportional_memory(pid: i32) -> u64 {
    kilobytes(&read(pid, "smaps_rollup"), "Pss:")
}

/// All the memory of the host, in bytes; 0 if it does not say.
pub fn host_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kilobytes(&text, "MemTotal:")
}

/// Lines such as `Pss:   1024 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let number = value.and_then(|value| value.split_ascii_whitespace().next());
    let kilobytes: u64 = number.and_then(|text| text.parse().ok()).unwrap_or(0);
    kilobytes.saturating_mul(1024)
}

/// Lines such as `eth0: 1024 7 0 0 0 0 0 0 2048 9 …`: received bytes come first, sent bytes ninth.
fn network(text: &str) -> Transfer {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim() != "lo")
        .filter_map(|(_, counters)| {
            let counters: Vec<u64> = counters
                .split_ascii_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
            Some(Transfer {
                inward: *counters.first()?,
                outward: *counters.get(8)?,
            })
        })
        .sum()
}

/// Lines such as `read_bytes: 4096`, which count what reached a device.
fn block(text: &str) -> Transfer {
    let value = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key));
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    };
    Transfer {
        inward: value("read_bytes:"),
        outward: value("write_bytes:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(taken: Instant, cpu: Duration) -> Statistics {
        Statistics {
            taken,
            cpu,
            memory: 25,
            memory_limit: 100,
            network: Transfer::default(),
            block: Transfer::default(),
            tasks: 1,
        }
    }

    #[test]
    fn two_looks_make_a_rate() {
        let now = Instant::now();
        let first = statistics(now, Duration::from_secs(1));
        let second = statistics(now + Duration::from_secs(2), Duration::from_secs(4));
        assert_eq!(second.cpu_since(&first), 1.5);
        assert_eq!(first.cpu_since(&first), 0.0);
        // A container that was started again between the two has used less.
        assert_eq!(first.cpu_since(&second), 0.0);
        assert_eq!(first.memory_part(), 0.25);
    }

    #[test]
    fn all_interfaces_but_the_loopback_are_added() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes    packets|bytes packets\n\
            \u{20}   lo: 99 1 0 0 0 0 0 0 99 1 0 0 0 0 0 0\n\
            \u{20} eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n\
            \u{20} eth1:100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n";
        let sum = Transfer {
            inward: 110,
            outward: 220,
        };
        assert_eq!(network(text), sum);
        assert_eq!(network(""), Transfer::default());
    }

    #[test]
    fn what_reached_a_device_counts() {
        let text =
            "rchar: 1\nwchar: 2\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 3\n";
        let bytes = Transfer {
            inward: 4096,
            outward: 8192,
        };
        assert_eq!(block(text), bytes);
        assert_eq!(kilobytes("Pss:      7 kB\nPss_Dirty: 1 kB\n", "Pss:"), 7168);
    }
}
