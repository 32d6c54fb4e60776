//! On what it was measured.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::benchmark::peers::is_installed;
use crate::binary;

/// The machine, and the versions of everything that takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `2 × NAME OF THE PROCESSOR`.
    pub processors: String,
    /// Its main memory, in MiB.
    pub memory: u64,
    /// How many wanted a processor, on average, in the minute before: the machine should have nothing else to do.
    pub load: String,
    /// As `uname -r` says it.
    pub kernel: String,
    /// First lines of what the programs say to `--version`, minirun first.
    pub programs: Vec<String>,
}

/// Those whose version is told, if they are installed.
const PROGRAMS: [&str; 9] = [
    "iptables",
    "nft",
    "docker",
    "podman",
    "crun",
    "runc",
    "bwrap",
    "systemd-nspawn",
    "iperf3",
];

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown".to_owned());
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kibibytes: u64 = first_word(&memory).parse().unwrap_or_default();
        let minirun = binary::find().map(|path| path.display().to_string());
        let others = PROGRAMS.iter().filter(|name| is_installed(name));
        let programs = minirun
            .into_iter()
            .chain(others.map(|name| (*name).to_owned()));
        Self {
            processors: format!("{count} × {processor}"),
            memory: kibibytes / 1024,
            load: first_word(&read("/proc/loadavg")),
            kernel: read("/proc/sys/kernel/osrelease").trim_end().to_owned(),
            programs: programs.filter_map(|name| version(&name)).collect(),
        }
    }

    /// Lines for a person.
    pub fn lines(&self) -> Vec<String> {
        vec![
            format!("machine   {}, {} MiB", self.processors, self.memory),
            format!("load      {} in the minute before", self.load),
            format!("kernel    {}", self.kernel),
            format!("programs  {}", self.programs.join("; ")),
        ]
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({
            "processors": self.processors,
            "memory_mib": self.memory,
            "load": self.load,
            "kernel": self.kernel,
            "programs": self.programs,
        })
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(
        line.trim_start_matches([' ', '\t', ':'])
            .trim_end()
            .to_owned(),
    )
}

/// The first line that it prints; whatever it prints does it no harm.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_file_in_proc_is_what_follows_its_name() {
        let text = "processor\t: 0\nmodel name\t: A Processor\nmodel name\t: Another\n";
        assert_eq!(field(text, "model name"), Some("A Processor".to_owned()));
        assert_eq!(
            field("MemTotal:   8000 kB\n", "MemTotal"),
            Some("8000 kB".to_owned())
        );
        assert_eq!(field(text, "colour"), None);
    }
}
