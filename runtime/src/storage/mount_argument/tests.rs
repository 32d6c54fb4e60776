use proptest::prelude::*;

use super::super::mount::{Bind, BindOwners, MissingSource, Population, Propagation, Recursion};
use super::super::wanted::{KindWanted, VolumeWanted};
use super::*;

fn parse(text: &str) -> Result<MountWanted, String> {
    parse_mount_option(text, "/home/me").map_err(|error| error.to_string())
}

fn bind(text: &str) -> Bind {
    match parse(text).unwrap().kind {
        KindWanted::Bind(bind) => bind,
        other => panic!("{other:?}"),
    }
}

fn volume(text: &str) -> VolumeWanted {
    match parse(text).unwrap().kind {
        KindWanted::Volume(volume) => volume,
        other => panic!("{other:?}"),
    }
}

fn tmpfs(text: &str) -> String {
    match parse(text).unwrap().kind {
        KindWanted::Tmpfs(tmpfs) => tmpfs.mount_words().join(","),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tmpfs_of_the_seed_has_its_size_under_each_name_of_the_destination() {
    for key in ["destination", "dst", "target"] {
        let text = format!("type=tmpfs,{key}=/tmp/proxy_temp,tmpfs-size=2m");
        assert_eq!(tmpfs(&text), "noexec,nosuid,nodev,size=2097152");
        assert_eq!(
            parse(&text).unwrap().destination.as_str(),
            "/tmp/proxy_temp"
        );
    }
    assert_eq!(
        tmpfs("type=tmpfs,dst=/x,tmpfs-mode=0700,ro"),
        "noexec,nosuid,nodev,ro,mode=700"
    );
}

#[test]
fn the_type_is_a_volume_unless_it_is_said() {
    let wanted = volume("source=db,\"dst=/a,b\",volume-nocopy,volume-label=a=b,volume-subpath=x/y");
    assert_eq!(wanted.name.unwrap().as_str(), "db");
    assert_eq!(wanted.population, Population::Nothing);
    assert_eq!(wanted.labels["a"], "b");
    assert_eq!(wanted.subpath.as_deref(), Some("x/y"));
    assert_eq!(volume("dst=/data,volume-driver=local").name, None);
}

#[test]
fn a_bind_has_a_source_that_exists() {
    assert_eq!(
        bind("type=bind,src=./x,dst=/y"),
        Bind {
            source: "/home/me/x".into(),
            propagation: Propagation::Rprivate,
            recursion: Recursion::Enabled,
            missing: MissingSource::Refuse,
            owners: BindOwners::Host,
        }
    );
    let own = bind("type=bind,src=/x,dst=/y,bind-idmap");
    assert_eq!(own.owners, BindOwners::Container);
    let shared = bind("type=bind,src=/x,dst=/y,bind-propagation=rshared,bind-recursive=disabled");
    assert_eq!(shared.propagation, Propagation::Rshared);
    assert_eq!(shared.recursion, Recursion::Disabled);
    assert_eq!(
        bind("type=bind,src=/x,dst=/y,bind-create-src").missing,
        MissingSource::Create
    );
    let text = "TYPE=bind,src=/x,dst=/y,readonly=1,bind-recursive=readonly,bind-propagation=rprivate,consistency=cached";
    assert_eq!(bind(text).recursion, Recursion::ReadOnly);
    assert_eq!(parse(text).unwrap().access, Access::ReadOnly);
}

#[test]
fn everything_wrong_is_told_at_once() {
    for (text, expected) in [
        (
            "",
            "`` is not of the form KEY=VALUE; it names no destination; write a path in the container, such as `/data`",
        ),
        (
            "type=bind,dst=x,colour=red",
            "unknown key `colour`; the destination `x` is not absolute; write a path in the container, such as `/data`; a bind needs a source; add `source=PATH`",
        ),
        (
            "type=image,dst=/x",
            "`image` cannot be the value of `type`; use `bind`, `volume` or `tmpfs`",
        ),
        (
            "type=bind,src=x,dst=/x",
            "the source `x` is not absolute; begin it with `/` or `./`",
        ),
        (
            "type=tmpfs,src=/a,dst=/x,volume-nocopy",
            "`volume-nocopy` is for volumes only; a tmpfs has no source; leave out `source`",
        ),
        (
            "type=bind,src=/a,dst=/x,tmpfs-size=1m",
            "`tmpfs-size` is for tmpfs only",
        ),
        (
            "src=db,dst=/x,bind-propagation=rslave",
            "`bind-propagation` is for binds only",
        ),
        (
            "dst=/x,readonly",
            "a volume without a name is new, and nobody could write to it; leave out `readonly` or name a volume",
        ),
        (
            "type=bind,src=/a,dst=/x,bind-recursive=readonly",
            "`bind-recursive=readonly` says what a read-only bind is; add `readonly`; `bind-recursive=readonly` cannot hold for mounts that arrive later; add `bind-propagation=rprivate`",
        ),
        (
            "dst=/x,volume-subpath=a/../../b",
            "the subpath `a/../../b` is not a relative path inside of the volume",
        ),
        (
            "dst=/x,volume-driver=nfs,volume-opt=a=b",
            "there is no volume driver `nfs`; the only one is `local`; options of volume drivers are not part of this version; leave out `volume-opt`",
        ),
        (
            "type=tmpfs,dst=/x,tmpfs-size=much,tmpfs-mode=9",
            "`much` is not a size: write a number and b, k, m, g, t or p behind it, such as `512m`; `9` cannot be the value of `tmpfs-mode`; use an octal number up to 7777, such as `1777`",
        ),
        (
            "dst=/x,ro=maybe",
            "`maybe` cannot be the value of `ro`; use `true` or `false`",
        ),
        (
            "dst=\"/x",
            "a `\"` stands where none may; a field that holds a comma is written `\"KEY=a,b\"`",
        ),
    ] {
        assert_eq!(
            parse(text),
            Err(format!("invalid mount `{text}`: {expected}"))
        );
    }
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "[-a-z/=,\". 0-9]{0,60}") {
        if let Err(error) = parse_mount_option(&text, "/base") {
            prop_assert!(!error.problems.is_empty());
        }
    }

    #[test]
    fn no_keys_and_values_break_it(fields in prop::collection::vec(
        (
            "(type|src|dst|ro|bind-recursive|bind-propagation|volume-subpath|volume-label|tmpfs-size|tmpfs-mode)",
            "(bind|tmpfs|volume|/a|true|rslave|readonly|1m|a=b|)",
        ),
        0..6,
    )) {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if let Ok(wanted) = parse_mount_option(&fields.join(","), "/base")
            && let KindWanted::Bind(bind) = wanted.kind
        {
            prop_assert!(bind.source.starts_with('/'));
        }
    }
}
