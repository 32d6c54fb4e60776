//! Laying what a user asks for over what other containers and the image bring along.

use std::collections::BTreeSet;

use thiserror::Error;

use super::destination::Destination;
use super::mount::{Access, Mount, MountKind, Origin};
use super::volumes_from::VolumesFrom;
use super::wanted::{KindWanted, MountWanted, StorageWanted, VolumeWanted};

/// The mounts of a container that is named by `--volumes-from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherited {
    /// How it was named.
    pub from: VolumesFrom,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
}

/// Why mounts do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    /// Two are to lie at one place.
    #[error("several mounts have the destination `{0}`")]
    Duplicate(Destination),
}

impl StorageWanted {
    /// All mounts of the container: what the user typed is stronger than what is taken from other containers, of which a later one is
    /// stronger than an earlier one, and both are stronger than the volumes of the image.
    ///
    /// # Errors
    /// When the user typed one destination twice.
    pub fn merge(
        &self,
        inherited: &[Inherited],
        image: &BTreeSet<Destination>,
    ) -> Result<Vec<MountWanted>, MergeError> {
        let mut mounts: Vec<MountWanted> = Vec::new();
        for mount in &self.mounts {
            if covers(&mounts, &mount.destination) {
                return Err(MergeError::Duplicate(mount.destination.clone()));
            }
            mounts.push(mount.clone());
        }
        for container in inherited.iter().rev() {
            for mount in &container.mounts {
                if !covers(&mounts, &mount.destination) {
                    mounts.extend(inherit(mount, container.from.access));
                }
            }
        }
        for destination in image {
            if !covers(&mounts, destination) {
                mounts.push(MountWanted {
                    destination: destination.clone(),
                    access: Access::ReadWrite,
                    kind: KindWanted::Volume(VolumeWanted::default()),
                    origin: Origin::Image,
                });
            }
        }
        Ok(mounts)
    }
}

fn covers(mounts: &[MountWanted], destination: &Destination) -> bool {
    mounts.iter().any(|mount| mount.destination == *destination)
}

/// The same mount for another container. A file system in memory belongs to one container only.
fn inherit(mount: &Mount, access: Option<Access>) -> Option<MountWanted> {
    let kind = match &mount.kind {
        MountKind::Bind(bind) => KindWanted::Bind(bind.clone()),
        MountKind::Volume(volume) => KindWanted::Volume(VolumeWanted {
            name: Some(volume.name.clone()),
            labels: Default::default(),
            population: volume.population,
            subpath: volume.subpath.clone(),
        }),
        MountKind::Tmpfs(_) => return None,
    };
    Some(MountWanted {
        destination: mount.destination.clone(),
        // What is read-only there stays so.
        access: match (mount.access, access) {
            (Access::ReadOnly, _) | (_, Some(Access::ReadOnly)) => Access::ReadOnly,
            _ => Access::ReadWrite,
        },
        kind,
        origin: Origin::Inherited,
    })
}

#[cfg(test)]
mod tests {
    use super::super::mount::{Population, VolumeKind, VolumeMount};
    use super::super::{parse_tmpfs_option, parse_volume_option};
    use super::*;

    fn wanted(texts: &[&str]) -> StorageWanted {
        StorageWanted {
            mounts: texts
                .iter()
                .map(|text| parse_volume_option(text, "/").unwrap())
                .collect(),
            ..StorageWanted::default()
        }
    }

    fn inherited(from: &str, mounts: &[(&str, &str)]) -> Inherited {
        let mounts = mounts.iter().map(|(name, destination)| Mount {
            destination: destination.parse().unwrap(),
            access: Access::ReadWrite,
            kind: MountKind::Volume(VolumeMount {
                name: name.parse().unwrap(),
                kind: VolumeKind::Named,
                population: Population::Copy,
                subpath: None,
            }),
            origin: Origin::MountOption,
        });
        Inherited {
            from: from.parse().unwrap(),
            mounts: mounts.collect(),
        }
    }

    fn shown(mounts: &[MountWanted]) -> Vec<String> {
        let show = |mount: &MountWanted| {
            let source = match &mount.kind {
                KindWanted::Bind(bind) => bind.source.clone(),
                KindWanted::Volume(volume) => volume
                    .name
                    .as_ref()
                    .map_or_else(|| "new".to_owned(), ToString::to_string),
                KindWanted::Tmpfs(_) => "tmpfs".to_owned(),
            };
            format!("{source} {} {:?}", mount.destination, mount.access)
        };
        mounts.iter().map(show).collect()
    }

    #[test]
    fn what_is_typed_is_stronger_than_other_containers_and_they_than_the_image() {
        let mut wanted = wanted(&["/host:/a"]);
        wanted.mounts.push(parse_tmpfs_option("/d").unwrap());
        let containers = [
            inherited("one:ro", &[("va", "/a"), ("vb", "/b"), ("vx", "/x")]),
            inherited("two", &[("vc", "/b")]),
        ];
        let image = ["/a", "/b", "/c", "/d"].map(|path| path.parse().unwrap());
        let merged = wanted.merge(&containers, &image.into()).unwrap();
        assert_eq!(
            shown(&merged),
            [
                "/host /a ReadWrite",
                "tmpfs /d ReadWrite",
                "vc /b ReadWrite",
                "vx /x ReadOnly",
                "new /c ReadWrite",
            ]
        );
    }

    #[test]
    fn one_destination_cannot_be_typed_twice() {
        let error = wanted(&["/a:/x", "vol:/x/../x/"]).merge(&[], &BTreeSet::new());
        let duplicate = MergeError::Duplicate("/x".parse().unwrap());
        assert_eq!(error, Err(duplicate));
    }
}
