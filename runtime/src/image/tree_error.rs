//! What can go wrong between an archive or directory and the tree made of it.

use std::io;

/// Why an archive or a directory did not become a tree. Paths are those in the image unless said otherwise; long ones lack their middle.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// An entry's path, or the target of a hard link, is not a relative path below the root.
    #[error("the entry `{path}` is refused: {reason}")]
    Path {
        /// The path as the archive holds it.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A symbolic link on the way leads out of the root.
    #[error(
        "the entry `{path}` is refused: a symbolic link on its way leads out of the image's root"
    )]
    Escapes {
        /// The path.
        path: String,
    },
    /// A device outside `dev/`.
    #[error(
        "`{path}` is a device node where none may be; containers get their devices from minirun, remove it from the image"
    )]
    Device {
        /// The path.
        path: String,
    },
    /// A kind of entry that no file system has.
    #[error("the entry `{path}` is of the unknown kind `{kind}`")]
    Kind {
        /// The path.
        path: String,
        /// The archive's letter for the kind.
        kind: char,
    },
    /// A sparse file in the form that cannot be told from an ordinary one by its kind.
    #[error(
        "the entry `{path}` is a sparse file in the POSIX form, which is not read; make the archive without `--sparse`"
    )]
    Sparse {
        /// The path.
        path: String,
    },
    /// A field of an entry's header cannot be read.
    #[error("the {field} of the entry `{path}` cannot be read")]
    Header {
        /// The path.
        path: String,
        /// Which field it is.
        field: &'static str,
    },
    /// The headers in front of an entry are longer than anything honest.
    #[error("the archive's header {place} is longer than 1 MiB; it is damaged, or made to do harm")]
    LongHeader {
        /// Where it stands, by the path in front of it.
        place: String,
    },
    /// A file is longer than the file system of the images has room for.
    #[error(
        "`{path}` is {length} bytes long, but only {free} bytes are free where images are kept; make room or leave it out"
    )]
    NoRoom {
        /// The path.
        path: String,
        /// The file's length in bytes, as the archive or directory says.
        length: u64,
        /// How many bytes are free.
        free: u64,
    },
    /// A link entry names no target.
    #[error("the link `{path}` has no target")]
    NoTarget {
        /// The path.
        path: String,
    },
    /// A hard link's target is missing, is a directory or cannot be linked to.
    #[error("cannot make `{path}` a hard link to `{target}`: {source}")]
    HardLink {
        /// The path.
        path: String,
        /// The target, also in the image.
        target: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A name cannot be made: too long, below something that is no directory, or in the place of a directory that is not empty.
    #[error("cannot make `{path}`: {source}")]
    Make {
        /// The path.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A directory is to be copied into itself.
    #[error(
        "`{path}` is the directory that is copied to; a directory cannot be copied into itself"
    )]
    IntoItself {
        /// The path.
        path: String,
    },
    /// A directory stands where something else is to be.
    #[error("cannot overwrite the directory `{path}` with something that is no directory")]
    DirectoryInTheWay {
        /// The path.
        path: String,
    },
    /// Something that is no directory stands where one is to be.
    #[error("cannot overwrite `{path}` with a directory: it is none itself")]
    NoDirectoryInTheWay {
        /// The path.
        path: String,
    },
    /// A single file is mounted where something is to be.
    #[error("cannot replace `{path}`: something is mounted on it")]
    MountPoint {
        /// The path.
        path: String,
    },
    /// A file's content cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The path.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Owner, mode, time or extended attribute cannot be set.
    #[error("cannot set the {attribute} of `{path}`: {source}")]
    Attribute {
        /// Which attribute.
        attribute: &'static str,
        /// The path.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something in the imported directory cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The path in the imported directory.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The imported directory holds the place it would be copied to.
    #[error(
        "`{path}` holds minirun's own images, so the directory cannot be imported; move it out or give another `--root`"
    )]
    HoldsStore {
        /// The path in the imported directory.
        path: String,
    },
    /// The archive ends too early.
    #[error("the archive is truncated: it ends {place}")]
    Truncated {
        /// Where it ends, with the path in hand.
        place: String,
    },
    /// The archive cannot be read or its compression is damaged.
    #[error("cannot read the archive: {source}")]
    Archive {
        /// What is wrong with it.
        source: io::Error,
    },
    /// The first bytes are neither an archive nor a kind of compression that is known.
    #[error("this is no tar archive; plain, gzip and zstd ones are read")]
    NotAnArchive,
    /// A kind of compression that is known but not read.
    #[error(
        "the archive is compressed with {program}, which is not read; use `{program} -dc FILE | minirun import - NAME`"
    )]
    Compression {
        /// The program that uncompresses it.
        program: &'static str,
    },
    /// Nothing is in the archive or directory.
    #[error("there is nothing in it")]
    Empty,
}
