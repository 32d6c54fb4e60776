//! Mount options as fstab spells them, sorted into flags, clearings, propagation and what the file system itself reads.

use super::system_call::{
    Depth, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
    MountAttributes,
};

/// The options of one mount of a Spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MountOptions {
    /// `MS_…` flags of mount(2).
    pub(super) flags: libc::c_ulong,
    /// Flags that were taken back by words like `rw` or `exec`.
    pub(super) cleared: libc::c_ulong,
    /// `MS_PRIVATE` and its like, or 0.
    pub(super) propagation: libc::c_ulong,
    /// Comma-separated words for the file system.
    pub(super) data: String,
    /// Whether and how deep it is a bind mount.
    pub(super) bind: Option<Depth>,
}

const SETTING: &[(&str, libc::c_ulong)] = &[
    ("ro", libc::MS_RDONLY),
    ("nosuid", libc::MS_NOSUID),
    ("nodev", libc::MS_NODEV),
    ("noexec", libc::MS_NOEXEC),
    ("sync", libc::MS_SYNCHRONOUS),
    ("dirsync", libc::MS_DIRSYNC),
    ("noatime", libc::MS_NOATIME),
    ("nodiratime", libc::MS_NODIRATIME),
    ("relatime", libc::MS_RELATIME),
    ("strictatime", libc::MS_STRICTATIME),
];

const CLEARING: &[(&str, libc::c_ulong)] = &[
    ("defaults", 0),
    ("rw", libc::MS_RDONLY),
    ("suid", libc::MS_NOSUID),
    ("dev", libc::MS_NODEV),
    ("exec", libc::MS_NOEXEC),
    ("async", libc::MS_SYNCHRONOUS),
    ("atime", libc::MS_NOATIME),
    ("diratime", libc::MS_NODIRATIME),
    ("norelatime", libc::MS_RELATIME),
    ("nostrictatime", libc::MS_STRICTATIME),
];

const PROPAGATION: &[(&str, libc::c_ulong)] = &[
    ("private", libc::MS_PRIVATE),
    ("rprivate", libc::MS_PRIVATE | libc::MS_REC),
    ("slave", libc::MS_SLAVE),
    ("rslave", libc::MS_SLAVE | libc::MS_REC),
    ("shared", libc::MS_SHARED),
    ("rshared", libc::MS_SHARED | libc::MS_REC),
    ("unbindable", libc::MS_UNBINDABLE),
    ("runbindable", libc::MS_UNBINDABLE | libc::MS_REC),
];

const ATTRIBUTES: &[(libc::c_ulong, u64)] = &[
    (libc::MS_RDONLY, MOUNT_ATTR_RDONLY),
    (libc::MS_NOSUID, MOUNT_ATTR_NOSUID),
    (libc::MS_NODEV, MOUNT_ATTR_NODEV),
    (libc::MS_NOEXEC, MOUNT_ATTR_NOEXEC),
];

impl MountOptions {
    /// Sorts the words; a later word overrides an earlier one.
    pub(super) fn parse(words: &[String]) -> Self {
        let mut options = Self::default();
        for word in words {
            options.add(word);
        }
        options
    }

    /// The same for a call that changes a mount that is there already.
    pub(super) fn attributes(&self) -> MountAttributes {
        let translate = |flags| {
            ATTRIBUTES
                .iter()
                .filter(|(flag, _)| flags & flag != 0)
                .fold(0, |sum, (_, attribute)| sum | attribute)
        };
        MountAttributes {
            set: translate(self.flags),
            clear: translate(self.cleared),
            propagation: match self.propagation {
                0 => libc::MS_PRIVATE,
                propagation => propagation & !libc::MS_REC,
            },
            user_namespace: 0,
        }
    }

    fn add(&mut self, word: &str) {
        let find = |table: &[(&str, libc::c_ulong)]| {
            table
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, flag)| *flag)
        };
        match word {
            "bind" => self.bind = Some(Depth::Single),
            "rbind" => self.bind = Some(Depth::Recursive),
            _ => {
                if let Some(flag) = find(SETTING) {
                    self.flags |= flag;
                    self.cleared &= !flag;
                } else if let Some(flag) = find(CLEARING) {
                    self.flags &= !flag;
                    self.cleared |= flag;
                } else if let Some(flag) = find(PROPAGATION) {
                    self.propagation = flag;
                } else {
                    let comma = if self.data.is_empty() { "" } else { "," };
                    self.data = format!("{}{comma}{word}", self.data);
                }
            }
        }
    }
}

/// The flags of a propagation word of `rootfsPropagation`; a child's mounts must not reach the host, so the default is
/// `rslave`.
pub(super) fn root_propagation(word: Option<&str>) -> libc::c_ulong {
    match word {
        Some("private" | "rprivate") => libc::MS_PRIVATE | libc::MS_REC,
        _ => libc::MS_SLAVE | libc::MS_REC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> MountOptions {
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        MountOptions::parse(&words)
    }

    #[test]
    fn flags_and_data_are_told_apart() {
        let options = parse("nosuid,strictatime,mode=755,size=65536k");
        assert_eq!(options.flags, libc::MS_NOSUID | libc::MS_STRICTATIME);
        assert_eq!(options.data, "mode=755,size=65536k");
        assert_eq!(options.bind, None);
    }

    #[test]
    fn a_later_word_overrides_an_earlier_one() {
        assert_eq!(parse("ro,rw").flags, 0);
        assert_eq!(parse("rw,ro").attributes().set, MOUNT_ATTR_RDONLY);
        assert_eq!(parse("rw,ro").attributes().clear, 0);
    }

    #[test]
    fn a_bind_mount_is_private_unless_it_says_otherwise() {
        let options = parse("rbind,ro");
        assert_eq!(options.bind, Some(Depth::Recursive));
        assert_eq!(options.attributes().propagation, libc::MS_PRIVATE);
        let slave = parse("bind,rslave").attributes();
        assert_eq!(slave.propagation, libc::MS_SLAVE);
    }
}
