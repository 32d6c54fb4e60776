//! Directories as images.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::*;

fn fill(root: &Path) {
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("dev")).unwrap();
    fs::create_dir_all(root.join("z/deep/er")).unwrap();
    fs::write(root.join("bin/tool"), "tool").unwrap();
    fs::set_permissions(root.join("bin/tool"), PermissionsExt::from_mode(0o4755)).unwrap();
    std::os::unix::fs::chown(root.join("z"), Some(12), Some(34)).unwrap();
    fs::hard_link(root.join("bin/tool"), root.join("z/deep/same")).unwrap();
    symlink("/etc/passwd", root.join("link")).unwrap();
    nix::unistd::mkfifo(&root.join("pipe"), Mode::S_IRWXU).unwrap();
}

#[test]
fn a_directory_is_copied_with_all_it_holds() {
    let place = Place::new();
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    UnixListener::bind(source.path().join("socket")).unwrap();
    let image = place.import_directory(source.path()).unwrap();
    let root = &image.layers[0];
    let tool = fs::metadata(root.join("bin/tool")).unwrap();
    assert_eq!(tool.mode() & 0o7777, 0o4755);
    assert_eq!(
        tool.ino(),
        fs::metadata(root.join("z/deep/same")).unwrap().ino()
    );
    let z = fs::metadata(root.join("z")).unwrap();
    assert_eq!((z.uid(), z.gid()), (12, 34));
    assert_eq!(
        z.mtime_nsec(),
        fs::metadata(source.path().join("z")).unwrap().mtime_nsec()
    );
    assert_eq!(
        fs::read_link(root.join("link")).unwrap(),
        Path::new("/etc/passwd")
    );
    assert!(root.join("z/deep/er").is_dir());
    assert!(!root.join("socket").exists());
    assert_eq!(image.size_bytes, 4);
}

#[test]
fn the_same_directory_is_the_same_image_and_a_change_makes_another() {
    let place = Place::new();
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    let first = place.import_directory(source.path()).unwrap();
    assert_eq!(place.import_directory(source.path()).unwrap().id, first.id);
    fs::set_permissions(
        source.path().join("bin/tool"),
        PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert_ne!(place.import_directory(source.path()).unwrap().id, first.id);
}

#[test]
fn a_device_is_refused_unless_it_is_directly_in_dev() {
    let place = Place::new();
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    let device = |name: &str| {
        let path = source.path().join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3)).unwrap();
    };
    device("dev/null");
    let image = place.import_directory(source.path()).unwrap();
    assert!(!image.layers[0].join("dev/null").exists());
    place.store.remove("test", |_| None).unwrap();
    device("null");
    let error = place.import_directory(source.path()).unwrap_err();
    assert!(
        error.to_string().contains("device node where none may be"),
        "{error}"
    );
    place.assert_empty();
}

#[test]
fn a_directory_that_holds_the_store_is_refused() {
    let place = Place::new();
    let error = place.import_directory(place.directory.path()).unwrap_err();
    assert!(
        error.to_string().contains("minirun's own images"),
        "{error}"
    );
    place.assert_empty();
}

#[test]
fn what_is_no_directory_or_empty_is_refused() {
    let place = Place::new();
    let empty = tempfile::tempdir().unwrap();
    assert!(place.import_directory(empty.path()).is_err());
    assert!(place.import_directory(&place.path("outside")).is_err());
    assert!(place.import_directory(&place.path("missing")).is_err());
    place.assert_empty();
}
