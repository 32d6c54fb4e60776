//! What is copied where: Docker's table of sources and destinations.

use super::copy_path::PathEnd;

/// What is to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// A directory with its name.
    Directory,
    /// What is in a directory.
    Content,
    /// Anything else.
    Single,
}

/// What is at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetKind {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// Anything else.
    Single,
}

/// Where the source goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Into the destination, under its own name.
    Under,
    /// Into the destination, which stands for the source itself.
    Into,
    /// To the destination's own name.
    As,
}

/// Why it goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The destination must be a directory, and there is none.
    MissingDirectory,
    /// The destination must be a directory, and is something else.
    NotADirectory,
    /// A directory cannot take the place of something else.
    DirectoryOverFile,
}

/// Where a source goes, by what is at the destination and how that was written.
pub(super) fn decide(
    source: SourceKind,
    target: TargetKind,
    end: PathEnd,
) -> Result<Placement, Refusal> {
    match (source, target) {
        (SourceKind::Content, TargetKind::Directory) => Ok(Placement::Into),
        (_, TargetKind::Directory) => Ok(Placement::Under),
        (SourceKind::Directory | SourceKind::Content, TargetKind::Missing) => Ok(Placement::As),
        (SourceKind::Directory | SourceKind::Content, TargetKind::Single) => {
            Err(Refusal::DirectoryOverFile)
        }
        (SourceKind::Single, _) if end == PathEnd::Name => Ok(Placement::As),
        (SourceKind::Single, TargetKind::Missing) => Err(Refusal::MissingDirectory),
        (SourceKind::Single, TargetKind::Single) => Err(Refusal::NotADirectory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_the_destinations_name_or_in_the_directory_there() {
        let file = |target, end| decide(SourceKind::Single, target, end);
        assert_eq!(file(TargetKind::Missing, PathEnd::Name), Ok(Placement::As));
        assert_eq!(file(TargetKind::Single, PathEnd::Name), Ok(Placement::As));
        for end in [PathEnd::Name, PathEnd::Slash, PathEnd::Dot] {
            assert_eq!(file(TargetKind::Directory, end), Ok(Placement::Under));
        }
        for end in [PathEnd::Slash, PathEnd::Dot] {
            assert_eq!(
                file(TargetKind::Missing, end),
                Err(Refusal::MissingDirectory)
            );
            assert_eq!(file(TargetKind::Single, end), Err(Refusal::NotADirectory));
        }
    }

    #[test]
    fn a_directory_becomes_the_destination_or_goes_into_it() {
        for end in [PathEnd::Name, PathEnd::Slash] {
            let directory = |target| decide(SourceKind::Directory, target, end);
            assert_eq!(directory(TargetKind::Missing), Ok(Placement::As));
            assert_eq!(directory(TargetKind::Directory), Ok(Placement::Under));
            assert_eq!(
                directory(TargetKind::Single),
                Err(Refusal::DirectoryOverFile)
            );
        }
    }

    #[test]
    fn what_is_in_a_directory_goes_into_the_destination_itself() {
        let content = |target| decide(SourceKind::Content, target, PathEnd::Name);
        assert_eq!(content(TargetKind::Missing), Ok(Placement::As));
        assert_eq!(content(TargetKind::Directory), Ok(Placement::Into));
        assert_eq!(content(TargetKind::Single), Err(Refusal::DirectoryOverFile));
    }
}
