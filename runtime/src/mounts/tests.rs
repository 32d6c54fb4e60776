use super::*;
use crate::byte_size::ByteSize;
use crate::storage::{
    KindWanted, Mount as Recorded, MountKind, MountWanted, VolumeKind, VolumeMount,
    parse_mount_option, parse_tmpfs_option, parse_volume_option,
};

/// As a container's record has them; a volume without a name is `anonymous`.
fn recorded(wanted: MountWanted) -> Recorded {
    let kind = match wanted.kind {
        KindWanted::Bind(bind) => MountKind::Bind(bind),
        KindWanted::Tmpfs(tmpfs) => MountKind::Tmpfs(tmpfs),
        KindWanted::Volume(volume) => MountKind::Volume(VolumeMount {
            name: volume.name.unwrap_or_else(|| "anonymous".parse().unwrap()),
            kind: VolumeKind::Named,
            population: volume.population,
            subpath: volume.subpath,
        }),
    };
    Recorded {
        destination: wanted.destination,
        access: wanted.access,
        kind,
        origin: wanted.origin,
    }
}

fn storage(texts: &[&str]) -> Storage {
    let mount = |text: &&str| {
        let wanted = match text {
            text if text.contains('=') && !text.contains(":size") => parse_mount_option(text, "/"),
            text if text.starts_with("/run") => parse_tmpfs_option(text),
            text => parse_volume_option(text, "/"),
        };
        recorded(wanted.unwrap())
    };
    Storage {
        mounts: texts.iter().map(mount).collect(),
        ..Storage::default()
    }
}

fn lines(storage: &Storage, access: RootAccess) -> Vec<String> {
    let show = |mount: &Mount| {
        format!(
            "{} {} {} {}",
            mount.source().as_ref().unwrap().display(),
            mount.destination().display(),
            mount.typ().as_ref().unwrap(),
            mount.options().as_ref().unwrap().join(",")
        )
    };
    let mounts = container_mounts(&MountInputs {
        etc_files: Path::new("/c"),
        access,
        storage,
        owners: MountOwners::AsOnDisk,
        volumes: Path::new("/volumes"),
    });
    mounts.iter().map(show).collect()
}

#[test]
fn the_mounts_are_dockers() {
    assert_eq!(
        lines(&Storage::default(), RootAccess::Writable),
        [
            "proc /proc proc nosuid,noexec,nodev",
            "tmpfs /dev tmpfs nosuid,nodev,strictatime,mode=755,size=65536k",
            "devpts /dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
            "sysfs /sys sysfs nosuid,noexec,nodev,ro",
            "cgroup /sys/fs/cgroup cgroup ro,nosuid,noexec,nodev",
            "mqueue /dev/mqueue mqueue nosuid,noexec,nodev",
            "shm /dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=65536k",
            "/c/resolv.conf /etc/resolv.conf bind rbind,rprivate",
            "/c/hostname /etc/hostname bind rbind,rprivate",
            "/c/hosts /etc/hosts bind rbind,rprivate",
        ]
    );
}

#[test]
fn the_files_in_etc_are_read_only_where_the_root_is() {
    let lines = lines(&Storage::default(), RootAccess::ReadOnly);
    assert_eq!(lines[9], "/c/hosts /etc/hosts bind rbind,rprivate,ro");
}

#[test]
fn shared_memory_is_as_large_as_wanted() {
    let storage = Storage {
        shared_memory: Some(ByteSize::from_bytes(1 << 30)),
        ..Storage::default()
    };
    assert_eq!(
        lines(&storage, RootAccess::Writable)[6],
        "shm /dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=1073741824"
    );
}

#[test]
fn what_the_user_mounts_comes_by_depth_and_takes_the_place_of_ours() {
    let storage = storage(&[
        "db:/etc/deep/data:ro",
        "/host:/etc",
        "/my/hosts:/etc/hosts:ro,rslave",
        "/run:size=1m",
        "type=bind,src=/a,dst=/b,readonly,bind-recursive=writable",
        "type=bind,src=/a,dst=/c,readonly,bind-recursive=disabled",
        "source=db,dst=/d,volume-subpath=x/y",
        "type=tmpfs,dst=/dev/shm",
    ]);
    assert_eq!(
        lines(&storage, RootAccess::Writable)[6..],
        [
            "/host /etc bind rbind,rprivate,rnodev",
            "tmpfs /run tmpfs noexec,nosuid,nodev,size=1m",
            "/a /b bind rbind,rprivate,rnodev,ro",
            "/a /c bind bind,rprivate,nodev,ro",
            "/volumes/db/_data/x/y /d bind rbind,rprivate,rnodev",
            "/c/resolv.conf /etc/resolv.conf bind rbind,rprivate",
            "/c/hostname /etc/hostname bind rbind,rprivate",
            "/my/hosts /etc/hosts bind rbind,rslave,rnodev,rro",
            "tmpfs /dev/shm tmpfs noexec,nosuid,nodev",
            "/volumes/db/_data /etc/deep/data bind rbind,rprivate,rnodev,rro",
        ]
    );
}

#[test]
fn a_dev_of_the_users_own_is_left_as_it_is() {
    let lines = lines(&storage(&["/dev:/dev"]), RootAccess::Writable);
    let of_dev: Vec<_> = lines.iter().filter(|line| line.contains(" /dev")).collect();
    assert_eq!(of_dev, ["/dev /dev bind rbind,rprivate,rnodev"]);
}
