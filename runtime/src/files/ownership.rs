//! Who owns what was copied, and what privileges it keeps.

use crate::image::attributes::{Attributes, CAPABILITY};

/// The set-user-id and the set-group-id bit.
const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;

/// Who owns what was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// The same numbers as before, with all privileges.
    Kept,
    /// The container's root. A set-user-id program of somebody else must not become one of root's.
    Root,
    /// The caller. A container must not put a program on the host that gives its privileges to whoever starts it.
    Caller {
        /// The caller's user.
        uid: u32,
        /// The caller's group.
        gid: u32,
    },
}

/// What attributes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wearer {
    /// A directory, on which the set-group-id bit gives nobody a privilege.
    Directory,
    /// Anything else.
    Other,
}

impl Ownership {
    /// The attributes that something has at its new place.
    pub(super) fn adapt(self, mut attributes: Attributes, wearer: Wearer) -> Attributes {
        let (uid, gid) = match self {
            Self::Kept => return attributes,
            Self::Root => (0, 0),
            Self::Caller { uid, gid } => (uid, gid),
        };
        if wearer == Wearer::Other {
            let is_foreign = matches!(self, Self::Caller { .. });
            if is_foreign || attributes.owner != uid {
                attributes.mode &= !SET_USER_ID;
            }
            if is_foreign || attributes.group != gid {
                attributes.mode &= !SET_GROUP_ID;
            }
            if is_foreign {
                attributes
                    .extended
                    .retain(|(name, _)| name.to_bytes() != CAPABILITY);
            }
        }
        attributes.owner = uid;
        attributes.group = gid;
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(owner: u32, group: u32, mode: u32) -> Attributes {
        Attributes {
            mode,
            owner,
            group,
            extended: vec![(c"security.capability".to_owned(), vec![1])],
            ..Attributes::of_nobody()
        }
    }

    const CALLER: Ownership = Ownership::Caller { uid: 0, gid: 0 };

    #[test]
    fn what_keeps_its_owner_keeps_everything() {
        let program = of(1000, 50, 0o6755);
        assert_eq!(
            Ownership::Kept.adapt(program.clone(), Wearer::Other),
            program
        );
    }

    #[test]
    fn a_program_that_becomes_roots_gains_no_privilege_by_it() {
        let adapted = Ownership::Root.adapt(of(1000, 0, 0o6755), Wearer::Other);
        assert_eq!((adapted.owner, adapted.group, adapted.mode), (0, 0, 0o2755));
        let adapted = Ownership::Root.adapt(of(0, 0, 0o4755), Wearer::Other);
        assert_eq!((adapted.mode, adapted.extended.len()), (0o4755, 1));
    }

    #[test]
    fn a_program_of_a_container_has_no_privilege_on_the_host() {
        let adapted = CALLER.adapt(of(0, 0, 0o6755), Wearer::Other);
        assert_eq!((adapted.mode, adapted.extended.len()), (0o755, 0));
    }

    #[test]
    fn the_bits_of_a_directory_stay() {
        let adapted = CALLER.adapt(of(5, 5, 0o3777), Wearer::Directory);
        assert_eq!((adapted.owner, adapted.mode), (0, 0o3777));
    }
}
