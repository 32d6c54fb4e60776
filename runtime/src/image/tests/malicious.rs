//! Archives that mean harm or are damaged: refused, with nothing kept and nothing touched.

use proptest::prelude::*;
use tar::EntryType;

use super::*;

#[test]
fn a_path_that_climbs_is_refused() {
    for path in ["../outside", "a/../../outside", "a/..", ".."] {
        let error = Place::new().refuses(&Archive::new().file("a/b", "").file(path, "x").finish());
        assert!(matches!(error, TreeError::Path { .. }), "{error}");
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[test]
fn an_absolute_path_is_refused() {
    let place = Place::new();
    let path = place.path("outside");
    let error = place.refuses(&Archive::new().file(path.to_str().unwrap(), "x").finish());
    assert!(error.to_string().contains("absolute"), "{error}");
}

#[test]
fn a_long_name_that_climbs_is_refused() {
    let archive = Archive::new()
        .extension("path", b"../outside")
        .file("harmless", "x");
    let error = Place::new().refuses(&archive.finish());
    assert!(matches!(error, TreeError::Path { .. }), "{error}");
}

#[test]
fn nothing_is_written_through_a_symbolic_link_that_leads_out() {
    let place = Place::new();
    let absolute = place.path("");
    for target in [
        absolute.to_str().unwrap(),
        "../../../..",
        "/",
        "/proc/self/root",
    ] {
        let archive = Archive::new()
            .symbolic_link("way", target)
            .file("way/outside", "x");
        let error = place.refuses(&archive.finish());
        assert!(matches!(error, TreeError::Escapes { .. }), "{error}");
    }
}

#[test]
fn a_chain_of_symbolic_links_does_not_lead_out_either() {
    let archive = Archive::new()
        .directory("a/b/")
        .symbolic_link("a/b/up", "../..")
        .symbolic_link("way", "a/b/up/..")
        .file("way/outside", "x");
    let error = Place::new().refuses(&archive.finish());
    assert!(matches!(error, TreeError::Escapes { .. }), "{error}");
}

#[test]
fn a_directory_that_becomes_a_symbolic_link_does_not_lead_out() {
    let archive = Archive::new()
        .directory("way/")
        .symbolic_link("way", "../../../..")
        .file("way/outside", "x");
    let error = Place::new().refuses(&archive.finish());
    assert!(matches!(error, TreeError::Escapes { .. }), "{error}");
}

#[test]
fn a_file_that_becomes_a_symbolic_link_is_not_written_through() {
    let place = Place::new();
    let archive = Archive::new()
        .file("a", "first")
        .symbolic_link("a", place.path("outside").to_str().unwrap())
        .file("a", "last");
    let image = place.import(&archive.finish()).unwrap();
    let path = image.layers[0].join("a");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_to_string(&path).unwrap(), "last");
    place.assert_untouched();
}

#[test]
fn attributes_are_not_set_through_a_symbolic_link() {
    let place = Place::new();
    let outside = place.path("outside");
    let before = fs::metadata(&outside).unwrap().modified().unwrap();
    let archive = Archive::new().symbolic_link("a", outside.to_str().unwrap());
    place.import(&archive.finish()).unwrap();
    assert_eq!(fs::metadata(&outside).unwrap().modified().unwrap(), before);
}

#[test]
fn a_hard_link_does_not_lead_out() {
    let place = Place::new();
    let outside = place.path("outside");
    for target in [
        outside.to_str().unwrap(),
        "../outside",
        "../../../../outside",
    ] {
        let error = place.refuses(&Archive::new().hard_link("a", target).finish());
        assert!(matches!(error, TreeError::Path { .. }), "{error}");
    }
    let archive = Archive::new()
        .symbolic_link("way", "../../../..")
        .hard_link("a", "way/outside");
    let error = place.refuses(&archive.finish());
    assert!(matches!(error, TreeError::Escapes { .. }), "{error}");
}

#[test]
fn a_hard_link_to_nothing_or_to_itself_is_refused() {
    for target in ["missing", "a"] {
        let error = Place::new().refuses(&Archive::new().hard_link("a", target).finish());
        assert!(matches!(error, TreeError::HardLink { .. }), "{error}");
    }
}

#[test]
fn a_device_is_refused_unless_it_is_directly_in_dev() {
    for path in ["disk", "srv/dev/sda", "dev/mapper/root"] {
        for kind in [EntryType::Block, EntryType::Char] {
            let error = Place::new().refuses(&Archive::new().entry(kind, path, "", b"").finish());
            assert!(error.to_string().contains("device node where none may be"));
        }
    }
    let place = Place::new();
    let archive = Archive::new()
        .file("a", "")
        .entry(EntryType::Char, "./dev/null", "", b"");
    let image = place.import(&archive.finish()).unwrap();
    assert!(!image.layers[0].join("dev/null").exists());
}

#[test]
fn a_truncated_archive_is_refused_wherever_it_ends() {
    let archive = Archive::new()
        .file("first", "1")
        .file("second", &"x".repeat(3000))
        .finish();
    let place = Place::new();
    for length in [100, 512, 700, 1024, 1500, 1536, 3000, 4608] {
        let error = place.refuses(&archive[..length]);
        let is_clear = matches!(error, TreeError::Truncated { .. })
            || length < 512 && matches!(error, TreeError::NotAnArchive);
        assert!(is_clear, "{length}: {error}");
    }
    let middle = place.refuses(&archive[..3000]).to_string();
    assert!(middle.contains("in the middle of `second`"), "{middle}");
}

#[test]
fn a_truncated_or_damaged_compression_is_refused() {
    let noise: String = (0..40_000_u32)
        .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 26) as u8))
        .collect();
    let archive = Archive::new().file("a", &noise).file("b", &noise).finish();
    let zstandard = zstd::encode_all(&archive[..], 1).unwrap();
    let gzipped = gzip(&archive);
    let place = Place::new();
    for compressed in [&gzipped, &zstandard] {
        for length in [12, compressed.len() / 2, compressed.len() - 1] {
            let error = place.refuses(&compressed[..length]);
            assert!(
                matches!(error, TreeError::Truncated { .. }),
                "{length}: {error}"
            );
        }
    }
    let mut damaged = gzipped;
    let check_sum = damaged.len() - 8;
    damaged[check_sum] ^= 1;
    let error = place.refuses(&damaged);
    assert!(matches!(error, TreeError::Archive { .. }), "{error}");
}

#[test]
fn what_is_no_archive_is_refused() {
    let place = Place::new();
    let text = "not an archive ".repeat(100);
    assert!(matches!(
        place.refuses(text.as_bytes()),
        TreeError::NotAnArchive
    ));
    assert!(matches!(place.refuses(b"short"), TreeError::NotAnArchive));
    assert!(matches!(
        place.refuses(&gzip(text.as_bytes())),
        TreeError::NotAnArchive
    ));
    assert!(matches!(place.refuses(b""), TreeError::Empty));
    assert!(matches!(
        place.refuses(&Archive::new().finish()),
        TreeError::Empty
    ));
    let xz = place.refuses(b"\xfd7zXZ\0and so on").to_string();
    assert!(xz.contains("`xz -dc FILE | minirun import - NAME`"), "{xz}");
}

#[test]
fn a_name_that_is_too_long_is_refused_by_the_kernel() {
    let long = "x".repeat(256);
    let archive = Archive::new()
        .extension("path", long.as_bytes())
        .file("short", "");
    let error = Place::new().refuses(&archive.finish()).to_string();
    assert!(
        error.contains(&format!("`{}…", &long[..100])) && error.contains("too long"),
        "{error}"
    );
}

#[test]
fn a_header_without_end_is_refused_before_it_fills_the_memory() {
    let endless = |kind: EntryType| {
        let mut header = header(kind, "././@LongLink", "", 0);
        header.set_size(3 << 30);
        header.set_cksum();
        Archive::new()
            .file("first", "1")
            .finish_with(Cursor::new(*header.as_bytes()).chain(io::repeat(0).take(3 << 30)))
    };
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
    ] {
        let place = Place::new();
        let source = ImportSource::Tar(endless(kind));
        let error = import(&place.store, source, &"test".parse().unwrap(), &[]).unwrap_err();
        place.assert_empty();
        let error = error.to_string();
        assert!(
            error.contains("header behind `first` is longer than 1 MiB"),
            "{error}"
        );
    }
}

#[test]
fn a_file_longer_than_the_file_system_is_refused_before_it_is_made() {
    let long = |kind: EntryType| {
        let mut header = header(kind, "long", "", 0);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(1 << 60);
        // One piece of no length at the end: everything in front of it is a hole.
        gnu.sparse[0].offset.copy_from_slice(&number(1 << 60));
        gnu.sparse[0].numbytes.copy_from_slice(&number(0));
        if kind == EntryType::Regular {
            header.set_size(1 << 60);
        }
        header.set_cksum();
        [header.as_bytes().as_slice(), &[0; 1024]].concat()
    };
    for kind in [EntryType::Regular, EntryType::GNUSparse] {
        let error = Place::new().refuses(&long(kind));
        assert!(
            matches!(error, TreeError::NoRoom { length, .. } if length == 1 << 60),
            "{error}"
        );
    }
}

/// A number as GNU archives write those that do not fit into octal digits.
fn number(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[0] = 0x80;
    field[4..].copy_from_slice(&value.to_be_bytes());
    field
}

#[test]
fn a_file_cannot_take_the_place_of_a_full_directory_or_of_the_root() {
    let full = Archive::new().file("a/b", "").file("a", "");
    let root = Archive::new().symbolic_link("./", "elsewhere");
    let below = Archive::new().file("a", "").file("a/b", "");
    for archive in [full, root, below] {
        let error = Place::new().refuses(&archive.finish());
        assert!(matches!(error, TreeError::Make { .. }), "{error}");
    }
}

#[test]
fn a_sparse_file_in_the_posix_form_is_refused() {
    let archive = Archive::new()
        .extension("GNU.sparse.major", b"1")
        .file("a", "");
    let error = Place::new().refuses(&archive.finish());
    assert!(matches!(error, TreeError::Sparse { .. }), "{error}");
}

fn any_path() -> impl Strategy<Value = String> {
    let component = prop::sample::select(vec!["a", "b", "..", ".", "", "way", "outside", "images"]);
    prop::collection::vec(component, 1..6).prop_map(|components| components.join("/"))
}

fn any_entry() -> impl Strategy<Value = (EntryType, String, String)> {
    let kinds = vec![
        EntryType::Regular,
        EntryType::Directory,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
    ];
    (prop::sample::select(kinds), any_path(), any_path())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_archive_whatever_touches_anything_outside(entries in prop::collection::vec(any_entry(), 1..8)) {
        let place = Place::new();
        let mut archive = Archive::new();
        for (kind, path, target) in &entries {
            let content: &[u8] = if *kind == EntryType::Regular { b"touched" } else { b"" };
            archive = archive.entry(*kind, path, target, content);
        }
        if place.import(&archive.finish()).is_err() {
            place.assert_empty();
        }
        place.assert_untouched();
    }

    #[test]
    fn noise_is_refused_without_a_trace(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        Place::new().refuses(&noise);
    }
}
