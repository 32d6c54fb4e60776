//! Finding, naming and removing images.

use super::*;

fn one(content: &str) -> Vec<u8> {
    Archive::new().file("a", content).finish()
}

#[test]
fn an_image_is_found_by_name_id_and_beginning_of_its_id() {
    let place = Place::new();
    let image = place
        .import_as(&one("1"), "localhost:5000/tools/a:1", &[])
        .unwrap();
    let hexadecimal = image.id.hexadecimal();
    for typed in [
        "localhost:5000/tools/a:1",
        &image.id.to_string(),
        &hexadecimal,
        &hexadecimal[..1],
        &image.id.short(),
        &format!("sha256:{}", &hexadecimal[..7]),
    ] {
        assert_eq!(place.store.resolve(typed).unwrap().id, image.id, "{typed}");
    }
    assert_eq!(place.store.image(&image.id).unwrap().layers, image.layers);
}

#[test]
fn what_is_not_there_is_unknown_and_says_what_to_do() {
    let place = Place::new();
    for typed in ["nothing", "abc", "sha256:", "nothing:1", &"0".repeat(64)] {
        let error = place.store.resolve(typed).unwrap_err();
        assert!(matches!(error, ImageError::Unknown { .. }), "{error}");
        assert!(error.hint().unwrap().contains("minirun images"));
    }
    let error = place.store.remove("demo", |_| None).unwrap_err();
    assert!(error.hint().unwrap().contains("built in"), "{error}");
    let error = place.store.resolve("No Name").unwrap_err();
    assert!(matches!(error, ImageError::Reference(_)), "{error}");
    assert!(place.store.list().unwrap().is_empty());
}

#[test]
fn a_beginning_that_several_ids_share_is_ambiguous() {
    let place = Place::new();
    // Seventeen images: two of them begin with the same digit.
    let ids: Vec<_> = (0..17)
        .map(|n| {
            place
                .import_as(&one(&n.to_string()), &format!("i{n}"), &[])
                .unwrap()
                .id
        })
        .collect();
    let shared = ids
        .iter()
        .map(|id| id.hexadecimal()[..1].to_owned())
        .find(|digit| {
            ids.iter()
                .filter(|id| id.hexadecimal().starts_with(digit))
                .count()
                > 1
        })
        .unwrap();
    let error = place.store.resolve(&shared).unwrap_err();
    assert!(matches!(error, ImageError::Ambiguous { .. }), "{error}");
    assert_eq!(place.store.list().unwrap().len(), 17);
}

#[test]
fn a_name_moves_to_the_image_imported_last() {
    let place = Place::new();
    let first = place.import(&one("1")).unwrap();
    let second = place.import(&one("2")).unwrap();
    assert_eq!(place.store.resolve("test").unwrap().id, second.id);
    let listed = place.store.list().unwrap();
    let names_of = |id| &listed.iter().find(|image| image.id == id).unwrap().names;
    assert!(names_of(first.id).is_empty());
    assert_eq!(names_of(second.id), &["test".parse().unwrap()]);
}

#[test]
fn an_image_goes_with_its_last_name() {
    let place = Place::new();
    let image = place.import(&one("1")).unwrap();
    place
        .store
        .tag("test", &"other:2".parse().unwrap())
        .unwrap();
    let removed = place
        .store
        .remove("test", |_| panic!("the image stays"))
        .unwrap();
    assert_eq!(removed.untagged, ["test".parse().unwrap()]);
    assert_eq!(removed.deleted, None);
    let removed = place.store.remove("other:2", |_| None).unwrap();
    assert_eq!(removed.deleted, Some(image.id));
    place.assert_empty();
    assert!(place.store.remove("other:2", |_| None).is_err());
}

#[test]
fn an_image_is_removed_by_id_only_if_it_has_one_name_at_most() {
    let place = Place::new();
    let image = place.import(&one("1")).unwrap();
    place.store.tag("test", &"other".parse().unwrap()).unwrap();
    let error = place.store.remove(&image.id.short(), |_| None).unwrap_err();
    assert!(
        matches!(error, ImageError::SeveralNames { count: 2, .. }),
        "{error}"
    );
    place.store.remove("other", |_| None).unwrap();
    let removed = place.store.remove(&image.id.short(), |_| None).unwrap();
    assert_eq!(removed.untagged, ["test".parse().unwrap()]);
    place.assert_empty();
}

#[test]
fn an_image_in_use_stays_whole() {
    let place = Place::new();
    let image = place.import(&one("1")).unwrap();
    let error = place
        .store
        .remove("test", |_| Some("web1".to_owned()))
        .unwrap_err();
    assert!(error.to_string().contains("`web1`"), "{error}");
    assert_eq!(place.store.resolve("test").unwrap(), image);
}

#[test]
fn a_layer_stays_as_long_as_an_image_needs_it() {
    let place = Place::new();
    let plain = place.import(&one("1")).unwrap();
    place.import_as(&one("1"), "changed", &["ENV A=b"]).unwrap();
    place.store.remove("test", |_| None).unwrap();
    assert!(plain.layers[0].join("a").exists());
    place.store.remove("changed", |_| None).unwrap();
    place.assert_empty();
}

#[test]
fn what_a_dead_command_left_is_cleared_by_the_next_import() {
    let place = Place::new();
    let image = place.import(&one("1")).unwrap();
    let dead = place.path("images/tmp/unfinished-dead/tree");
    fs::create_dir_all(&dead).unwrap();
    let orphan = place.path("images/layers").join("0".repeat(64));
    fs::create_dir_all(orphan.join("a")).unwrap();
    place.import_as(&one("2"), "second", &[]).unwrap();
    assert!(!dead.exists() && !orphan.exists());
    assert!(image.layers[0].exists());
}

#[test]
fn an_imported_demo_comes_before_the_built_in_one() {
    let place = Place::new();
    let built_in = place.store.resolve("demo").unwrap();
    assert_eq!(built_in.origin, Origin::BuiltIn);
    let imported = place.import_as(&one("1"), "demo", &[]).unwrap();
    assert_eq!(place.store.resolve("demo").unwrap(), imported);
    assert_eq!(DemoImage::ensure(&place.store).unwrap().id, built_in.id);
    assert_eq!(place.store.resolve("demo").unwrap().id, imported.id);
    place.store.remove("demo", |_| None).unwrap();
    assert_eq!(place.store.resolve("demo").unwrap().id, built_in.id);
}

#[test]
fn several_may_hold_the_store_at_once_and_still_have_the_demo_image_made() {
    let place = Place::new();
    let _first = place.store.hold().unwrap();
    let _second = place.store.hold().unwrap();
    place.store.resolve("demo").unwrap();
    place.import(&one("1")).unwrap();
}

#[test]
fn nothing_is_removed_while_the_store_is_held() {
    let place = Place::new();
    let image = place.import(&one("1")).unwrap();
    let hold = place.store.hold().unwrap();
    std::thread::scope(|scope| {
        let removal = scope.spawn(|| place.store.remove("test", |_| Some("web1".to_owned())));
        // The removal is either not begun or waits: whatever is resolved now stays until the hold is dropped.
        assert_eq!(place.store.resolve("test").unwrap(), image);
        drop(hold);
        assert!(removal.join().unwrap().is_err());
    });
}
