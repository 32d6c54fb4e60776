//! Limits of single processes in the words of the specification, and whether the caller can set them at all.

use crate::process::own_hard_limit;
use crate::resources::Resources;
use crate::resources::error::ResourcesError;
use crate::resources::ulimit::{Ulimit, UlimitName};
use caps::{CapSet, Capability};
use oci_spec::OciSpecError;
use oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};
use std::fs;

/// The most files that the kernel lets any process have open.
const MOST_FILES: &str = "/proc/sys/fs/nr_open";

/// The limits as the specification has them; none if there are none.
///
/// # Errors
/// When one has no form there.
pub(crate) fn specified(resources: &Resources) -> Result<Option<Vec<PosixRlimit>>, OciSpecError> {
    let limit = |ulimit: &Ulimit| {
        PosixRlimitBuilder::default()
            .typ(kind(ulimit.name))
            .soft(ulimit.soft)
            .hard(ulimit.hard)
            .build()
    };
    let limits: Result<Vec<_>, _> = resources.ulimits.iter().map(limit).collect();
    Ok(Some(limits?).filter(|limits| !limits.is_empty()))
}

/// Refuses limits that the kernel would refuse at the start.
pub(crate) fn check_settable(resources: &Resources) -> Result<(), ResourcesError> {
    let raises = caps::has_cap(None, CapSet::Effective, Capability::CAP_SYS_RESOURCE);
    let is_privileged = raises.unwrap_or(false);
    for ulimit in &resources.ulimits {
        check_one(ulimit, is_privileged.then_some(Privileged))?;
    }
    match resources.oom_score {
        Some(score) if score.get() < 0 && !is_privileged => {
            Err(ResourcesError::ScoreNeedsPrivilege(score))
        }
        _ => Ok(()),
    }
}

/// That the caller may raise limits.
struct Privileged;

fn check_one(ulimit: &Ulimit, privileged: Option<Privileged>) -> Result<(), ResourcesError> {
    if ulimit.name == UlimitName::Nofile {
        let most = fs::read_to_string(MOST_FILES).ok();
        let most = most.and_then(|text| text.trim().parse().ok());
        if let Some(most) = most.filter(|most| ulimit.hard > *most) {
            return Err(ResourcesError::TooManyFiles {
                ulimit: *ulimit,
                most,
            });
        }
    }
    let own = match privileged {
        Some(Privileged) => return Ok(()),
        // One that the kernel does not know is refused by it.
        None => own_hard_limit(kind(ulimit.name)).unwrap_or(u64::MAX),
    };
    match ulimit.hard > own {
        true => Err(ResourcesError::UlimitNeedsPrivilege {
            ulimit: *ulimit,
            own,
        }),
        false => Ok(()),
    }
}

fn kind(name: UlimitName) -> PosixRlimitType {
    match name {
        UlimitName::As => PosixRlimitType::RlimitAs,
        UlimitName::Core => PosixRlimitType::RlimitCore,
        UlimitName::Cpu => PosixRlimitType::RlimitCpu,
        UlimitName::Data => PosixRlimitType::RlimitData,
        UlimitName::Fsize => PosixRlimitType::RlimitFsize,
        UlimitName::Locks => PosixRlimitType::RlimitLocks,
        UlimitName::Memlock => PosixRlimitType::RlimitMemlock,
        UlimitName::Msgqueue => PosixRlimitType::RlimitMsgqueue,
        UlimitName::Nice => PosixRlimitType::RlimitNice,
        UlimitName::Nofile => PosixRlimitType::RlimitNofile,
        UlimitName::Nproc => PosixRlimitType::RlimitNproc,
        UlimitName::Rss => PosixRlimitType::RlimitRss,
        UlimitName::Rtprio => PosixRlimitType::RlimitRtprio,
        UlimitName::Rttime => PosixRlimitType::RlimitRttime,
        UlimitName::Sigpending => PosixRlimitType::RlimitSigpending,
        UlimitName::Stack => PosixRlimitType::RlimitStack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_privileges_nothing_is_raised() {
        let ulimit = |text: &str| text.parse::<Ulimit>().expect("a limit");
        let own = own_hard_limit(PosixRlimitType::RlimitNofile).expect("the kernel tells");
        let lower = ulimit(&format!("nofile=10:{}", own.min(1000)));
        assert_eq!(check_one(&lower, None), Ok(()));
        let cpu = own_hard_limit(PosixRlimitType::RlimitCpu).expect("the kernel tells");
        if cpu != u64::MAX {
            assert!(check_one(&ulimit("cpu=-1"), None).is_err());
        }
        let error = check_one(&ulimit("nofile=-1"), Some(Privileged)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`--ulimit nofile=-1:-1` is more"),
            "{error}"
        );
    }
}
