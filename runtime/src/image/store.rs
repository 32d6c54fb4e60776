//! The images of this host, on disk.
//!
//! ```text
//! images/lock                 locked while anything below changes
//!        use                  locked by those about to use an image, and against them by those who remove one
//!        layers/<name>/       unpacked trees
//!        records/<id>.json    one record per image
//!        names/<name:tag>     symbolic link whose target is the id's digits; `/` in a name is written `%`
//!        tmp/                 unfinished things
//! ```

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use minirun_bridge::small_file;

use super::demo::{self, DemoImage};
use super::digest::is_lower_hexadecimal;
use super::error::{ImageError, at};
use super::id::{ImageId, PREFIX};
use super::layer::LayerName;
use super::record::{Image, Origin, Record};
use super::reference::ImageReference;

/// The lock that those who change anything take.
const LOCK: &str = "lock";
/// The lock that keeps images from being removed.
const USE: &str = "use";

/// The images below one directory. It holds nothing open: every call looks at what is there now.
#[derive(Debug, Clone)]
pub struct ImageStore {
    directory: PathBuf,
}

/// Keeps images from being removed while it lives, for the moment between a look-up and the record of the container that uses the image.
///
/// Do not fork while you have one: the child would have it too.
#[derive(Debug)]
pub struct StoreHold {
    _file: File,
}

/// Proof that the store is locked for changes.
pub(super) struct StoreLock {
    _file: File,
}

impl ImageStore {
    /// The store in a directory. Nothing is made or looked at until it is needed.
    #[must_use]
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Finds an image by name, by full id or by the beginning of an id. A name costs one `readlink` and the reading of one record.
    ///
    /// `demo` is the built-in image, made if need be, unless somebody imported an image of that name.
    ///
    /// # Errors
    /// [`ImageError::Unknown`], [`ImageError::Ambiguous`], [`ImageError::Reference`], or what went wrong in reading.
    pub fn resolve(&self, image: &str) -> Result<Image, ImageError> {
        match self.find(image) {
            Ok(found) if found.origin == Origin::BuiltIn && is_demo(image) => {
                DemoImage::ensure_found(self, found)
            }
            Err(ImageError::Unknown { .. }) if is_demo(image) => DemoImage::ensure(self),
            outcome => outcome,
        }
    }

    /// The image with exactly this id, for a container that was made of it. No names are looked up.
    ///
    /// # Errors
    /// [`ImageError::Unknown`] or what went wrong in reading.
    pub fn image(&self, id: &ImageId) -> Result<Image, ImageError> {
        let record = self.record(id)?.ok_or_else(|| ImageError::Unknown {
            image: id.to_string(),
        })?;
        Ok(self.describe(*id, record))
    }

    /// All images with all their names, newest first.
    ///
    /// # Errors
    /// What went wrong in reading.
    pub fn list(&self) -> Result<Vec<Image>, ImageError> {
        let mut names = self.names()?;
        let mut images = Vec::new();
        for id in self.ids()? {
            // A removal meanwhile takes the record away; then the image is simply not there any more.
            if let Some(record) = self.record(&id)? {
                let mut image = self.describe(id, record);
                image.names = names.remove(&id).unwrap_or_default();
                images.push(image);
            }
        }
        images.sort_by(|one, other| (other.created, one.id).cmp(&(one.created, other.id)));
        Ok(images)
    }

    /// Keeps images from being removed until the value is dropped: take it, resolve the image, write down who uses it, drop it.
    ///
    /// # Errors
    /// [`ImageError::Lock`] or [`ImageError::MakeDirectory`].
    pub fn hold(&self) -> Result<StoreHold, ImageError> {
        let file = self.lock_file(USE, File::lock_shared)?;
        Ok(StoreHold { _file: file })
    }

    /// Waits until nobody holds the store, and keeps others from it. Whoever needs the lock for changes as well takes that second.
    pub(super) fn exclude_holders(&self) -> Result<StoreHold, ImageError> {
        let file = self.lock_file(USE, File::lock)?;
        Ok(StoreHold { _file: file })
    }

    /// Locks the store for changes; waits for others who change it.
    pub(super) fn lock(&self) -> Result<StoreLock, ImageError> {
        let file = self.lock_file(LOCK, File::lock)?;
        Ok(StoreLock { _file: file })
    }

    /// As [`ImageStore::resolve`], but the built-in image is an image like any other: there or not.
    pub(super) fn find(&self, image: &str) -> Result<Image, ImageError> {
        let digits = image.strip_prefix(PREFIX).unwrap_or(image);
        if image.starts_with(PREFIX) || ImageId::from_hexadecimal(digits).is_some() {
            return self.by_prefix(digits, image);
        }
        let reference: ImageReference = image.parse()?;
        match self.named(&reference)? {
            Some(id) => Ok(with_name(self.image(&id)?, reference)),
            None => self.by_prefix(digits, image),
        }
    }

    /// The id that a name stands for.
    pub(super) fn named(&self, reference: &ImageReference) -> Result<Option<ImageId>, ImageError> {
        let path = self.name_path(reference);
        match fs::read_link(&path) {
            Ok(target) => Ok(target.to_str().and_then(ImageId::from_hexadecimal)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ImageError::ReadName { path, source }),
        }
    }

    /// All names by the ids they stand for.
    pub(super) fn names(&self) -> Result<BTreeMap<ImageId, Vec<ImageReference>>, ImageError> {
        let mut names: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for file_name in entries(&self.directory.join("names"))? {
            let Some(reference) = ImageReference::from_file_name(&file_name) else {
                continue;
            };
            if let Some(id) = self.named(&reference)? {
                names.entry(id).or_default().push(reference);
            }
        }
        names.values_mut().for_each(|names| names.sort());
        Ok(names)
    }

    /// The ids of all images.
    pub(super) fn ids(&self) -> Result<Vec<ImageId>, ImageError> {
        let files = entries(&self.directory.join("records"))?;
        let digits = files.iter().filter_map(|file| file.strip_suffix(".json"));
        Ok(digits.filter_map(ImageId::from_hexadecimal).collect())
    }

    /// Reads a record; none if there is no such image.
    pub(super) fn record(&self, id: &ImageId) -> Result<Option<Record>, ImageError> {
        let path = self.record_path(id);
        let json = match small_file::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ImageError::ReadRecord { path, source }),
        };
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(at(path, |path, source| ImageError::ParseRecord {
                path,
                source,
            }))
    }

    /// What a record says, with the layers' names as paths.
    pub(super) fn describe(&self, id: ImageId, record: Record) -> Image {
        let layers = &record.content.layers;
        Image {
            id,
            names: Vec::new(),
            created: record.created,
            size_bytes: record.size_bytes,
            layers: layers.iter().map(|layer| self.layer_path(layer)).collect(),
            config: record.content.config,
            origin: record.origin,
            parent: record.parent,
            author: record.content.author,
            comment: record.content.comment,
        }
    }

    /// The store's own directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where unfinished things are.
    pub(super) fn staging_path(&self) -> PathBuf {
        self.directory.join("tmp")
    }

    /// Where all layers are.
    pub(super) fn layers_path(&self) -> PathBuf {
        self.directory.join("layers")
    }

    /// Where a layer is.
    pub(super) fn layer_path(&self, layer: &LayerName) -> PathBuf {
        self.layers_path().join(layer.to_string())
    }

    /// Where a record is.
    pub(super) fn record_path(&self, id: &ImageId) -> PathBuf {
        let file = format!("{}.json", id.hexadecimal());
        self.directory.join("records").join(file)
    }

    /// Where a name is.
    pub(super) fn name_path(&self, reference: &ImageReference) -> PathBuf {
        self.directory.join("names").join(reference.file_name())
    }

    fn by_prefix(&self, digits: &str, typed: &str) -> Result<Image, ImageError> {
        let unknown = || ImageError::Unknown {
            image: typed.to_owned(),
        };
        if let Some(id) = ImageId::from_hexadecimal(digits) {
            let record = self.record(&id)?.ok_or_else(unknown)?;
            return Ok(self.describe(id, record));
        }
        if digits.is_empty() || !digits.bytes().all(is_lower_hexadecimal) {
            return Err(unknown());
        }
        let mut ids = self.ids()?;
        ids.retain(|id| id.hexadecimal().starts_with(digits));
        match ids.as_slice() {
            [] => Err(unknown()),
            [id] => self.image(id),
            several => Err(ImageError::Ambiguous {
                prefix: typed.to_owned(),
                count: several.len(),
            }),
        }
    }

    /// Locks a file and makes the directories beside it. Only root may look into them: layers hold set-user-id programs.
    fn lock_file(
        &self,
        name: &str,
        lock: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<File, ImageError> {
        for name in ["layers", "records", "names", "tmp"] {
            let path = self.directory.join(name);
            if !path.is_dir() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&path)
                    .map_err(at(path, |path, source| ImageError::MakeDirectory {
                        path,
                        source,
                    }))?;
            }
        }
        let path = self.directory.join(name);
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .and_then(|file| lock(&file).map(|()| file))
            .map_err(at(path, |path, source| ImageError::Lock { path, source }))
    }
}

/// The names in one of the store's directories; none if it does not exist yet.
pub(super) fn entries(directory: &Path) -> Result<Vec<String>, ImageError> {
    let unreadable = |source| ImageError::ReadDirectory {
        path: directory.to_owned(),
        source,
    };
    let listing = match fs::read_dir(directory) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in listing {
        names.extend(entry.map_err(unreadable)?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Whether a text names the built-in image.
pub(super) fn is_demo(image: &str) -> bool {
    image
        .parse()
        .is_ok_and(|typed: ImageReference| typed == demo::reference())
}

fn with_name(mut image: Image, reference: ImageReference) -> Image {
    image.names = vec![reference];
    image
}
