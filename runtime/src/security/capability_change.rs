//! Capabilities beside the usual ones.

use serde::{Deserialize, Serialize};

use super::Privilege;
use super::capability_word::CapabilityWord;
use crate::capabilities::CapabilityMask;

/// What `--cap-add` and `--cap-drop` say, in the form that Docker shows: each word once, in the order of the alphabet, and `ALL`
/// instead of all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapabilityChange {
    add: Vec<CapabilityWord>,
    drop: Vec<CapabilityWord>,
}

impl CapabilityChange {
    /// The change that these words ask for.
    pub fn new(add: &[CapabilityWord], drop: &[CapabilityWord]) -> CapabilityChange {
        CapabilityChange {
            add: in_order(add),
            drop: in_order(drop),
        }
    }

    /// What is added.
    pub fn added(&self) -> &[CapabilityWord] {
        &self.add
    }

    /// What is dropped.
    pub fn dropped(&self) -> &[CapabilityWord] {
        &self.drop
    }

    /// What a container of this privilege has, where the usual set and the set of all that can be had are these. Adding is
    /// stronger than dropping. As with Docker, `ALL` is had without what is dropped by name, and of what all is dropped the named ones are had.
    pub fn resolve(
        &self,
        privilege: Privilege,
        (usual, all): (CapabilityMask, CapabilityMask),
    ) -> CapabilityMask {
        let (added, dropped) = (named(&self.add), named(&self.drop));
        match privilege {
            Privilege::Privileged => all,
            Privilege::Ordinary if self.add.contains(&CapabilityWord::All) => all.without(dropped),
            Privilege::Ordinary if self.drop.contains(&CapabilityWord::All) => added,
            Privilege::Ordinary => usual.without(dropped).with(added),
        }
    }
}

fn in_order(words: &[CapabilityWord]) -> Vec<CapabilityWord> {
    if words.contains(&CapabilityWord::All) {
        return vec![CapabilityWord::All];
    }
    let mut words = words.to_vec();
    words.sort_by_cached_key(ToString::to_string);
    words.dedup();
    words
}

fn named(words: &[CapabilityWord]) -> CapabilityMask {
    let one = |word: &CapabilityWord| match word {
        CapabilityWord::One(capability) => Some(*capability),
        CapabilityWord::All => None,
    };
    words.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::DEFAULT_CAPABILITIES;

    fn words(text: &str) -> Vec<CapabilityWord> {
        let parsed = text.split_whitespace().map(|word| word.parse().unwrap());
        parsed.collect()
    }

    fn resolved(add: &str, drop: &str) -> CapabilityMask {
        let usual = DEFAULT_CAPABILITIES.into_iter().collect();
        let all = caps::all().into_iter().collect();
        CapabilityChange::new(&words(add), &words(drop)).resolve(Privilege::Ordinary, (usual, all))
    }

    fn mask(text: &str) -> CapabilityMask {
        named(&words(text))
    }

    #[test]
    fn words_are_shown_once_and_in_order() {
        let change = CapabilityChange::new(
            &words("sys_time NET_ADMIN net_admin"),
            &words("mknod cap_net_admin chown"),
        );
        assert_eq!(change.added(), words("NET_ADMIN SYS_TIME"));
        assert_eq!(change.dropped(), words("CHOWN MKNOD NET_ADMIN"));
        let all = CapabilityChange::new(&words("chown ALL"), &words("all chown"));
        assert_eq!(
            (all.added(), all.dropped()),
            (&words("ALL")[..], &words("ALL")[..])
        );
    }

    #[test]
    fn single_words_change_the_usual_set() {
        let usual = resolved("", "");
        assert_eq!(usual.to_string(), "00000000a80425fb");
        assert_eq!(resolved("net_admin", ""), usual.with(mask("net_admin")));
        assert_eq!(resolved("", "net_raw"), usual.without(mask("net_raw")));
        assert_eq!(resolved("net_raw", "net_raw"), usual);
    }

    #[test]
    fn all_is_what_single_words_are_then_taken_from_or_added_to() {
        assert_eq!(resolved("", "all"), mask(""));
        assert_eq!(resolved("chown kill", "all"), mask("chown kill"));
        let all = resolved("all", "");
        assert_eq!(all.to_string(), "000001ffffffffff");
        assert_eq!(resolved("all", "sys_admin"), all.without(mask("sys_admin")));
        assert_eq!(resolved("all", "all"), all);
    }

    #[test]
    fn a_privileged_container_has_all_that_there_is() {
        let change = CapabilityChange::new(&[], &words("all"));
        let all = mask("chown sys_admin");
        let had = change.resolve(Privilege::Privileged, (mask("chown"), all));
        assert_eq!(had, all);
    }
}
