//! What the fields of `--mount` come to, by their type.

use super::super::clean_path::absolute;
use super::super::mount::{Bind, MissingSource, Propagation, Recursion};
use super::super::problem::{MountProblem, Problems};
use super::super::tmpfs::Tmpfs;
use super::super::wanted::{KindWanted, VolumeWanted};
use super::fields::{Fields, Type};

pub(super) fn kind(fields: &Fields, base: &str, problems: &mut Problems) -> Option<KindWanted> {
    for key in &fields.keys {
        let problem = match key.split_once('-') {
            Some(("bind", _)) if fields.kind != Type::Bind => MountProblem::BindsOnly,
            Some(("volume", _)) if fields.kind != Type::Volume => MountProblem::VolumesOnly,
            Some(("tmpfs", _)) if fields.kind != Type::Tmpfs => MountProblem::TmpfsOnly,
            _ => continue,
        };
        problems.add(problem(key.clone()));
    }
    match fields.kind {
        Type::Bind => bind(fields, base, problems).map(KindWanted::Bind),
        Type::Volume => volume(fields, problems).map(KindWanted::Volume),
        Type::Tmpfs => tmpfs(fields, problems).map(KindWanted::Tmpfs),
    }
}

fn bind(fields: &Fields, base: &str, problems: &mut Problems) -> Option<Bind> {
    let recursion = fields.recursion.unwrap_or_default();
    let word = match recursion {
        Recursion::Writable => Some("bind-recursive=writable"),
        Recursion::ReadOnly => Some("bind-recursive=readonly"),
        Recursion::Enabled | Recursion::Disabled => None,
    };
    if let Some(word) = word.filter(|_| !fields.read_only) {
        problems.add(MountProblem::NeedsReadOnly(word.to_owned()));
    }
    if recursion == Recursion::ReadOnly && fields.propagation != Some(Propagation::Rprivate) {
        problems.add(MountProblem::NeedsPrivate);
    }
    let source = match fields.source.as_deref() {
        None | Some("") => {
            problems.add(MountProblem::NoSource);
            return None;
        }
        Some(path) if path.starts_with(['/', '.']) => absolute(base, path),
        Some(path) => {
            problems.add(MountProblem::RelativeSource(path.to_owned()));
            return None;
        }
    };
    Some(Bind {
        source,
        propagation: fields.propagation.unwrap_or_default(),
        recursion,
        missing: fields.missing.unwrap_or(MissingSource::Refuse),
        owners: fields.owners,
    })
}

fn volume(fields: &Fields, problems: &mut Problems) -> Option<VolumeWanted> {
    let source = fields.source.as_deref().filter(|name| !name.is_empty());
    if source.is_none() && fields.read_only {
        problems.add(MountProblem::ReadOnlyAnonymous);
    }
    if let Some(path) = fields.subpath.as_ref().filter(|path| !stays_inside(path)) {
        problems.add(MountProblem::Subpath(path.clone()));
    }
    let name = match source {
        Some(name) => Some(problems.keep(name.parse())?),
        None => None,
    };
    Some(VolumeWanted {
        labels: fields.labels.clone(),
        population: fields.population,
        subpath: fields.subpath.clone(),
        ..VolumeWanted::called(name)
    })
}

/// Whether a path stays inside, as far as the text tells. What symbolic links say is judged when it is opened.
fn stays_inside(path: &str) -> bool {
    !path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|name| name == "..")
}

fn tmpfs(fields: &Fields, problems: &mut Problems) -> Option<Tmpfs> {
    if fields
        .source
        .as_deref()
        .is_some_and(|name| !name.is_empty())
    {
        problems.add(MountProblem::TmpfsSource);
    }
    let mut words = Vec::new();
    words.extend(fields.read_only.then(|| "ro".to_owned()));
    words.extend(fields.mode.map(|mode| format!("mode={mode:o}")));
    words.extend(fields.size.map(|size| format!("size={}", size.bytes())));
    let mut tmpfs = Tmpfs::default();
    for word in words {
        problems.keep(tmpfs.add(&word))?;
    }
    Some(tmpfs)
}
