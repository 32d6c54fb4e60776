//! The built-in image `demo`: nothing but the running executable under the names of the small programs that it can be.
//!
//! The executable is identified by what one `stat` says of it. The image's id follows from that, so whether the image is there is known
//! without reading the executable, and another executable makes another image. What an older executable made stays until somebody
//! removes it, since containers may still use it.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use minirun_bridge::environment::EnvironmentVariable;

use super::config::ImageConfig;
use super::digest::Digest;
use super::error::{ImageError, at};
use super::id::ImageId;
use super::layer::LayerName;
use super::publish::TREE;
use super::record::{Content, Image, Origin, Record};
use super::reference::ImageReference;
use super::staging::Staging;
use super::store::ImageStore;

/// The running executable, even if its file was renamed or removed meanwhile.
const EXECUTABLE: &str = "/proc/self/exe";
/// Where the executable stands in the image.
const PROGRAM: &str = "bin/minirun";
/// The names under which the executable plays a program.
const PLAYED: [&str; 9] = [
    "httpd", "wget", "env", "cat", "sleep", "echo", "hostname", "true", "false",
];
/// The empty directories, with their modes.
const DIRECTORIES: [(&str, u32); 8] = [
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("etc", 0o755),
    ("tmp", 0o1777),
    ("run", 0o755),
    ("root", 0o700),
    ("var", 0o755),
];

/// The built-in image.
#[derive(Debug)]
pub struct DemoImage;

/// The name of the built-in image.
pub(super) fn reference() -> ImageReference {
    ImageReference::latest("demo")
}

impl DemoImage {
    /// The built-in image of the running executable; made if it is not there. That costs two `stat`s and the reading of one record
    /// where it is. Any number of processes may do this at once.
    ///
    /// It gets the name `demo` unless an imported image has it.
    ///
    /// # Errors
    /// [`ImageError::Executable`], [`ImageError::Demo`], or what went wrong in the store.
    pub fn ensure(store: &ImageStore) -> Result<Image, ImageError> {
        let demo = Demo::of_this_executable()?;
        match demo.present(store)? {
            Some(image) => Ok(image),
            None => demo.build(store),
        }
    }

    /// The same for the image that has just been found by the name `demo`: usually it is the one, and nothing is read again.
    ///
    /// # Errors
    /// As [`DemoImage::ensure`].
    pub(super) fn ensure_found(store: &ImageStore, found: Image) -> Result<Image, ImageError> {
        let demo = Demo::of_this_executable()?;
        match demo.content.id()? == found.id && demo.is_whole(store) {
            true => Ok(found),
            false => DemoImage::ensure(store),
        }
    }
}

/// What the built-in image of one executable is.
struct Demo {
    layer: LayerName,
    size_bytes: u64,
    content: Content,
}

impl Demo {
    fn of_this_executable() -> Result<Self, ImageError> {
        let executable = Path::new(EXECUTABLE);
        let found = fs::metadata(executable).map_err(at(executable, |path, source| {
            ImageError::Executable { path, source }
        }))?;
        Ok(Demo::of(&found))
    }

    fn of(executable: &Metadata) -> Self {
        let layer = LayerName::Demo(identity_of(executable));
        Self {
            layer,
            size_bytes: executable.len(),
            content: Content {
                config: config(),
                layers: vec![layer],
                ..Content::default()
            },
        }
    }

    /// The image if all of it is there, its name included.
    fn present(&self, store: &ImageStore) -> Result<Option<Image>, ImageError> {
        let id = self.content.id()?;
        let record = match store.record(&id) {
            Ok(Some(record)) => record,
            Ok(None) | Err(ImageError::ParseRecord { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let names = match store.named(&reference())? {
            Some(named) if named == id => vec![reference()],
            Some(named) if is_a_users(store, &named)? => Vec::new(),
            _ => return Ok(None),
        };
        if !self.is_whole(store) {
            return Ok(None);
        }
        Ok(Some(Image {
            names,
            ..store.describe(id, record)
        }))
    }

    /// Whether the copy has its full length: a machine that lost power may have kept the record and lost the rest.
    fn is_whole(&self, store: &ImageStore) -> bool {
        fs::metadata(store.layer_path(&self.layer).join(PROGRAM))
            .is_ok_and(|found| found.len() == self.size_bytes)
    }

    fn build(self, store: &ImageStore) -> Result<Image, ImageError> {
        let staging = store.lock().and_then(|lock| store.stage_clean(&lock))?;
        let tree = staging.path(TREE);
        make_tree(&tree)?;
        let lock = store.lock()?;
        let path = store.layer_path(&self.layer);
        if path.exists() && !self.is_whole(store) {
            move_away(&path, &staging)?;
        }
        store.publish_layer(&lock, &staging, &self.layer)?;
        let name = match store.named(&reference())? {
            Some(id) if is_a_users(store, &id)? => None,
            _ => Some(reference()),
        };
        let record = Record {
            created: Timestamp::now(),
            size_bytes: self.size_bytes,
            origin: Origin::BuiltIn,
            parent: None,
            content: self.content,
        };
        store.publish_record(&lock, &staging, record, name)
    }
}

/// Whether the name `demo` stands for an image that somebody imported or made of a container.
fn is_a_users(store: &ImageStore, id: &ImageId) -> Result<bool, ImageError> {
    let record = store.record(id)?;
    Ok(record.is_some_and(|record| record.origin != Origin::BuiltIn))
}

/// The digest of what tells one executable from another: which file it is, how long, and when it was written.
fn identity_of(executable: &Metadata) -> Digest {
    let numbers = [
        executable.dev(),
        executable.ino(),
        executable.len(),
        executable.mtime().cast_unsigned(),
        executable.mtime_nsec().cast_unsigned(),
    ];
    Digest::of(&numbers.map(u64::to_be_bytes).concat())
}

fn config() -> ImageConfig {
    ImageConfig {
        command: vec!["httpd".to_owned()],
        environment: vec![EnvironmentVariable {
            name: "PATH".to_owned(),
            value: "/bin".to_owned(),
        }],
        working_directory: "/".to_owned(),
        ..ImageConfig::default()
    }
}

/// A copy and not a hard link, so that nothing done to the image is done to the host's own executable.
fn make_tree(root: &Path) -> Result<(), ImageError> {
    make_directory(root, 0o755)?;
    make_directory(&root.join("bin"), 0o755)?;
    for (name, mode) in DIRECTORIES {
        make_directory(&root.join(name), mode)?;
    }
    let program = root.join(PROGRAM);
    fs::copy(EXECUTABLE, &program)
        .and_then(|_| fs::set_permissions(&program, Permissions::from_mode(0o755)))
        .map_err(at(program, unmakeable))?;
    for name in PLAYED {
        let path = root.join("bin").join(name);
        symlink("minirun", &path).map_err(at(path, unmakeable))?;
    }
    Ok(())
}

/// The mode is set again because this process's own mask must not show in an image.
fn make_directory(path: &Path, mode: u32) -> Result<(), ImageError> {
    DirBuilder::new()
        .mode(mode)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(at(path, unmakeable))
}

fn move_away(path: &Path, staging: &Staging) -> Result<(), ImageError> {
    fs::rename(path, staging.path("broken"))
        .map_err(at(path, |path, source| ImageError::Remove { path, source }))
}

fn unmakeable(path: PathBuf, source: io::Error) -> ImageError {
    ImageError::Demo { path, source }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn store() -> (tempfile::TempDir, ImageStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = ImageStore::open(directory.path().join("images"));
        (directory, store)
    }

    #[test]
    fn the_built_in_image_is_the_running_executable_under_its_names() {
        let (_directory, store) = store();
        let image = store.resolve("demo").unwrap();
        let root = &image.layers[0];
        let executable = fs::metadata(EXECUTABLE).unwrap();
        let copy = fs::metadata(root.join("bin/httpd")).unwrap();
        assert_eq!(copy.len(), executable.len());
        assert_ne!(copy.ino(), executable.ino());
        assert_eq!(copy.mode() & 0o7777, 0o755);
        assert_eq!(
            fs::metadata(root.join("tmp")).unwrap().mode() & 0o7777,
            0o1777
        );
        assert_eq!(image.config.command, ["httpd"]);
        assert_eq!(image.size_bytes, executable.len());
        assert_eq!(store.list().unwrap(), [image]);
    }

    #[test]
    fn asking_again_and_again_gives_the_same_image() {
        let (_directory, store) = store();
        let first = store.resolve("demo").unwrap();
        assert_eq!(store.resolve("demo:latest").unwrap(), first);
        assert_eq!(store.resolve(&first.id.short()).unwrap().id, first.id);
        assert_eq!(fs::read_dir(store.staging_path()).unwrap().count(), 0);
    }

    #[test]
    fn many_at_once_make_one_image() {
        let (_directory, store) = store();
        let ids: Vec<ImageId> = thread::scope(|scope| {
            let asked: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| store.resolve("demo").unwrap().id))
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(fs::read_dir(store.layers_path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(store.staging_path()).unwrap().count(), 0);
    }

    #[test]
    fn a_copy_that_was_cut_short_is_made_again() {
        let (_directory, store) = store();
        let image = store.resolve("demo").unwrap();
        let program = image.layers[0].join(PROGRAM);
        fs::write(&program, "").unwrap();
        store.resolve("demo").unwrap();
        assert_eq!(fs::metadata(&program).unwrap().len(), image.size_bytes);
    }

    #[test]
    fn a_removed_built_in_image_comes_back_when_asked_for() {
        let (_directory, store) = store();
        let image = store.resolve("demo").unwrap();
        store.tag("demo", &"kept".parse().unwrap()).unwrap();
        assert_eq!(store.remove("demo", |_| None).unwrap().deleted, None);
        assert_eq!(store.resolve("demo").unwrap(), image);
        assert_eq!(store.list().unwrap()[0].names.len(), 2);
    }
}
