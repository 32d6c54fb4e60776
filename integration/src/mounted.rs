//! What is mounted in a container, as the kernel says.

use std::fs;

use crate::container::Container;

/// One mount of a container: a line of its `mountinfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The directory of the file system that is shown.
    pub root: String,
    /// Where it is shown.
    pub point: String,
    /// The mount's own options, in the order of the alphabet.
    pub options: Vec<String>,
    /// `shared:N`, `master:N` and their like, without the numbers.
    pub propagation: Vec<String>,
    /// The kind of the file system.
    pub kind: String,
    /// The options of the file system.
    pub file_system_options: Vec<String>,
}

impl Mounted {
    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let words: Vec<&str> = mount.split(' ').collect();
        let file_system: Vec<&str> = file_system.split(' ').collect();
        let kind = |word: &&str| word.split(':').next().unwrap_or_default().to_owned();
        Some(Self {
            root: (*words.get(3)?).to_owned(),
            point: (*words.get(4)?).to_owned(),
            options: sorted(words.get(5)?),
            propagation: words.iter().skip(6).map(kind).collect(),
            kind: (*file_system.first()?).to_owned(),
            file_system_options: sorted(file_system.get(2)?),
        })
    }

    /// Whether the mount itself, or its file system, has an option.
    pub fn has(&self, option: &str) -> bool {
        let is_it = |one: &String| one == option;
        self.options.iter().any(is_it) || self.file_system_options.iter().any(is_it)
    }
}

fn sorted(options: &str) -> Vec<String> {
    let mut options: Vec<String> = options.split(',').map(str::to_owned).collect();
    options.sort();
    options
}

impl Container<'_> {
    /// What is mounted at exactly this path, the topmost if several are.
    #[track_caller]
    pub fn mounted(&self, point: &str) -> Option<Mounted> {
        self.all_mounted()
            .into_iter()
            .rev()
            .find(|mount| mount.point == point)
    }

    /// Everything that is mounted in it, in the order it was.
    #[track_caller]
    pub fn all_mounted(&self) -> Vec<Mounted> {
        let path = format!("/proc/{}/mountinfo", self.pid());
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"));
        text.lines().filter_map(Mounted::parse).collect()
    }
}
