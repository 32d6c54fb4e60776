//! Finding profiles: those of the host are stronger than those that minirun brings along.

use super::{Origin, Profile, ProfileError, ProfileWord, SUFFIX, parse_settings};
use crate::runtime::Directories;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// What minirun brings along.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "agent",
        include_str!("../../../packaging/profiles/agent.toml"),
    ),
    ("ci", include_str!("../../../packaging/profiles/ci.toml")),
    (
        "judge",
        include_str!("../../../packaging/profiles/judge.toml"),
    ),
];

/// A profile that could be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub origin: Origin,
}

impl Directories {
    /// Where the host has its profiles: beside its configuration.
    pub fn profiles(&self) -> PathBuf {
        self.configuration.with_file_name("profiles")
    }
}

/// The profile that a word means.
///
/// # Errors
/// When there is none, or it cannot be read or understood.
pub fn find(directories: &Directories, word: &ProfileWord) -> Result<Profile, ProfileError> {
    let (origin, text) = match word {
        ProfileWord::File(path) => (Origin::File(path.clone()), read(path)?),
        ProfileWord::Name(name) => named(directories, name)?,
    };
    match parse_settings(&text) {
        Ok(settings) => Ok(Profile {
            origin,
            text,
            settings,
        }),
        Err(error) => Err(ProfileError::Syntax { origin, error }),
    }
}

/// All profiles that can be named, in the order of their names.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(directories: &Directories) -> Result<Vec<Listed>, ProfileError> {
    let built_in = BUILT_IN.map(|(name, _)| (name.to_owned(), Origin::BuiltIn(name)));
    let mut all = BTreeMap::from(built_in);
    let place = directories.profiles();
    let files = match fs::read_dir(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        files => files.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let files = files.map_err(|error| ProfileError::Read { path: place, error })?;
    for path in files.into_iter().map(|file| file.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.strip_suffix(SUFFIX));
        // A file that nobody could name is none.
        if let Some(Ok(ProfileWord::Name(name))) = name.map(str::parse) {
            all.insert(name, Origin::File(path));
        }
    }
    let listed = all.into_iter();
    Ok(listed
        .map(|(name, origin)| Listed { name, origin })
        .collect())
}

fn named(directories: &Directories, name: &str) -> Result<(Origin, String), ProfileError> {
    let place = directories.profiles();
    let path = place.join(format!("{name}{SUFFIX}"));
    match read(&path) {
        Err(ProfileError::Read { error, .. }) if error.kind() == ErrorKind::NotFound => {}
        read => return Ok((Origin::File(path), read?)),
    }
    match BUILT_IN.into_iter().find(|(known, _)| *known == name) {
        Some((name, text)) => Ok((Origin::BuiltIn(name), text.to_owned())),
        None => {
            let known = list(directories)?.into_iter().map(|listed| listed.name);
            Err(ProfileError::Unknown {
                name: name.to_owned(),
                place,
                known: known.map(|name| format!("`{name}`")).collect(),
            })
        }
    }
}

fn read(path: &Path) -> Result<String, ProfileError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 > LONGEST => Err(ProfileError::TooLong {
            path: path.to_owned(),
            most: LONGEST,
        }),
        Ok(_) => Ok(text),
        Err(error) => Err(ProfileError::Read {
            path: path.to_owned(),
            error,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories(at: &Path) -> Directories {
        Directories {
            configuration: at.join("minirun.toml"),
            ..Directories::default()
        }
    }

    #[test]
    fn a_profile_of_the_host_is_stronger_than_the_one_of_its_name_that_is_built_in() {
        let host = tempfile::tempdir().unwrap();
        let directories = directories(host.path());
        let judge = "judge".parse().unwrap();
        let built_in = find(&directories, &judge).unwrap();
        assert_eq!(built_in.origin, Origin::BuiltIn("judge"));
        let path = directories.profiles().join("judge.toml");
        fs::create_dir(directories.profiles()).unwrap();
        fs::write(&path, "memory = \"1g\"\n").unwrap();
        fs::write(directories.profiles().join("class.toml"), "").unwrap();
        fs::write(directories.profiles().join("README"), "").unwrap();
        let own = find(&directories, &judge).unwrap();
        assert_eq!(own.origin, Origin::File(path));
        assert_eq!(own.text, "memory = \"1g\"\n");
        let names: Vec<_> = list(&directories).unwrap();
        let names: Vec<_> = names.iter().map(|listed| &*listed.name).collect();
        assert_eq!(names, ["agent", "ci", "class", "judge"]);
    }

    #[test]
    fn a_profile_that_is_not_there_is_named_with_those_that_are() {
        let host = tempfile::tempdir().unwrap();
        let directories = directories(host.path());
        let error = find(&directories, &"jugde".parse().unwrap()).unwrap_err();
        let place = directories.profiles();
        let expected = format!(
            "there is no profile `jugde`: put one into `{}`, or use one of `agent`, `ci`, `judge`",
            place.display()
        );
        assert_eq!(error.to_string(), expected);
        let path = host.path().join("none.toml");
        let error = find(&directories, &ProfileWord::File(path)).unwrap_err();
        assert!(error.to_string().starts_with("cannot read profile `"));
    }

    #[test]
    fn a_file_that_is_no_profile_is_refused() {
        let host = tempfile::tempdir().unwrap();
        let directories = directories(host.path());
        let path = host.path().join("x.toml");
        fs::write(&path, "# all is well\nmemory =\n").unwrap();
        let word = ProfileWord::File(path.clone());
        let error = find(&directories, &word).unwrap_err().to_string();
        let expected = format!("profile `{}`, line 2: ", path.display());
        assert!(error.starts_with(&expected), "{error}");
        let endless = ProfileWord::File("/dev/zero".into());
        let error = find(&directories, &endless).unwrap_err().to_string();
        assert_eq!(error, "profile `/dev/zero` is longer than 65536 bytes");
    }

    #[test]
    fn what_is_built_in_begins_with_what_it_is_for() {
        for (name, text) in BUILT_IN {
            assert!(text.starts_with("# "), "{name}");
            assert!(!parse_settings(text).unwrap().is_empty(), "{name}");
        }
    }
}
