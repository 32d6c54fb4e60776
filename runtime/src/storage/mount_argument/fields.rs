//! The fields of `--mount`, each by its key.

use std::collections::BTreeMap;

use super::super::mount::{BindOwners, MissingSource, Population, Propagation, Recursion};
use super::super::problem::{MountProblem, Problems};
use crate::byte_size::ByteSize;

/// What is mounted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Type {
    Bind,
    #[default]
    Volume,
    Tmpfs,
}

/// The fields by what they mean. Those of one type only are kept by their keys as well, so that another type can be told.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) kind: Type,
    pub(super) source: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) read_only: bool,
    pub(super) propagation: Option<Propagation>,
    pub(super) recursion: Option<Recursion>,
    pub(super) missing: Option<MissingSource>,
    pub(super) owners: BindOwners,
    pub(super) population: Population,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) subpath: Option<String>,
    pub(super) size: Option<ByteSize>,
    pub(super) mode: Option<u32>,
    /// The keys as they were typed.
    pub(super) keys: Vec<String>,
}

const TRUTH: &str = "`true` or `false`";

impl Fields {
    pub(super) fn read(texts: &[String], problems: &mut Problems) -> Self {
        let mut fields = Self::default();
        for text in texts {
            let (key, value) = match text.split_once('=') {
                Some((key, value)) => (key.to_lowercase(), Some(value)),
                None => (text.to_lowercase(), None),
            };
            let value = match value {
                Some(value) => value,
                None if is_switch(&key) => "true",
                None => {
                    problems.add(MountProblem::NoValue(text.clone()));
                    continue;
                }
            };
            if let Err(problem) = fields.take(&key, value) {
                problems.add(problem);
            }
            fields.keys.push(key);
        }
        fields
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), MountProblem> {
        match key {
            "type" => self.kind = parse_type(value)?,
            "source" | "src" => self.source = Some(value.to_owned()),
            "destination" | "dst" | "target" => self.destination = Some(value.to_owned()),
            "readonly" | "ro" => self.read_only = parse_truth(key, value)?,
            // It is about machines whose files are elsewhere.
            "consistency" => {}
            _ if key.starts_with("bind-") => return self.take_bind(key, value),
            _ if key.starts_with("volume-") => return self.take_volume(key, value),
            _ if key.starts_with("tmpfs-") => return self.take_tmpfs(key, value),
            _ => return Err(MountProblem::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    fn take_bind(&mut self, key: &str, value: &str) -> Result<(), MountProblem> {
        match key {
            "bind-propagation" => {
                let propagation = Propagation::of(value).ok_or_else(|| {
                    wrong(
                        key,
                        value,
                        "`private`, `slave` or `shared`, or one with an `r` in front",
                    )
                })?;
                self.propagation = Some(propagation);
            }
            "bind-recursive" => self.recursion = Some(parse_recursion(key, value)?),
            "bind-nonrecursive" => {
                if parse_truth(key, value)? {
                    self.recursion = Some(Recursion::Disabled);
                }
            }
            "bind-idmap" => {
                self.owners = match parse_truth(key, value)? {
                    true => BindOwners::Container,
                    false => BindOwners::Host,
                };
            }
            "bind-create-src" => {
                self.missing = Some(match parse_truth(key, value)? {
                    true => MissingSource::Create,
                    false => MissingSource::Refuse,
                });
            }
            _ => return Err(MountProblem::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    fn take_volume(&mut self, key: &str, value: &str) -> Result<(), MountProblem> {
        match key {
            "volume-nocopy" => {
                self.population = match parse_truth(key, value)? {
                    true => Population::Nothing,
                    false => Population::Copy,
                };
            }
            "volume-label" => {
                let (name, text) = value.split_once('=').unwrap_or((value, ""));
                if name.is_empty() {
                    return Err(wrong(key, value, "KEY=VALUE"));
                }
                self.labels.insert(name.to_owned(), text.to_owned());
            }
            "volume-subpath" => {
                self.subpath = (!value.is_empty()).then(|| value.to_owned());
            }
            "volume-driver" if value == "local" || value.is_empty() => {}
            "volume-driver" => return Err(MountProblem::Driver(value.to_owned())),
            "volume-opt" => return Err(MountProblem::DriverOption(key.to_owned())),
            _ => return Err(MountProblem::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    fn take_tmpfs(&mut self, key: &str, value: &str) -> Result<(), MountProblem> {
        match key {
            "tmpfs-size" => self.size = Some(value.parse()?),
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8).ok();
                let mode = mode.filter(|mode| *mode <= 0o7777 && !value.starts_with('+'));
                let expected = "an octal number up to 7777, such as `1777`";
                self.mode = Some(mode.ok_or_else(|| wrong(key, value, expected))?);
            }
            _ => return Err(MountProblem::UnknownKey(key.to_owned())),
        }
        Ok(())
    }
}

/// The keys that mean `true` alone.
fn is_switch(key: &str) -> bool {
    matches!(
        key,
        "readonly"
            | "ro"
            | "volume-nocopy"
            | "bind-nonrecursive"
            | "bind-create-src"
            | "bind-idmap"
    )
}

fn wrong(key: &str, value: &str, expected: &'static str) -> MountProblem {
    MountProblem::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        expected,
    }
}

fn parse_type(value: &str) -> Result<Type, MountProblem> {
    match value.to_lowercase().as_str() {
        "bind" => Ok(Type::Bind),
        "volume" => Ok(Type::Volume),
        "tmpfs" => Ok(Type::Tmpfs),
        _ => Err(wrong("type", value, "`bind`, `volume` or `tmpfs`")),
    }
}

fn parse_recursion(key: &str, value: &str) -> Result<Recursion, MountProblem> {
    match value {
        "enabled" => Ok(Recursion::Enabled),
        "disabled" => Ok(Recursion::Disabled),
        "writable" => Ok(Recursion::Writable),
        "readonly" => Ok(Recursion::ReadOnly),
        _ => Err(wrong(
            key,
            value,
            "`enabled`, `disabled`, `writable` or `readonly`",
        )),
    }
}

/// The words of Go's `strconv.ParseBool`.
fn parse_truth(key: &str, value: &str) -> Result<bool, MountProblem> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(wrong(key, value, TRUTH)),
    }
}
