//! Makes an image of an archive or of a directory.
//!
//! The store is locked only to prepare and to publish, not while bytes are unpacked: a long import holds nobody up.

use std::fs::{self, DirBuilder};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::change::{Change, apply};
use super::compression::decompress;
use super::config::ImageConfig;
use super::copy::{Identity, copy};
use super::digest::{Digest, HashingReader};
use super::error::{ImageError, at};
use super::layer::LayerName;
use super::publish::TREE;
use super::record::{Content, Image, Origin, Record, RootAttributes};
use super::reference::ImageReference;
use super::staging::Staging;
use super::store::ImageStore;
use super::tree::Tree;
use super::tree_error::TreeError;
use super::unpack::unpack;

/// What an image is made of.
pub enum ImportSource {
    /// A tar archive: plain, or compressed with gzip or zstd, which its first bytes tell.
    Tar(Box<dyn Read>),
    /// A directory. It is copied; what is mounted in it and sockets are left out.
    Directory(PathBuf),
}

/// Makes an image with one layer and gives it a name; an image that had that name loses it.
///
/// The same bytes with the same changes are the same image, however they were compressed. Devices directly in `dev/` are left out,
/// because containers get their own; devices elsewhere are refused.
///
/// # Errors
/// [`ImageError::Import`] with what is wrong with the source, or what went wrong in the store. Nothing is kept then.
pub fn import(
    store: &ImageStore,
    source: ImportSource,
    reference: &ImageReference,
    changes: &[Change],
) -> Result<Image, ImageError> {
    let mut config = ImageConfig::default();
    apply(&mut config, changes);
    let staging = store.lock().and_then(|lock| store.stage_clean(&lock))?;
    let made = make_tree(store, source, &staging, reference)?;
    let record = Record {
        created: Timestamp::now(),
        size_bytes: made.size_bytes,
        origin: Origin::Imported,
        parent: None,
        content: Content {
            config,
            layers: vec![made.layer],
            ..Content::default()
        },
    };
    let lock = store.lock()?;
    store.publish_layer(&lock, &staging, &made.layer)?;
    store.publish_record(&lock, &staging, record, Some(reference.clone()))
}

/// A tree that is complete.
struct MadeTree {
    layer: LayerName,
    size_bytes: u64,
}

fn make_tree(
    store: &ImageStore,
    source: ImportSource,
    staging: &Staging,
    reference: &ImageReference,
) -> Result<MadeTree, ImageError> {
    let path = staging.path(TREE);
    let mut tree =
        begin_tree(&path).map_err(at(path, |path, source| ImageError::Stage { path, source }))?;
    let digest = match source {
        ImportSource::Tar(input) => unpack_archive(input, &mut tree),
        ImportSource::Directory(directory) => {
            check_directory(&directory)?;
            copy(&directory, identity_of(store)?, &mut tree)
        }
    };
    let refused = |source| ImageError::Import {
        reference: reference.clone(),
        source,
    };
    let layer = LayerName::Content(digest.map_err(refused)?);
    let size_bytes = tree.finish().map_err(refused)?;
    Ok(MadeTree { layer, size_bytes })
}

/// Makes an empty tree whose root is as usual until an entry says otherwise, whatever this process's mask and group.
pub(super) fn begin_tree(path: &Path) -> io::Result<Tree> {
    let RootAttributes { mode, uid, gid } = RootAttributes::USUAL;
    DirBuilder::new().mode(mode).create(path)?;
    chown(path, Some(uid), Some(gid))?;
    fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    Tree::begin(path)
}

/// The digest is that of the uncompressed bytes to the very end, so that trailing check sums are checked, too.
fn unpack_archive(input: Box<dyn Read>, tree: &mut Tree) -> Result<Digest, TreeError> {
    let mut reader = HashingReader::new(decompress(input)?);
    unpack(&mut reader, tree)?;
    reader.drain().map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => TreeError::Truncated {
            place: "behind its last entry".to_owned(),
        },
        _ => TreeError::Archive { source },
    })
}

fn check_directory(path: &Path) -> Result<(), ImageError> {
    let unusable = |source| ImageError::Source {
        path: path.to_owned(),
        source,
    };
    match fs::metadata(path).map_err(unusable)?.is_dir() {
        true => Ok(()),
        false => Err(unusable(io::ErrorKind::NotADirectory.into())),
    }
}

fn identity_of(store: &ImageStore) -> Result<Identity, ImageError> {
    let path = store.directory();
    fs::metadata(path)
        .map(|found| (found.dev(), found.ino()))
        .map_err(at(path, |path, source| ImageError::ReadDirectory {
            path,
            source,
        }))
}
