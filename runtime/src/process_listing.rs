//! The processes of a container as the host's `/proc` shows them, proc(5).

use crate::cgroup::Members;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A process of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerProcess {
    /// Its number in the host's process namespace.
    pub pid: i32,
    /// Its parent's number.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Its state, a letter.
    pub state: char,
    /// Its user id, the effective one.
    pub uid: u32,
    /// Its group id, the effective one.
    pub gid: u32,
    /// Its terminal as the kernel numbers devices; 0 for none.
    pub terminal: u32,
    /// The process group that is in the foreground of that terminal.
    pub foreground_group: i32,
    /// How many threads it has.
    pub threads: u32,
    /// Its niceness, from -20 to 19.
    pub nice: i32,
    /// When it was started.
    pub started: Timestamp,
    /// Processor time it has used.
    pub cpu: Duration,
    /// The size of its address space, in bytes.
    pub virtual_bytes: u64,
    /// The memory it has, in bytes.
    pub resident_bytes: u64,
    /// The name of its program, shortened by the kernel.
    pub name: String,
    /// Its words; empty if it has none any more.
    pub arguments: Vec<String>,
}

/// What the kernel counts in.
#[derive(Debug, Clone, Copy)]
struct Units {
    ticks_per_second: u64,
    page_bytes: u64,
    boot: Timestamp,
}

impl Runtime {
    /// The processes of a running container, by number.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`].
    pub fn processes(
        &self,
        config: &ContainerConfig,
    ) -> Result<Vec<ContainerProcess>, RuntimeError> {
        listed(&self.members(config)?)
    }
}

/// The processes of a container; those that have just ended are left out.
pub(crate) fn listed(members: &Members) -> Result<Vec<ContainerProcess>, RuntimeError> {
    let units = Units::read()?;
    let mut pids = members.processes()?;
    pids.sort_unstable();
    Ok(pids.iter().filter_map(|pid| process(*pid, units)).collect())
}

fn process(pid: i32, units: Units) -> Option<ContainerProcess> {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}"));
    let stat = String::from_utf8_lossy(&read("stat").ok()?).into_owned();
    let status = String::from_utf8_lossy(&read("status").ok()?).into_owned();
    let arguments = read("cmdline").ok()?;
    parse((&stat, &status, &arguments), units)
}

impl Units {
    fn read() -> Result<Units, RuntimeError> {
        let path = PathBuf::from("/proc/stat");
        let text =
            fs::read_to_string(&path).map_err(|error| RuntimeError::file("read", &path, error))?;
        let boot = text.lines().find_map(|line| line.strip_prefix("btime "));
        let boot = boot.and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
        Ok(Units {
            ticks_per_second: configured(nix::unistd::SysconfVar::CLK_TCK, 100),
            page_bytes: configured(nix::unistd::SysconfVar::PAGE_SIZE, 4096),
            boot: boot.unwrap_or_default(),
        })
    }

    fn duration(self, ticks: u64) -> Duration {
        let (seconds, rest) = (ticks / self.ticks_per_second, ticks % self.ticks_per_second);
        Duration::from_secs(seconds) + Duration::from_secs(rest) / self.ticks_per_second as u32
    }
}

fn configured(variable: nix::unistd::SysconfVar, usual: u64) -> u64 {
    let value = nix::unistd::sysconf(variable).ok().flatten();
    let value = value.and_then(|value| u64::try_from(value).ok());
    value.filter(|value| *value > 0).unwrap_or(usual)
}

/// The name of the program stands in parentheses and may hold anything, so the fields are counted from behind the last one.
fn parse((stat, status, arguments): (&str, &str, &[u8]), units: Units) -> Option<ContainerProcess> {
    let (pid, behind) = stat.split_once(" (")?;
    let (name, behind) = behind.rsplit_once(") ")?;
    let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<i64>().ok();
    let count = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let since_boot = SignedDuration::try_from(units.duration(count(19)?)).ok()?;
    Some(ContainerProcess {
        pid: pid.parse().ok()?,
        parent: number(1)? as i32,
        group: number(2)? as i32,
        session: number(3)? as i32,
        state: fields.first()?.chars().next()?,
        uid: effective(status, "Uid:")?,
        gid: effective(status, "Gid:")?,
        terminal: number(4)? as u32,
        foreground_group: number(5)? as i32,
        threads: count(17)? as u32,
        nice: number(16)? as i32,
        started: units.boot.checked_add(since_boot).ok()?,
        cpu: units.duration(count(11)? + count(12)?),
        virtual_bytes: count(20)?,
        resident_bytes: count(21)? * units.page_bytes,
        name: name.to_owned(),
        arguments: words(arguments),
    })
}

/// Lines such as `Uid: 1000 1000 1000 1000`: real, effective, saved, of the file system.
fn effective(status: &str, key: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Each word ends with a zero byte.
fn words(arguments: &[u8]) -> Vec<String> {
    let text = arguments.strip_suffix(&[0]).unwrap_or(arguments);
    match text {
        [] => Vec::new(),
        text => text
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_field_by_field() {
        let stat = "42 (a) b (c)) S 7 42 41 34816 42 4194560 1 0 0 0 150 50 0 0 20 5 3 0 1000 8192000 300 1 2";
        let status = "Name:\ta\nUid:\t1\t1000\t1\t1\nGid:\t2\t2000\t2\t2\n";
        let units = Units {
            ticks_per_second: 100,
            page_bytes: 4096,
            boot: Timestamp::from_second(1_000_000).unwrap(),
        };
        assert_eq!(
            parse((stat, status, b"sleep\x001 0\x00"), units),
            Some(ContainerProcess {
                pid: 42,
                parent: 7,
                group: 42,
                session: 41,
                state: 'S',
                uid: 1000,
                gid: 2000,
                terminal: 34816,
                foreground_group: 42,
                threads: 3,
                nice: 5,
                started: Timestamp::from_second(1_000_010).unwrap(),
                cpu: Duration::from_secs(2),
                virtual_bytes: 8_192_000,
                resident_bytes: 300 * 4096,
                name: "a) b (c)".into(),
                arguments: vec!["sleep".into(), "1 0".into()],
            })
        );
        assert_eq!(parse(("42", status, b""), units), None);
        assert_eq!(words(b""), Vec::<String>::new());
    }

    #[test]
    fn this_process_is_shown() {
        let pid = std::process::id() as i32;
        let process = process(pid, Units::read().unwrap()).unwrap();
        assert_eq!(process.pid, pid);
        assert!(process.threads > 0 && process.resident_bytes > 0);
        assert!(process.started <= Timestamp::now());
    }
}
