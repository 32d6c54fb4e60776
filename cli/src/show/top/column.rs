//! What can be listed of a process, by the names that ps(1) has for it.

use std::time::Duration;

use jiff::Timestamp;
use minirun_runtime::process_listing::ContainerProcess;

use super::super::moment::elapsed;
use super::Surroundings;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The major numbers of terminals that programs make, devices.txt of the kernel.
const PSEUDO_TERMINALS: std::ops::RangeInclusive<u32> = 136..=143;

/// A column of the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    heading: &'static str,
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    User,
    UserId,
    Group,
    GroupId,
    Pid,
    Parent,
    ProcessGroup,
    Session,
    State,
    States,
    Terminal,
    Threads,
    Nice,
    CpuWhole,
    CpuPart,
    MemoryPart,
    Virtual,
    Resident,
    Started,
    Elapsed,
    Seconds,
    Time,
    ShortTime,
    Name,
    Words,
}

/// Each name with its heading and what stands below.
const COLUMNS: &[(&str, &str, Content)] = &[
    ("user", "USER", Content::User),
    ("euser", "EUSER", Content::User),
    ("uname", "USER", Content::User),
    ("uid", "UID", Content::UserId),
    ("euid", "EUID", Content::UserId),
    ("group", "GROUP", Content::Group),
    ("egroup", "EGROUP", Content::Group),
    ("gid", "GID", Content::GroupId),
    ("egid", "EGID", Content::GroupId),
    ("pid", "PID", Content::Pid),
    ("ppid", "PPID", Content::Parent),
    ("pgid", "PGID", Content::ProcessGroup),
    ("pgrp", "PGRP", Content::ProcessGroup),
    ("sid", "SID", Content::Session),
    ("sess", "SESS", Content::Session),
    ("s", "S", Content::State),
    ("state", "S", Content::State),
    ("stat", "STAT", Content::States),
    ("tty", "TT", Content::Terminal),
    ("tt", "TT", Content::Terminal),
    ("tname", "TTY", Content::Terminal),
    ("nlwp", "NLWP", Content::Threads),
    ("thcount", "THCNT", Content::Threads),
    ("ni", "NI", Content::Nice),
    ("nice", "NI", Content::Nice),
    ("c", "C", Content::CpuWhole),
    ("pcpu", "%CPU", Content::CpuPart),
    ("%cpu", "%CPU", Content::CpuPart),
    ("pmem", "%MEM", Content::MemoryPart),
    ("%mem", "%MEM", Content::MemoryPart),
    ("vsz", "VSZ", Content::Virtual),
    ("vsize", "VSZ", Content::Virtual),
    ("rss", "RSS", Content::Resident),
    ("rsz", "RSZ", Content::Resident),
    ("stime", "STIME", Content::Started),
    ("start", "STARTED", Content::Started),
    ("start_time", "START", Content::Started),
    ("etime", "ELAPSED", Content::Elapsed),
    ("etimes", "ELAPSED", Content::Seconds),
    ("time", "TIME", Content::Time),
    ("cputime", "TIME", Content::Time),
    ("bsdtime", "TIME", Content::ShortTime),
    ("comm", "COMMAND", Content::Name),
    ("ucmd", "CMD", Content::Name),
    ("args", "COMMAND", Content::Words),
    ("command", "COMMAND", Content::Words),
    ("cmd", "CMD", Content::Words),
];

impl Column {
    /// The column of this name.
    pub(super) fn named(name: &str) -> Option<Column> {
        let (_, heading, content) = COLUMNS.iter().find(|(known, ..)| *known == name)?;
        Some(Column {
            heading,
            content: *content,
        })
    }

    /// The same below another heading.
    pub(super) fn headed(self, heading: &'static str) -> Column {
        Column { heading, ..self }
    }

    /// What stands above it.
    pub(super) fn heading(self) -> &'static str {
        self.heading
    }

    /// What stands in it for a process.
    pub(super) fn value(self, process: &ContainerProcess, around: &Surroundings) -> String {
        let age = elapsed(process.started, around.now);
        match self.content {
            Content::User => name_or_number(around.users.get(&process.uid), process.uid),
            Content::UserId => process.uid.to_string(),
            Content::Group => name_or_number(around.groups.get(&process.gid), process.gid),
            Content::GroupId => process.gid.to_string(),
            Content::Pid => process.pid.to_string(),
            Content::Parent => process.parent.to_string(),
            Content::ProcessGroup => process.group.to_string(),
            Content::Session => process.session.to_string(),
            Content::State => process.state.to_string(),
            Content::States => states(process),
            Content::Terminal => terminal(process.terminal),
            Content::Threads => process.threads.to_string(),
            Content::Nice => process.nice.to_string(),
            Content::CpuWhole => (percent(process.cpu, age) as u64).min(99).to_string(),
            Content::CpuPart => format!("{:.1}", percent(process.cpu, age)),
            Content::MemoryPart => memory_part(process.resident_bytes, around.memory),
            Content::Virtual => (process.virtual_bytes / 1024).to_string(),
            Content::Resident => (process.resident_bytes / 1024).to_string(),
            Content::Started => started(process.started, around),
            Content::Elapsed => clock(age, HOUR),
            Content::Seconds => age.as_secs().to_string(),
            Content::Time => clock(process.cpu, 0),
            Content::ShortTime => short_clock(process.cpu),
            Content::Name => process.name.clone(),
            Content::Words => words(process),
        }
    }
}

fn name_or_number(name: Option<&String>, number: u32) -> String {
    name.cloned().unwrap_or_else(|| number.to_string())
}

/// The letter of the state, and more letters for what else is known.
fn states(process: &ContainerProcess) -> String {
    let letters = [
        (process.nice < 0, '<'),
        (process.nice > 0, 'N'),
        (process.session == process.pid, 's'),
        (process.threads > 1, 'l'),
        (process.foreground_group == process.group, '+'),
    ];
    let more = letters
        .into_iter()
        .filter_map(|(is_so, letter)| is_so.then_some(letter));
    std::iter::once(process.state).chain(more).collect()
}

/// The name of a terminal by its number, of which the kernel shuffles the parts.
fn terminal(device: u32) -> String {
    let major = device >> 8 & 0xfff;
    let minor = device & 0xff | device >> 12 & 0xfff00;
    match (major, minor) {
        (0, _) => "?".to_owned(),
        (4, 0..64) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (major, _) if PSEUDO_TERMINALS.contains(&major) => format!("pts/{minor}"),
        _ => format!("{major}:{minor}"),
    }
}

fn percent(used: Duration, elapsed: Duration) -> f64 {
    match elapsed.as_secs_f64() {
        0.0 => 0.0,
        elapsed => used.as_secs_f64() / elapsed * 100.0,
    }
}

fn memory_part(used: u64, all: u64) -> String {
    format!("{:.1}", used as f64 / all.max(1) as f64 * 100.0)
}

/// The hour of today, the day of this year, or the year.
fn started(then: Timestamp, around: &Surroundings) -> String {
    let (then, now) = (
        then.to_zoned(around.zone.clone()),
        around.now.to_zoned(around.zone.clone()),
    );
    let format = match () {
        () if then.date() == now.date() => "%H:%M",
        () if then.year() == now.year() => "%b%d",
        () => "%Y",
    };
    then.strftime(format).to_string()
}

/// Days, hours, minutes and seconds; the days only if there are any, and no hours below `least_with_hours` seconds.
fn clock(time: Duration, least_with_hours: u64) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / DAY, seconds % DAY / HOUR);
    let (minutes, rest) = (seconds % HOUR / MINUTE, seconds % MINUTE);
    match () {
        () if days > 0 => format!("{days}-{hours:02}:{minutes:02}:{rest:02}"),
        () if seconds < least_with_hours => format!("{minutes:02}:{rest:02}"),
        () => format!("{hours:02}:{minutes:02}:{rest:02}"),
    }
}

fn short_clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / MINUTE, seconds % MINUTE)
}

fn words(process: &ContainerProcess) -> String {
    match (process.arguments.is_empty(), process.state) {
        (false, _) => process.arguments.join(" "),
        (true, 'Z') => format!("[{}] <defunct>", process.name),
        (true, _) => format!("[{}]", process.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_have_names() {
        for (device, name) in [
            (0, "?"),
            (0x401, "tty1"),
            (0x440, "ttyS0"),
            (136 << 8 | 3, "pts/3"),
            (136 << 8 | 1 << 20, "pts/256"),
            (5 << 8 | 1, "5:1"),
        ] {
            assert_eq!(terminal(device), name);
        }
    }

    #[test]
    fn spans_are_written_as_ps_writes_them() {
        let clock = |seconds, least| clock(Duration::from_secs(seconds), least);
        assert_eq!(clock(5, HOUR), "00:05");
        assert_eq!(clock(5, 0), "00:00:05");
        assert_eq!(clock(HOUR, HOUR), "01:00:00");
        assert_eq!(clock(2 * DAY + 1, HOUR), "2-00:00:01");
        assert_eq!(short_clock(Duration::from_secs(125)), "2:05");
    }
}
