//! What an archive holds is what the layer holds.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::*;

/// Effective, permitted `cap_net_bind_service`, as `setcap` writes it.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn rich() -> Vec<u8> {
    Archive::new()
        .directory("./")
        .directory("bin/")
        .file("bin/tool", "tool")
        .hard_link("bin/same", "bin/tool")
        .symbolic_link("sh", "/bin/tool")
        .entry(EntryType::Fifo, "pipe", "", b"")
        .with_header(|header| {
            header.set_mode(0o4711);
            header.set_uid(1234);
            header.set_gid(70_000);
        })
        .symbolic_link("lib", "usr/lib")
        .directory("usr/lib/")
        .file("lib/library", "linked")
        .file(".wh.ordinary", "")
        .finish()
}

fn extended(path: &Path, name: &std::ffi::CStr) -> Vec<u8> {
    let file = fs::File::open(path).unwrap();
    super::super::attributes::read_extended(&file)
        .unwrap()
        .into_iter()
        .find_map(|(found, value)| (found.as_c_str() == name).then_some(value))
        .unwrap_or_default()
}

#[test]
fn modes_owners_times_and_links_are_kept() {
    let place = Place::new();
    let image = place.import(&rich()).unwrap();
    let root = &image.layers[0];
    let tool = fs::metadata(root.join("bin/tool")).unwrap();
    assert_eq!(
        tool.ino(),
        fs::metadata(root.join("bin/same")).unwrap().ino()
    );
    assert_eq!((tool.mtime(), tool.mode() & 0o7777), (1_000_000_000, 0o644));
    assert_eq!(
        fs::metadata(root.join("bin")).unwrap().mtime(),
        1_000_000_000
    );
    let changed = fs::metadata(root.join("changed")).unwrap();
    assert_eq!(
        (changed.mode() & 0o7777, changed.uid(), changed.gid()),
        (0o4711, 1234, 70_000)
    );
    assert_eq!(
        fs::read_link(root.join("sh")).unwrap(),
        Path::new("/bin/tool")
    );
    assert_eq!(
        fs::symlink_metadata(root.join("sh")).unwrap().mtime(),
        1_000_000_000
    );
    assert!(
        fs::metadata(root.join("pipe"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
    assert!(root.join(".wh.ordinary").exists());
}

#[test]
fn a_symbolic_link_within_the_root_is_followed() {
    let image = Place::new().import(&rich()).unwrap();
    // The place is gone, but that the import succeeded says that `usr/lib` was found by way of `lib`.
    assert_eq!(
        image.size_bytes,
        "tool".len() as u64 + "linked".len() as u64
    );
}

#[test]
fn extended_attributes_and_exact_times_are_kept() {
    let place = Place::new();
    let archive = Archive::new()
        .extension("SCHILY.xattr.security.capability", &CAPABILITY)
        .file("able", "")
        .extension("SCHILY.xattr.user.remark", b"hello")
        .file("remarked", "")
        .extension("SCHILY.xattr.user.remark", b"below")
        .directory("directory/")
        .extension("mtime", b"1700000000.123456789")
        .file("timed", "");
    let image = place.import(&archive.finish()).unwrap();
    let root = &image.layers[0];
    assert_eq!(
        extended(&root.join("able"), c"security.capability"),
        CAPABILITY
    );
    assert_eq!(extended(&root.join("remarked"), c"user.remark"), b"hello");
    assert_eq!(extended(&root.join("directory"), c"user.remark"), b"below");
    let timed = fs::metadata(root.join("timed")).unwrap();
    assert_eq!(
        (timed.mtime(), timed.mtime_nsec()),
        (1_700_000_000, 123_456_789)
    );
}

#[test]
fn directories_that_no_entry_mentions_are_made() {
    let place = Place::new();
    let image = place
        .import(&Archive::new().file("a/b/c", "x").finish())
        .unwrap();
    let made = fs::metadata(image.layers[0].join("a/b")).unwrap();
    assert_eq!((made.mode() & 0o7777, made.uid()), (0o755, 0));
    assert_eq!(
        fs::metadata(&image.layers[0]).unwrap().mode() & 0o7777,
        0o755
    );
}

#[test]
fn the_root_is_as_its_entry_says_and_otherwise_as_usual_whatever_the_mask() {
    // The mask belongs to the whole process unless a thread leaves it.
    std::thread::spawn(|| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).unwrap();
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
        let place = Place::new();
        let silent = Archive::new().file("a/b", "").finish();
        let image = place.import(&silent).unwrap();
        assert_eq!(image.root_attributes().unwrap(), RootAttributes::USUAL);
        let below = fs::metadata(image.layers[0].join("a")).unwrap();
        assert_eq!(below.mode() & 0o7777, 0o755);
        let mut root = header(EntryType::Directory, "./", "", 0);
        root.set_mode(0o1750);
        root.set_uid(12);
        root.set_gid(34);
        root.set_cksum();
        let mut archive = Archive::new();
        archive.builder.append(&root, io::empty()).unwrap();
        let image = place.import(&archive.file("a", "").finish()).unwrap();
        let kept = RootAttributes {
            mode: 0o1750,
            uid: 12,
            gid: 34,
        };
        assert_eq!(image.root_attributes().unwrap(), kept);
        let demo = place.store.resolve("demo").unwrap();
        assert_eq!(demo.root_attributes().unwrap(), RootAttributes::USUAL);
        fs::remove_dir_all(&demo.layers[0]).unwrap();
        let error = demo.root_attributes().unwrap_err().to_string();
        assert!(error.contains("layers/demo-"), "{error}");
    })
    .join()
    .unwrap();
}

#[test]
fn zeros_take_no_room_and_are_read_back() {
    const LENGTH: u64 = 8 << 20;
    let place = Place::new();
    let mut content = vec![0; LENGTH as usize];
    content[1 << 20] = 1;
    let archive = Archive::new()
        .entry(EntryType::Regular, "zeros", "", &content)
        .file("behind", "x");
    let archive = archive.finish();
    let image = place.import(&archive).unwrap();
    let path = image.layers[0].join("zeros");
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.len(), LENGTH);
    assert!(found.blocks() * 512 < LENGTH / 2, "{}", found.blocks());
    assert!(fs::read(&path).unwrap() == content);
    // A directory with such a file in it is the same tree again, and no more of it is on disk.
    let copy = Place::new().import_directory(&image.layers[0]).unwrap();
    assert_eq!(copy.size_bytes, image.size_bytes);
}

#[test]
fn a_hard_link_that_repeats_its_content_is_a_link() {
    let place = Place::new();
    let content = vec![1; 3 << 20];
    let archive = Archive::new()
        .entry(EntryType::Regular, "a", "", &content)
        .entry(EntryType::Link, "b", "a", &content)
        .file("c", "");
    let image = place.import(&archive.finish()).unwrap();
    let inode = |name| fs::metadata(image.layers[0].join(name)).unwrap().ino();
    assert_eq!(inode("a"), inode("b"));
    assert_eq!(image.size_bytes, content.len() as u64);
}

#[test]
fn a_path_as_long_as_the_kernel_takes_is_kept() {
    let place = Place::new();
    let path = "d/".repeat(2000) + "f";
    let archive = Archive::new()
        .extension("path", path.as_bytes())
        .file("short", "x");
    let image = place.import(&archive.finish()).unwrap();
    assert_eq!(image.size_bytes, 1);
}

#[test]
fn a_directory_nobody_may_enter_can_be_filled() {
    let place = Place::new();
    let mut closed = header(EntryType::Directory, "closed/", "", 0);
    closed.set_mode(0);
    closed.set_cksum();
    let mut archive = Archive::new();
    archive.builder.append(&closed, io::empty()).unwrap();
    let image = place
        .import(&archive.file("closed/a", "x").finish())
        .unwrap();
    assert_eq!(
        fs::metadata(image.layers[0].join("closed")).unwrap().mode() & 0o7777,
        0
    );
}

#[test]
fn however_it_is_compressed_it_is_the_same_image() {
    let place = Place::new();
    let plain = place.import(&rich()).unwrap();
    let gzipped = place.import_as(&gzip(&rich()), "gzipped", &[]).unwrap();
    let zstandard = zstd::encode_all(&rich()[..], 1).unwrap();
    let zstandard = place.import_as(&zstandard, "zstandard", &[]).unwrap();
    assert_eq!((plain.id, plain.created), (gzipped.id, gzipped.created));
    assert_eq!(plain.id, zstandard.id);
    assert_eq!(
        fs::read_dir(place.path("images/layers")).unwrap().count(),
        1
    );
    assert_eq!(fs::read_dir(place.path("images/tmp")).unwrap().count(), 0);
}

#[test]
fn changes_make_another_image_of_the_same_layer() {
    let place = Place::new();
    let plain = place.import(&rich()).unwrap();
    let changes = [
        "ENV A=b",
        "EXPOSE 80",
        "CMD [\"tool\"]",
        "STOPSIGNAL SIGQUIT",
    ];
    let changed = place.import_as(&rich(), "changed", &changes).unwrap();
    assert_ne!(plain.id, changed.id);
    assert_eq!(plain.layers, changed.layers);
    let found = place.store.resolve("changed").unwrap();
    assert_eq!(found.config.command, ["tool"]);
    assert_eq!(found, changed);
}

#[test]
fn members_of_several_gzip_streams_are_read_to_the_last() {
    let place = Place::new();
    let archive = rich();
    let (first, second) = archive.split_at(1024);
    let joined = [gzip(first), gzip(second)].concat();
    assert_eq!(
        place.import(&joined).unwrap().id,
        place.import(&archive).unwrap().id
    );
}
