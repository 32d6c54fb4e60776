//! `-v [SOURCE:]DESTINATION[:OPTIONS]`.

use super::clean_path::absolute;
use super::destination::Destination;
use super::mount::{
    Access, Bind, BindOwners, MissingSource, Origin, Population, Propagation, Recursion,
};
use super::problem::{MountError, MountProblem, Problems};
use super::wanted::{KindWanted, MountWanted, VolumeWanted};

/// Understands `-v`. A source that begins with `.` is a path behind `base`, the directory of whoever typed it; one without a `/` is
/// the name of a volume.
///
/// # Errors
/// [`MountError`] with everything that is wrong.
pub fn parse_volume_option(text: &str, base: &str) -> Result<MountWanted, MountError> {
    let mut problems = Problems::default();
    let parts: Vec<&str> = text.split(':').collect();
    let (source, destination, words) = match parts.as_slice() {
        [destination] => (None, *destination, ""),
        [source, destination] => (Some(*source), *destination, ""),
        [source, destination, words] => (Some(*source), *destination, *words),
        _ => {
            problems.add(MountProblem::TooManyParts);
            return problems.settle(text, None);
        }
    };
    if source.is_some() && parts.len() == 2 && Options::are_all_known(destination) {
        problems.add(MountProblem::OptionAsDestination(destination.to_owned()));
        return problems.settle(text, None);
    }
    let options = Options::parse(words, &mut problems);
    let destination = problems.keep(destination.parse::<Destination>());
    let kind = kind(source, base, (&options, &mut problems));
    let wanted = destination
        .zip(kind)
        .map(|(destination, kind)| MountWanted {
            destination,
            access: options.access(),
            kind,
            origin: Origin::VolumeOption(words.to_owned()),
        });
    problems.settle(text, wanted)
}

fn kind(
    source: Option<&str>,
    base: &str,
    (options, problems): (&Options, &mut Problems),
) -> Option<KindWanted> {
    match source {
        Some("") => {
            problems.add(MountProblem::EmptySource);
            None
        }
        Some(path) if path.starts_with(['/', '.']) => {
            if options.copying.is_some() {
                problems.add(MountProblem::VolumesOnly("nocopy".to_owned()));
            }
            Some(KindWanted::Bind(Bind {
                source: absolute(base, path),
                propagation: options.propagation(),
                recursion: Recursion::Enabled,
                missing: MissingSource::Create,
                owners: options.owners(),
            }))
        }
        name => {
            if let Some(propagation) = options.propagation {
                problems.add(MountProblem::BindsOnly(propagation.word().to_owned()));
            }
            if options.shift.is_some() {
                problems.add(MountProblem::BindsOnly("idmap".to_owned()));
            }
            let name = match name {
                Some(name) => Some(problems.keep(name.parse())?),
                None => None,
            };
            Some(KindWanted::Volume(VolumeWanted {
                population: match options.copying {
                    Some(_) => Population::Nothing,
                    None => Population::Copy,
                },
                ..VolumeWanted::called(name)
            }))
        }
    }
}

/// The words behind the last colon, at most one of each kind.
#[derive(Default)]
struct Options<'a> {
    access: Option<&'a str>,
    label: Option<&'a str>,
    copying: Option<&'a str>,
    consistency: Option<&'a str>,
    shift: Option<&'a str>,
    propagation: Option<Propagation>,
}

impl<'a> Options<'a> {
    fn parse(words: &'a str, problems: &mut Problems) -> Self {
        let mut options = Self::default();
        for word in words.split(',').filter(|_| !words.is_empty()) {
            let former = match options.slot(word) {
                Some(slot) => slot.replace(word),
                None => match Propagation::of(word) {
                    Some(propagation) => options
                        .propagation
                        .replace(propagation)
                        .map(Propagation::word),
                    None => {
                        problems.add(MountProblem::UnknownOption(word.to_owned()));
                        None
                    }
                },
            };
            if let Some(former) = former {
                problems.add(MountProblem::Contradiction(
                    former.to_owned(),
                    word.to_owned(),
                ));
            }
        }
        options
    }

    /// Where a word belongs. Labels for SELinux change nothing here, because containers run without one; neither does consistency,
    /// which is about machines whose files are elsewhere.
    fn slot(&mut self, word: &str) -> Option<&mut Option<&'a str>> {
        Some(match word {
            "ro" | "rw" => &mut self.access,
            "z" | "Z" => &mut self.label,
            "nocopy" => &mut self.copying,
            "idmap" => &mut self.shift,
            "consistent" | "cached" | "delegated" => &mut self.consistency,
            _ => return None,
        })
    }

    fn are_all_known(words: &str) -> bool {
        words
            .split(',')
            .all(|word| Options::default().slot(word).is_some() || Propagation::of(word).is_some())
    }

    fn access(&self) -> Access {
        match self.access {
            Some("ro") => Access::ReadOnly,
            _ => Access::ReadWrite,
        }
    }

    fn owners(&self) -> BindOwners {
        match self.shift {
            Some(_) => BindOwners::Container,
            None => BindOwners::Host,
        }
    }

    fn propagation(&self) -> Propagation {
        self.propagation.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<MountWanted, String> {
        parse_volume_option(text, "/home/me").map_err(|error| error.to_string())
    }

    fn bind(text: &str) -> (String, String, Access, Propagation) {
        match parse(text).unwrap() {
            MountWanted {
                destination,
                access,
                kind: KindWanted::Bind(bind),
                ..
            } => (
                bind.source,
                destination.to_string(),
                access,
                bind.propagation,
            ),
            other => panic!("{other:?}"),
        }
    }

    fn volume(text: &str) -> (Option<String>, Access, Population) {
        match parse(text).unwrap() {
            MountWanted {
                access,
                kind: KindWanted::Volume(volume),
                ..
            } => (
                volume.name.map(|name| name.to_string()),
                access,
                volume.population,
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_is_a_bind() {
        for (text, source, destination, access, propagation) in [
            (
                "/a:/b",
                "/a",
                "/b",
                Access::ReadWrite,
                Propagation::Rprivate,
            ),
            (
                "/a/../c/:/b/",
                "/c",
                "/b",
                Access::ReadWrite,
                Propagation::Rprivate,
            ),
            (
                "./x:/b:ro",
                "/home/me/x",
                "/b",
                Access::ReadOnly,
                Propagation::Rprivate,
            ),
            (
                "..:/b:rw,z",
                "/home",
                "/b",
                Access::ReadWrite,
                Propagation::Rprivate,
            ),
            (
                "/:/b:rslave,ro,cached",
                "/",
                "/b",
                Access::ReadOnly,
                Propagation::Rslave,
            ),
        ] {
            let expected = (
                source.to_owned(),
                destination.to_owned(),
                access,
                propagation,
            );
            assert_eq!(bind(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_a_volume_and_nothing_an_anonymous_one() {
        assert_eq!(
            volume("db:/data:nocopy,ro"),
            (Some("db".into()), Access::ReadOnly, Population::Nothing)
        );
        assert_eq!(volume("/data"), (None, Access::ReadWrite, Population::Copy));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        for (text, expected) in [
            (
                "",
                "it names no destination; write a path in the container, such as `/data`",
            ),
            (
                "a:b:c:d",
                "it has more than three parts; write SOURCE:DESTINATION:OPTIONS",
            ),
            (
                ":/b",
                "nothing stands before the first colon; write a path or the name of a volume there",
            ),
            (
                "/a:ro",
                "`ro` stands where the destination should; write SOURCE:DESTINATION:ro",
            ),
            (
                "x/y:data:ro,rw",
                "`ro` and `rw` cannot both hold; the destination `data` is not absolute; write a path in the container, such as `/data`; `x/y` holds a `/`, and so is no volume name; begin a path with `/` or `./`",
            ),
            ("/a:/b:nocopy", "`nocopy` is for volumes only"),
            ("db:/b:rslave", "`rslave` is for binds only"),
            (
                "/a:/b:ro,",
                "unknown option ``; use `ro`, `rw`, `nocopy`, `z`, `Z`, or a propagation such as `rslave`",
            ),
            (
                "/a:/",
                "the destination is the container's root; mount on a directory below it, such as `/data`",
            ),
        ] {
            assert_eq!(
                parse(text),
                Err(format!("invalid mount `{text}`: {expected}"))
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[-/.:,a-z\0 ~=]{0,40}") {
            if let Err(error) = parse_volume_option(&text, "/base") {
                prop_assert!(!error.problems.is_empty());
            }
        }

        #[test]
        fn what_is_accepted_says_the_same_in_full(source in "(/[a-z.]{1,3}){1,3}", words in "(ro|rw|rslave|z){0,1}") {
            let text = format!("{source}:/x:{words}");
            let wanted = parse_volume_option(&text, "/base").unwrap();
            let KindWanted::Bind(bind) = &wanted.kind else { panic!("a bind") };
            let again = parse_volume_option(&format!("{}:/x:{words}", bind.source), "/other").unwrap();
            prop_assert_eq!(again, wanted);
        }
    }
}
