//! Archives of images: whatever stands in one, importing it ends, and nothing is written outside the store.
//!
//! Importing unpacks as root. So it happens on a thread whose root directory is a small file system in memory, which lies in a mount
//! namespace of this process alone: not even a way out of the store would lead to a file of the machine. The target makes the headers
//! itself, because without their check sums nothing behind the first would ever be read.

#![no_main]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::thread;

use libfuzzer_sys::fuzz_target;
use minirun_runtime::image::{ImageReference, ImageStore, ImportSource, import};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::chroot;

/// A directory that every machine has, and that is hidden from this process by the file system in memory.
const ROOT: &str = "/var/lib";

/// A file that no archive may change.
const CANARY: &str = "/canary";

/// The length of a header, and of what contents are filled up to.
const BLOCK: usize = 512;

/// The kinds of entries, with those of extensions and a few that nobody should have.
const KINDS: &[u8] = b"0125346xgLKS7DVM\0";

/// What is done before anything is tried: the place is made.
fn make_room() {
    unshare(CloneFlags::CLONE_NEWNS).expect("archives are unpacked as root: please run it as root");
    let nothing = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(nothing, "/", nothing, private, nothing).expect("mounts can be made private");
    let options = Some("size=64m,nr_inodes=4096,mode=755");
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), ROOT, Some("tmpfs"), flags, options).expect("memory can be mounted");
    fs::write(format!("{ROOT}{CANARY}"), "sings").expect("memory can be written");
}

/// A number as headers have it, with a zero behind it.
fn octal(field: &mut [u8], number: usize) {
    let digits = format!("{number:0width$o}\0", width = field.len() - 1);
    let length = field.len();
    field.copy_from_slice(&digits.as_bytes()[..length]);
}

/// Adds an entry: its kind, its path, what it leads to, and its content.
fn add(archive: &mut Vec<u8>, (kind, path, target, content): (u8, &[u8], &[u8], &[u8])) {
    let mut header = [0; BLOCK];
    let path = &path[..path.len().min(100)];
    header[..path.len()].copy_from_slice(path);
    octal(&mut header[100..108], usize::from(kind) << 4);
    octal(&mut header[108..116], 0);
    octal(&mut header[116..124], 0);
    octal(&mut header[124..136], content.len());
    octal(&mut header[136..148], 1);
    header[156] = KINDS[usize::from(kind) % KINDS.len()];
    let target = &target[..target.len().min(100)];
    header[157..157 + target.len()].copy_from_slice(target);
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum = header.iter().map(|byte| usize::from(*byte)).sum();
    octal(&mut header[148..155], sum);
    archive.extend(header);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// Imports an archive below a root of its own.
fn import_apart(archive: Vec<u8>) {
    unshare(CloneFlags::CLONE_FS).expect("a thread may have a root of its own");
    chroot(ROOT).expect("the place was made");
    let reference: ImageReference = "fuzzed".parse().expect("a name");
    let source = ImportSource::Tar(Box::new(Cursor::new(archive)));
    match import(&ImageStore::open("/store"), source, &reference, &[]) {
        Ok(_) => {}
        Err(error) => drop(error.to_string()),
    }
    let canary = fs::read(CANARY).expect("the canary is there");
    assert_eq!(canary, b"sings", "an archive has changed what is outside");
    let count = fs::read_dir("/").expect("a directory").count();
    assert!(count <= 2, "an archive has made something outside");
    if Path::new("/store").exists() {
        fs::remove_dir_all("/store").expect("a store can be removed");
    }
}

type Entries<'a> = Vec<(u8, &'a [u8], &'a [u8], &'a [u8])>;

fuzz_target!(init: make_room(), |input: (Entries<'_>, bool, &[u8])| {
    let (entries, is_raw, rest) = input;
    let mut archive = Vec::new();
    if !is_raw {
        entries.into_iter().for_each(|entry| add(&mut archive, entry));
        archive.extend([0; 2 * BLOCK]);
    }
    archive.extend(rest);
    thread::scope(|scope| scope.spawn(|| import_apart(archive)).join().expect("no panic"));
});
