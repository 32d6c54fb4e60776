//! Files of a stack of layers, as a container would see them.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::mknod;
use tempfile::TempDir;

use super::*;

/// Three empty layers, top first, beside a file that no container may see.
struct Stack {
    directory: TempDir,
    layers: Vec<PathBuf>,
}

impl Stack {
    fn new() -> Stack {
        let directory = tempfile::tempdir().unwrap();
        let layers: Vec<PathBuf> = ["upper", "middle", "lower"]
            .iter()
            .map(|name| directory.path().join(name))
            .collect();
        for layer in &layers {
            fs::create_dir_all(layer.join("etc")).unwrap();
        }
        fs::write(directory.path().join("secret"), "secret").unwrap();
        Stack { directory, layers }
    }

    fn write(&self, layer: usize, path: &str, text: &str) {
        let path = self.layers[layer].join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> Result<Option<String>, LayerError> {
        let bytes = read_file(&self.layers, Path::new(path), 100)?;
        Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap()))
    }
}

#[test]
fn the_topmost_layer_that_has_the_file_wins() {
    let stack = Stack::new();
    assert_eq!(stack.read("etc/passwd").unwrap(), None);
    stack.write(2, "etc/passwd", "lower");
    assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "lower");
    stack.write(0, "etc/passwd", "upper");
    assert_eq!(stack.read("/etc/./passwd").unwrap().unwrap(), "upper");
}

#[test]
fn a_whiteout_hides_the_file_and_an_opaque_directory_hides_its_namesakes() {
    let stack = Stack::new();
    stack.write(2, "etc/passwd", "lower");
    let whiteout = stack.layers[1].join("etc/passwd");
    mknod(&whiteout, SFlag::S_IFCHR, Mode::S_IRUSR, 0).unwrap();
    assert_eq!(stack.read("etc/passwd").unwrap(), None);
    fs::remove_file(&whiteout).unwrap();

    let name = std::ffi::CString::new(stack.layers[1].join("etc").as_os_str().as_bytes());
    // SAFETY: path, name and value are valid for the call.
    let set = unsafe {
        libc::setxattr(
            name.unwrap().as_ptr(),
            c"trusted.overlay.opaque".as_ptr(),
            c"y".as_ptr().cast(),
            1,
            0,
        )
    };
    // A file system without trusted attributes cannot be overlayfs's upper layer either.
    if set == 0 {
        assert_eq!(stack.read("etc/passwd").unwrap(), None);
    }
}

#[test]
fn links_are_followed_through_the_merged_view_and_never_out_of_it() {
    let stack = Stack::new();
    stack.write(1, "data/users", "middle");
    symlink("/data/users", stack.layers[2].join("etc/passwd")).unwrap();
    assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "middle");
    stack.write(0, "data/users", "upper");
    assert_eq!(stack.read("etc/passwd").unwrap().unwrap(), "upper");

    let secret = stack.directory.path().join("secret");
    for target in [
        secret.as_path(),
        Path::new("../../secret"),
        Path::new("../../../../secret"),
    ] {
        let link = stack.layers[0].join("etc/group");
        symlink(target, &link).unwrap();
        assert_eq!(stack.read("etc/group").unwrap(), None, "{target:?}");
        fs::remove_file(&link).unwrap();
    }
}

#[test]
fn a_ring_of_links_a_pipe_a_directory_and_a_large_file_are_refused() {
    let stack = Stack::new();
    symlink("ring", stack.layers[0].join("etc/ring")).unwrap();
    assert!(matches!(
        stack.read("etc/ring"),
        Err(LayerError::TooManyLinks(_))
    ));
    nix::unistd::mkfifo(&stack.layers[0].join("etc/pipe"), Mode::S_IRWXU).unwrap();
    assert!(matches!(
        stack.read("etc/pipe"),
        Err(LayerError::NotRegular(_))
    ));
    assert!(matches!(stack.read("etc"), Err(LayerError::NotRegular(_))));
    stack.write(1, "etc/large", &"x".repeat(101));
    assert!(matches!(
        stack.read("etc/large"),
        Err(LayerError::TooLarge { .. })
    ));
}

/// A container that runs exchanges a file for a device: nothing of it may ever be opened, because opening alone has effects.
#[test]
fn what_takes_the_place_of_a_file_is_never_opened() {
    use nix::fcntl::{RenameFlags, renameat2};
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use std::sync::atomic::{AtomicBool, Ordering};

    let stack = Stack::new();
    stack.write(0, "etc/passwd", "upper");
    let etc = stack.layers[0].join("etc");
    let (file, pipe) = (etc.join("passwd"), etc.join("pipe"));
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let opened = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    opened.add_watch(&pipe, AddWatchFlags::IN_OPEN).unwrap();
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !finished.load(Ordering::Relaxed) {
                let flags = RenameFlags::RENAME_EXCHANGE;
                renameat2(AT_FDCWD, &file, AT_FDCWD, &pipe, flags).unwrap();
            }
        });
        for _ in 0..20_000 {
            match stack.read("etc/passwd") {
                Ok(Some(text)) => assert_eq!(text, "upper"),
                Err(LayerError::NotRegular(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        finished.store(true, Ordering::Relaxed);
    });
    assert_eq!(opened.read_events().err(), Some(Errno::EAGAIN));
}

#[test]
fn a_file_where_the_path_needs_a_directory_means_missing() {
    let stack = Stack::new();
    stack.write(2, "a/b", "lower");
    stack.write(0, "a", "a file");
    assert_eq!(stack.read("a/b").unwrap(), None);
}

#[test]
fn a_missing_layer_is_named() {
    let error = read_file(&["/nowhere/at/all".into()], Path::new("a"), 1).unwrap_err();
    assert!(error.to_string().contains("`/nowhere/at/all`"), "{error}");
}
