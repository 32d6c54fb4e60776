//! The processes of a container, as ps(1) lists them.

mod column;
mod options;

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};
use minirun_runtime::process_listing::ContainerProcess;

pub use column::Column;
pub use options::columns;

use crate::output::table::Table;

/// What the listing needs to know besides the processes.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The host's names for user ids.
    pub users: HashMap<u32, String>,
    /// Its names for group ids.
    pub groups: HashMap<u32, String>,
    /// Now.
    pub now: Timestamp,
    /// Where times are shown.
    pub zone: TimeZone,
    /// All the memory of the host, in bytes.
    pub memory: u64,
}

/// Lists processes.
pub fn list(
    processes: &[ContainerProcess],
    columns: &[Column],
    surroundings: &Surroundings,
) -> String {
    let headings: Vec<&str> = columns.iter().map(|column| column.heading()).collect();
    let mut table = Table::new(&headings);
    for process in processes {
        table.push(
            columns
                .iter()
                .map(|column| column.value(process, surroundings)),
        );
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn surroundings() -> Surroundings {
        Surroundings {
            users: [(0, "root".to_owned())].into(),
            groups: [(0, "root".to_owned())].into(),
            now: moment("2026-11-21T09:30:00Z"),
            zone: TimeZone::UTC,
            memory: 1 << 30,
        }
    }

    fn process(pid: i32) -> ContainerProcess {
        ContainerProcess {
            pid,
            parent: 7,
            group: pid,
            session: pid,
            state: 'S',
            uid: 0,
            gid: 0,
            terminal: 0,
            foreground_group: -1,
            threads: 1,
            nice: 0,
            started: moment("2026-11-21T09:29:00Z"),
            cpu: Duration::from_secs(3),
            virtual_bytes: 8 << 20,
            resident_bytes: 64 << 20,
            name: "sleep".into(),
            arguments: vec!["sleep".into(), "1000".into()],
        }
    }

    fn shown(processes: &[ContainerProcess], words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        list(processes, &columns(&words).unwrap(), &surroundings())
    }

    #[test]
    fn processes_are_listed_in_full_unless_otherwise_asked_for() {
        let mut other = process(43);
        other.uid = 1000;
        other.terminal = 34816;
        other.started = moment("2026-11-20T09:29:00Z");
        other.cpu = Duration::from_secs(90_061);
        assert_eq!(
            shown(&[process(42), other], &[]),
            "\
UID       PID       PPID      C         STIME     TTY       TIME         CMD
root      42        7         5         09:29     ?         00:00:03     sleep 1000
1000      43        7         99        Nov20     pts/0     1-01:01:01   sleep 1000
"
        );
    }

    #[test]
    fn columns_can_be_chosen() {
        assert_eq!(
            shown(&[process(42)], &["-o", "pid,user,nlwp,args"]),
            "PID       USER      NLWP      COMMAND\n42        root      1         sleep 1000\n"
        );
        assert_eq!(
            shown(
                &[process(42)],
                &["-eo", "pgid,sid,stat,etime,rss,vsz,ni,group,gid,uid"]
            ),
            "PGID      SID       STAT      ELAPSED   RSS       VSZ       NI        GROUP     GID       UID\n\
             42        42        Ss        01:00     65536     8192      0         root      0         0\n"
        );
    }

    #[test]
    fn the_other_formats_of_ps_are_there() {
        assert_eq!(
            shown(&[process(42)], &["aux"]),
            "USER      PID       %CPU      %MEM      VSZ       RSS       TTY       STAT      START     TIME      COMMAND\n\
             root      42        5.0       6.2       8192      65536     ?         Ss        09:29     0:03      sleep 1000\n"
        );
        assert_eq!(
            shown(&[process(42)], &["-e"]),
            "PID       TTY       TIME       CMD\n42        ?         00:00:03   sleep\n"
        );
    }

    #[test]
    fn a_program_without_words_is_shown_by_its_name() {
        let mut ended = process(42);
        ended.state = 'Z';
        ended.arguments = Vec::new();
        let text = shown(&[ended], &["-o", "s,cmd"]);
        assert_eq!(text, "S         CMD\nZ         [sleep] <defunct>\n");
    }

    #[test]
    fn a_program_cannot_act_on_the_terminal() {
        let mut coloured = process(42);
        coloured.arguments = vec!["\x1b[2J\n".into()];
        let text = shown(&[coloured], &["-o", "args"]);
        assert_eq!(text, "COMMAND\n\\x1b[2J\\n\n");
    }
}
