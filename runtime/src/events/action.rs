//! What can happen, in Docker's words.

use std::fmt;
use std::str::FromStr;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Somebody's terminal or pipe was connected with a container's streams.
    Attach,
    /// An image was made of a container.
    Commit,
    /// A container was connected to a network.
    Connect,
    /// Files were copied out of a container or into it.
    Copy,
    /// It was made.
    Create,
    /// An image is gone.
    Delete,
    /// A container, network or volume is gone.
    Destroy,
    /// Somebody let go of a container's streams, which runs on.
    Detach,
    /// A container's program has ended.
    Die,
    /// A container was taken off a network.
    Disconnect,
    /// One more program is about to be executed in a container.
    ExecCreate,
    /// Such a program has ended.
    ExecDie,
    /// Such a program was let go of and runs on.
    ExecDetach,
    /// Such a program runs.
    ExecStart,
    /// A container's files were written into an archive.
    Export,
    /// A container's health has changed.
    HealthStatus,
    /// An image was made of an archive or directory.
    Import,
    /// A container was sent a signal.
    Kill,
    /// A volume was mounted in a container.
    Mount,
    /// The kernel killed a process of a container for want of memory.
    Oom,
    /// A container was frozen.
    Pause,
    /// What nobody used was removed.
    Prune,
    /// A container has another name.
    Rename,
    /// A container's terminal has another size.
    Resize,
    /// A container was stopped and started.
    Restart,
    /// A container's program runs.
    Start,
    /// A container was asked to end, and has ended.
    Stop,
    /// An image was given a name.
    Tag,
    /// Somebody asked for a container's processes.
    Top,
    /// A volume was unmounted.
    Unmount,
    /// A container was thawed.
    Unpause,
    /// An image has lost a name.
    Untag,
    /// A container's limits or policies were changed.
    Update,
}

impl Action {
    /// Everything that can happen, by the words for it.
    pub const WORDS: [(&'static str, Action); 33] = [
        ("attach", Action::Attach),
        ("commit", Action::Commit),
        ("connect", Action::Connect),
        ("copy", Action::Copy),
        ("create", Action::Create),
        ("delete", Action::Delete),
        ("destroy", Action::Destroy),
        ("detach", Action::Detach),
        ("die", Action::Die),
        ("disconnect", Action::Disconnect),
        ("exec_create", Action::ExecCreate),
        ("exec_detach", Action::ExecDetach),
        ("exec_die", Action::ExecDie),
        ("exec_start", Action::ExecStart),
        ("export", Action::Export),
        ("health_status", Action::HealthStatus),
        ("import", Action::Import),
        ("kill", Action::Kill),
        ("mount", Action::Mount),
        ("oom", Action::Oom),
        ("pause", Action::Pause),
        ("prune", Action::Prune),
        ("rename", Action::Rename),
        ("resize", Action::Resize),
        ("restart", Action::Restart),
        ("start", Action::Start),
        ("stop", Action::Stop),
        ("tag", Action::Tag),
        ("top", Action::Top),
        ("unmount", Action::Unmount),
        ("unpause", Action::Unpause),
        ("untag", Action::Untag),
        ("update", Action::Update),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        let mut words = Action::WORDS.iter();
        words
            .find(|(_, action)| *action == self)
            .map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A word that stands for nothing that can happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event is called `{0}`")]
pub struct UnknownAction(String);

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(word: &str) -> Result<Action, UnknownAction> {
        let mut words = Action::WORDS.iter();
        words
            .find(|(known, _)| *known == word)
            .map(|(_, action)| *action)
            .ok_or_else(|| UnknownAction(word.into()))
    }
}
