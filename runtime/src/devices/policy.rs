//! Which devices a container may use, as one list.

use super::access::DeviceAccess;
use super::number::{DeviceKind, NumberWanted};
use super::rule::DeviceRule;
use std::collections::BTreeMap;

/// What every container may use, as Docker and runc have it: nodes of any device can be made, and these be opened. `5:1` is
/// the console, `5:2` and `136` are terminals, and `10:200` makes network interfaces for who has `CAP_NET_ADMIN`.
const USUAL: [(NumberWanted, NumberWanted); 10] = [
    (NumberWanted::One(1), NumberWanted::One(3)),
    (NumberWanted::One(1), NumberWanted::One(5)),
    (NumberWanted::One(1), NumberWanted::One(7)),
    (NumberWanted::One(1), NumberWanted::One(8)),
    (NumberWanted::One(1), NumberWanted::One(9)),
    (NumberWanted::One(5), NumberWanted::One(0)),
    (NumberWanted::One(5), NumberWanted::One(1)),
    (NumberWanted::One(5), NumberWanted::One(2)),
    (NumberWanted::One(10), NumberWanted::One(200)),
    (NumberWanted::One(136), NumberWanted::Any),
];

/// What somebody wants to do with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its numbers, major and minor.
    pub number: (u32, u32),
    /// What is wanted, all at once.
    pub access: DeviceAccess,
}

/// The devices that may be used. What no entry permits is refused.
///
/// One entry has to permit all of a request, as in the kernel's own lists (version 1); entries for the same devices are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePolicy {
    entries: BTreeMap<(DeviceKind, NumberWanted, NumberWanted), DeviceAccess>,
}

impl DevicePolicy {
    /// What every container may use.
    pub fn usual() -> DevicePolicy {
        let mut policy = DevicePolicy {
            entries: BTreeMap::new(),
        };
        policy.permit(&every_device(DeviceAccess::MAKE));
        for (major, minor) in USUAL {
            policy.permit(&DeviceRule {
                kind: Some(DeviceKind::Character),
                major,
                minor,
                access: DeviceAccess::ALL,
            });
        }
        policy
    }

    /// All devices.
    pub fn everything() -> DevicePolicy {
        let mut policy = DevicePolicy {
            entries: BTreeMap::new(),
        };
        policy.permit(&every_device(DeviceAccess::ALL));
        policy
    }

    /// Adds what a rule permits.
    pub fn permit(&mut self, rule: &DeviceRule) {
        for kind in rule.kinds() {
            self.entries
                .entry((kind, rule.major, rule.minor))
                .and_modify(|access| *access = access.with(rule.access))
                .or_insert(rule.access);
        }
    }

    /// Whether a request is permitted.
    pub fn permits(&self, request: &DeviceRequest) -> bool {
        self.rules().any(|rule| {
            rule.kind == Some(request.kind)
                && rule.major.matches(request.number.0)
                && rule.minor.matches(request.number.1)
                && rule.access.includes(request.access)
        })
    }

    /// The entries as rules, each of one kind.
    pub fn rules(&self) -> impl Iterator<Item = DeviceRule> {
        self.entries
            .iter()
            .map(|((kind, major, minor), access)| DeviceRule {
                kind: Some(*kind),
                major: *major,
                minor: *minor,
                access: *access,
            })
    }
}

fn every_device(access: DeviceAccess) -> DeviceRule {
    DeviceRule {
        kind: None,
        major: NumberWanted::Any,
        minor: NumberWanted::Any,
        access,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(policy: &DevicePolicy, request: &str) -> bool {
        let request: DeviceRule = request.parse().unwrap();
        let (NumberWanted::One(major), NumberWanted::One(minor)) = (request.major, request.minor)
        else {
            panic!("a request is for one device");
        };
        policy.permits(&DeviceRequest {
            kind: request.kind.unwrap(),
            number: (major, minor),
            access: request.access,
        })
    }

    #[test]
    fn the_usual_devices_can_be_used_and_any_node_be_made() {
        let policy = DevicePolicy::usual();
        for permitted in ["c 1:3 rwm", "c 136:77 rw", "b 8:0 m", "c 10:229 m"] {
            assert!(permits(&policy, permitted), "{permitted}");
        }
        for refused in ["b 1:3 r", "b 8:0 r", "c 1:1 r", "c 1:11 w", "c 10:229 rwm"] {
            assert!(!permits(&policy, refused), "{refused}");
        }
    }

    #[test]
    fn rules_for_the_same_devices_add_up() {
        let mut policy = DevicePolicy::usual();
        policy.permit(&"c 10:229 r".parse().unwrap());
        assert!(!permits(&policy, "c 10:229 rw"));
        policy.permit(&"c 10:229 w".parse().unwrap());
        assert!(permits(&policy, "c 10:229 rw"));
        policy.permit(&"a 8:* r".parse().unwrap());
        assert!(permits(&policy, "b 8:1 r") && permits(&policy, "c 8:1 r"));
    }

    #[test]
    fn everything_is_everything() {
        assert!(permits(&DevicePolicy::everything(), "b 4095:1048575 rwm"));
    }
}
