//! Mount options as fstab spells them, sorted into flags, clearings, propagation and what the file system itself reads.

use super::init_step::Owners;
use super::system_call::{
    Depth, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
    MountAttributes,
};

/// What a bind mount is changed to before it is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BindAttributes {
    /// For the mount itself.
    pub(super) single: MountAttributes,
    /// For it and all mounts below.
    pub(super) recursive: MountAttributes,
}

/// The options of one mount of a Spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MountOptions {
    /// `MS_…` flags of mount(2).
    pub(super) flags: libc::c_ulong,
    /// Flags that were taken back by words like `rw` or `exec`.
    pub(super) cleared: libc::c_ulong,
    /// Flags that hold for the mounts below as well, by words like `rro`.
    pub(super) recursive_flags: libc::c_ulong,
    /// Flags that were taken back from the mounts below as well, by words like `rrw`.
    pub(super) recursive_cleared: libc::c_ulong,
    /// `MS_PRIVATE` and its like, or 0.
    pub(super) propagation: libc::c_ulong,
    /// Comma-separated words for the file system.
    pub(super) data: String,
    /// Whether and how deep it is a bind mount.
    pub(super) bind: Option<Depth>,
    /// Whose the files are shown to be.
    pub(super) owners: Owners,
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

const RECURSIVE_SETTING: &[(&str, libc::c_ulong)] = &[
    ("rro", libc::MS_RDONLY),
    ("rnosuid", libc::MS_NOSUID),
    ("rnodev", libc::MS_NODEV),
    ("rnoexec", libc::MS_NOEXEC),
];

const RECURSIVE_CLEARING: &[(&str, libc::c_ulong)] = &[
    ("rrw", libc::MS_RDONLY),
    ("rsuid", libc::MS_NOSUID),
    ("rdev", libc::MS_NODEV),
    ("rexec", libc::MS_NOEXEC),
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

    /// The same for calls that change a mount that is there already.
    pub(super) fn attributes(&self) -> BindAttributes {
        let propagation = match self.propagation {
            0 => libc::MS_PRIVATE | libc::MS_REC,
            propagation => propagation,
        };
        let kind = propagation & !libc::MS_REC;
        let (single, recursive) = match propagation & libc::MS_REC {
            0 => (kind, 0),
            _ => (0, kind),
        };
        BindAttributes {
            single: attributes(self.flags, self.cleared, single),
            recursive: attributes(self.recursive_flags, self.recursive_cleared, recursive),
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
            "idmap" => self.owners = Owners::Shifted,
            "rbind" => self.bind = Some(Depth::Recursive),
            _ => {
                if let Some(flag) = find(SETTING) {
                    self.flags |= flag;
                    self.cleared &= !flag;
                } else if let Some(flag) = find(CLEARING) {
                    self.flags &= !flag;
                    self.cleared |= flag;
                } else if let Some(flag) = find(RECURSIVE_SETTING) {
                    self.recursive_flags |= flag;
                    self.recursive_cleared &= !flag;
                } else if let Some(flag) = find(RECURSIVE_CLEARING) {
                    self.recursive_flags &= !flag;
                    self.recursive_cleared |= flag;
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

/// `mount_setattr` in the kernel's words.
fn attributes(
    flags: libc::c_ulong,
    cleared: libc::c_ulong,
    propagation: libc::c_ulong,
) -> MountAttributes {
    let translate = |flags| {
        ATTRIBUTES
            .iter()
            .filter(|(flag, _)| flags & flag != 0)
            .fold(0, |sum, (_, attribute)| sum | attribute)
    };
    MountAttributes {
        set: translate(flags),
        clear: translate(cleared),
        propagation,
        user_namespace: 0,
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
        assert_eq!(parse("rw,ro").attributes().single.set, MOUNT_ATTR_RDONLY);
        assert_eq!(parse("rw,ro").attributes().single.clear, 0);
        assert_eq!(parse("rro,rrw").attributes().recursive.set, 0);
    }

    #[test]
    fn a_bind_mount_is_private_unless_it_says_otherwise() {
        let options = parse("rbind,ro");
        assert_eq!(options.bind, Some(Depth::Recursive));
        let attributes = options.attributes();
        assert_eq!(attributes.recursive.propagation, libc::MS_PRIVATE);
        assert_eq!(attributes.single.propagation, 0);
        let slave = parse("bind,slave").attributes();
        assert_eq!(slave.single.propagation, libc::MS_SLAVE);
        assert_eq!(slave.recursive.propagation, 0);
    }

    #[test]
    fn some_words_hold_for_the_mounts_below_as_well() {
        let attributes = parse("rbind,rro,rnodev,noexec").attributes();
        assert_eq!(
            attributes.recursive.set,
            MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV
        );
        assert_eq!(attributes.single.set, MOUNT_ATTR_NOEXEC);
    }
}
