//! How a bind mount is said.

use super::init_step::{BindMount, BindSource};
use super::system_call::{
    Depth, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
};
use super::text::{quoted, shown};

/// The attributes as mount(8) spells them.
const WORDS: [(u64, &str); 4] = [
    (MOUNT_ATTR_RDONLY, "ro"),
    (MOUNT_ATTR_NOSUID, "nosuid"),
    (MOUNT_ATTR_NODEV, "nodev"),
    (MOUNT_ATTR_NOEXEC, "noexec"),
];

/// The sentence and the command of a bind mount.
pub(super) fn explain_bind(mount: &BindMount) -> (String, String) {
    let option = match mount.depth {
        Depth::Single => "--bind",
        Depth::Recursive => "--rbind",
    };
    let target = quoted(&mount.target);
    let propagation = match propagation(mount) {
        Some(word) => format!(" && mount --make-{word} {target}"),
        None => String::new(),
    };
    let words = words(mount);
    let attributes = match words.is_empty() {
        true => String::new(),
        false => format!(" && mount -o remount,bind,{} {target}", words.join(",")),
    };
    (
        format!(
            "show the host's {} as /{}",
            mount.source.shown(),
            shown(&mount.target)
        ),
        format!(
            "mount {option} {} {target}{propagation}{attributes}",
            mount.source.quoted(),
        ),
    )
}

/// None for a private mount, which a container's are anyway.
fn propagation(mount: &BindMount) -> Option<String> {
    let attributes = &mount.attributes;
    let (kind, prefix) = match attributes.recursive.propagation {
        0 => (attributes.single.propagation, ""),
        kind => (kind, "r"),
    };
    let word = match kind {
        libc::MS_SLAVE => "slave",
        libc::MS_SHARED => "shared",
        libc::MS_UNBINDABLE => "unbindable",
        _ => return None,
    };
    Some(format!("{prefix}{word}"))
}

fn words(mount: &BindMount) -> Vec<String> {
    let attributes = &mount.attributes;
    let all = [
        (attributes.single.set, ""),
        (attributes.recursive.set, "=recursive"),
    ];
    let of = |(set, suffix): (u64, &'static str)| {
        WORDS
            .iter()
            .filter(move |(attribute, _)| set & attribute != 0)
            .map(move |(_, word)| format!("{word}{suffix}"))
    };
    all.into_iter().flat_map(of).collect()
}

impl BindSource {
    /// The path as a person reads it.
    pub(super) fn shown(&self) -> String {
        match &self.below {
            Some(below) => format!("{}/{}", shown(&self.path), shown(below)),
            None => shown(&self.path),
        }
    }

    /// The path as a shell reads it.
    fn quoted(&self) -> String {
        match &self.below {
            Some(below) => format!("{}/{}", quoted(&self.path), quoted(below)),
            None => quoted(&self.path),
        }
    }
}
