//! The steps of a process whose users are nobody on the host: what is added to the usual ones, and what is changed in them.
//!
//! # Theory of operation
//!
//! 1. Until its root is ready, the process is root of the host, as that of any container is. But what it creates belongs to the
//!    container's root from the start, else it would belong to nobody inside (`CreateFilesAs`).
//! 2. The directories of the layers and of the container are covered by clones of themselves that show every file under the
//!    container's numbers (`ShiftDirectory`). The overlay is mounted of what is seen there, then they are uncovered again (`UncoverDirectories`). On disk the
//!    numbers stay those of the image. Volumes are shifted when they are mounted.
//! 3. Numbers that the kernel is told directly are shifted here: those of file systems in memory, terminals and pipes.
//! 4. Last of all, with everything in place that needs the rights of the host, it enters its user namespace. From then on
//!    numbers are those inside.

use std::ffi::CString;
use std::path::Path;

use oci_spec::runtime::{Linux, LinuxNamespaceType, Process};

use super::error::ProcessError;
use super::init_step::InitStep;
use super::overlay::OverlayRoot;
use super::process_steps::app_armor_step;
use super::text::c_string;
use crate::user_ids::IdRange;

/// The users of the container, if the Spec gives it a user namespace of its own.
pub(super) fn range_of(linux: &Linux) -> Result<Option<IdRange>, ProcessError> {
    let mut namespaces = linux.namespaces().iter().flatten();
    if !namespaces.any(|namespace| namespace.typ() == LinuxNamespaceType::User) {
        return Ok(None);
    }
    let incomplete = ProcessError::Incomplete {
        part: "linux.uidMappings",
    };
    let users = linux.uid_mappings().as_deref().unwrap_or_default();
    match users {
        [all] if all.container_id() == 0 && all.size() == IdRange::LENGTH => {
            IdRange::from(all.host_id()).map(Some).ok_or(incomplete)
        }
        _ => Err(incomplete),
    }
}

/// Changes the steps that make the root and the terminal.
pub(super) fn shift(
    steps: Vec<InitStep>,
    root: &OverlayRoot,
    ids: IdRange,
) -> Result<Vec<InitStep>, ProcessError> {
    let mut shifted = Vec::with_capacity(steps.len() + 8);
    for step in steps {
        match step {
            InitStep::MountOverlay(mount) => {
                shifted.push(InitStep::CreateFilesAs { id: ids.first() });
                // The kernel forgets this wish when such numbers change.
                shifted.push(InitStep::DieWithParent);
                let covered = covered_directories(root)?;
                for path in &covered {
                    shifted.push(InitStep::ShiftDirectory { path: path.clone() });
                }
                let root = mount.target.clone();
                shifted.push(InitStep::MountOverlay(mount));
                shifted.push(InitStep::UncoverDirectories {
                    paths: covered,
                    root,
                });
            }
            InitStep::MountFileSystem(mut mount) => {
                let words = mount.data.to_string_lossy();
                mount.data = c_string("mount option", shift_words(&words, ids)?)?;
                shifted.push(InitStep::MountFileSystem(mount));
            }
            other => shifted.push(shift_terminal(other, ids)?),
        }
    }
    Ok(shifted)
}

/// What makes a process of the host, with everything else in place, one of the container's.
pub(super) fn enter(process: &Process, ids: IdRange) -> Result<Vec<InitStep>, ProcessError> {
    let user = process.user();
    let groups = user.additional_gids().iter().flatten().copied();
    for id in groups.chain([user.gid()]) {
        outside(id, ids)?;
    }
    // Inside, nobody may write to what belongs to a process that is hidden.
    let mut steps = Vec::from_iter(app_armor_step(process)?);
    steps.extend([
        // Only an owner opens a pipe by its name, and root inside is none of a pipe of the host's.
        InitStep::GiveStandardStreams {
            uid: outside(user.uid(), ids)?,
        },
        InitStep::EnterUserNamespace,
        InitStep::DieWithParent,
        // Another user's, with limits of its own.
        InitStep::NewKeyring,
    ]);
    Ok(steps)
}

/// The steps behind the user namespace, if there is one, without those that were done before it: pipes of the host cannot be given
/// away from there.
pub(super) fn inside(mut steps: Vec<InitStep>, users: Option<IdRange>) -> Vec<InitStep> {
    let is_done = |step: &InitStep| {
        matches!(
            step,
            InitStep::GiveStandardStreams { .. } | InitStep::ConfineByAppArmor { .. }
        )
    };
    steps.retain(|step| users.is_none() || !is_done(step));
    steps
}

/// The terminal of a process is made with the rights of the host, too.
pub(super) fn shift_terminal(step: InitStep, ids: IdRange) -> Result<InitStep, ProcessError> {
    Ok(match step {
        InitStep::TakeTerminal(mut request) => {
            request.uid = outside(request.uid, ids)?;
            InitStep::TakeTerminal(request)
        }
        other => other,
    })
}

fn outside(id: u32, ids: IdRange) -> Result<u32, ProcessError> {
    ids.outside(id).ok_or(ProcessError::UnmappedId {
        id,
        most: IdRange::LENGTH - 1,
    })
}

/// `uid=` and `gid=` among the words for a file system.
fn shift_words(words: &str, ids: IdRange) -> Result<String, ProcessError> {
    let shift = |word: &str| -> Result<String, ProcessError> {
        match word.split_once('=') {
            Some((key @ ("uid" | "gid"), value)) => match value.parse() {
                Ok(id) => Ok(format!("{key}={}", outside(id, ids)?)),
                // The kernel says what it does not like about it.
                Err(_) => Ok(word.to_owned()),
            },
            _ => Ok(word.to_owned()),
        }
    };
    let shifted: Vec<String> = words.split(',').map(shift).collect::<Result<_, _>>()?;
    Ok(shifted.join(","))
}

/// The directories that hold the parts of the overlay, none of them in another.
fn covered_directories(root: &OverlayRoot) -> Result<Vec<CString>, ProcessError> {
    let parts = root.layers.iter().chain([&root.upper, &root.work]);
    let mut parents: Vec<&Path> = parts.filter_map(|part| part.parent()).collect();
    parents.sort();
    parents.dedup_by(|later, earlier| later.starts_with(earlier));
    parents
        .into_iter()
        .map(|path| c_string("path", path.as_os_str().as_encoded_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids() -> IdRange {
        IdRange::from(1_000_000).unwrap()
    }

    #[test]
    fn users_and_groups_among_mount_options_are_shifted() {
        assert_eq!(
            shift_words("mode=0620,gid=5,uid=1000,size=1m,uid=x", ids()).unwrap(),
            "mode=0620,gid=1000005,uid=1001000,size=1m,uid=x"
        );
        assert_eq!(shift_words("", ids()).unwrap(), "");
        let error = shift_words("uid=65536", ids()).unwrap_err().to_string();
        assert!(error.contains("65536"), "{error}");
    }

    proptest! {
        #[test]
        fn all_other_words_stay(words in "[a-z0-9,]{0,40}") {
            prop_assert_eq!(shift_words(&words, ids()).unwrap(), words);
        }
    }

    #[test]
    fn each_directory_is_covered_once() {
        let root = OverlayRoot {
            layers: vec!["/r/images/layers/a".into(), "/r/images/layers/b".into()],
            upper: "/r/containers/c/upper".into(),
            work: "/r/containers/c/work".into(),
            merged: "/r/containers/c/merged".into(),
        };
        let covered = covered_directories(&root).unwrap();
        assert_eq!(
            covered,
            [
                c"/r/containers/c".to_owned(),
                c"/r/images/layers".to_owned()
            ]
        );
        let inside = OverlayRoot {
            layers: vec!["/r/layer".into()],
            ..root
        };
        assert_eq!(covered_directories(&inside).unwrap(), [c"/r".to_owned()]);
    }
}
