//! The lines that `--status-fd` writes.

use serde_json::Value;

use crate::finished::Finished;
use crate::host::TestHost;

/// Where a test has them written to.
const FILE: &str = "/run/verdict";

/// What a command did, and what it told of the container.
#[derive(Debug)]
pub struct Verdict {
    /// The command.
    pub finished: Finished,
    /// The lines, each with its `event`.
    pub lines: Vec<Value>,
}

impl TestHost {
    /// Runs a line of shell in a container of the image `busybox`, with `options`, and reads the verdict.
    #[track_caller]
    pub fn judges(&self, options: &str, script: &str) -> Verdict {
        let script = script.replace('\'', r"'\''");
        self.judges_command(&format!(
            "run {options} --status-fd 3 busybox sh -c '{script}'"
        ))
    }

    /// Runs minirun with words that say `--status-fd 3`.
    #[track_caller]
    pub fn judges_command(&self, words: &str) -> Verdict {
        let finished = self.command("sh", ["-c", &format!("minirun {words} 3>{FILE}")]);
        let text = self.read_file(FILE);
        self.command("rm", [FILE]).succeeds();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}"));
        Verdict {
            lines: text.lines().map(parse).collect(),
            finished,
        }
    }
}

impl Verdict {
    /// The last line, which must tell of the end of the container.
    #[track_caller]
    pub fn end(&self) -> &Value {
        let end = self.lines.last().expect("there is a line");
        assert_eq!(end["event"], "exited", "{:?}", self.lines);
        end
    }

    /// What was told, in its order.
    pub fn events(&self) -> Vec<&str> {
        let events = self.lines.iter().map(|line| line["event"].as_str());
        events.map(Option::unwrap_or_default).collect()
    }
}
