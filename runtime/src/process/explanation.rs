//! How each step is said: one sentence, and what a person would type for it.
//!
//! Commands before `pivot_root` are to be typed in the directory that becomes the root, so their paths are relative.

use minirun_netns::explain::{Explain, Explanation};

use super::bind_explanation::explain_bind;
use super::init_plan::InitPlan;
use super::init_step::{CapabilitySets, Device, FileSystemMount, Identity, InitStep};
use super::overlay::OverlayMount;
use super::text::{quoted, shown};

/// The flag of `clone3` for each namespace, and its option of unshare(1).
const NAMESPACES: [(libc::c_int, &str); 7] = [
    (libc::CLONE_NEWUSER, "user"),
    (libc::CLONE_NEWNS, "mount"),
    (libc::CLONE_NEWPID, "pid"),
    (libc::CLONE_NEWUTS, "uts"),
    (libc::CLONE_NEWIPC, "ipc"),
    (libc::CLONE_NEWCGROUP, "cgroup"),
    (libc::CLONE_NEWNET, "net"),
];

/// The plan itself says the clone that comes before its steps.
impl Explain for InitPlan {
    fn explain(&self) -> Explanation {
        let names: Vec<&str> = NAMESPACES
            .iter()
            .filter(|(flag, _)| self.namespaces & *flag as u64 != 0)
            .map(|(_, name)| *name)
            .collect();
        Explanation {
            sentence: format!(
                "start a process in its own namespaces: {}",
                names.join(", ")
            ),
            command: format!("unshare --fork --{}", names.join(" --")),
        }
    }
}

impl Explain for InitStep {
    fn explain(&self) -> Explanation {
        let (sentence, command) = match self {
            Self::MountOverlay(_)
            | Self::EnterRoot { .. }
            | Self::MountFileSystem(_)
            | Self::BindMount(_)
            | Self::HoldSource(_)
            | Self::ShiftDirectory { .. }
            | Self::UncoverDirectories { .. }
            | Self::SetPropagation { .. }
            | Self::PivotRoot
            | Self::MakeRootReadOnly
            | Self::MakePathReadOnly { .. }
            | Self::MaskPath { .. } => explain_mount(self),
            Self::MakeDevice(_)
            | Self::AllowDevice(_)
            | Self::MakeSymbolicLink { .. }
            | Self::MakeWorkingDirectory { .. }
            | Self::SetHostname { .. }
            | Self::WriteSysctl { .. }
            | Self::SwitchIpv6Off
            | Self::RestoreIpv6 => explain_content(self),
            Self::ConfineByAppArmor { .. }
            | Self::LimitCapabilities { .. }
            | Self::BecomeUser(_)
            | Self::SetCapabilities(_)
            | Self::SetNoNewPrivileges
            | Self::FilterSystemCalls(_)
            | Self::StandBefore(_)
            | Self::Execute(_) => explain_identity(self),
            _ => explain_process(self),
        };
        Explanation { sentence, command }
    }
}

fn explain_mount(step: &InitStep) -> (String, String) {
    match step {
        InitStep::SetPropagation { flags } => {
            let word = if flags & libc::MS_PRIVATE != 0 {
                "private"
            } else {
                "slave"
            };
            (
                "keep the container's mounts from reaching the host".into(),
                format!("mount --make-r{word} /"),
            )
        }
        InitStep::HoldSource(source) => (
            format!(
                "take hold of {}, as long as its mounts are the host's",
                shown(&source.path)
            ),
            String::new(),
        ),
        InitStep::ShiftDirectory { path } => (
            format!(
                "show the files of {} with the container's users",
                shown(path)
            ),
            format!(
                "mount --bind -o X-mount.idmap=/proc/HOLDER/ns/user {0} {0}",
                quoted(path)
            ),
        ),
        InitStep::UncoverDirectories { paths, root } => (
            "show the host's files as they are again, but not the root".into(),
            format!(
                "mount --move {0} . && umount -l {1} && mount --move . {0}",
                quoted(root),
                paths
                    .iter()
                    .map(|path| quoted(path))
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        ),
        InitStep::MountOverlay(mount) => explain_overlay(mount),
        InitStep::EnterRoot { path } => (
            format!("take {} as the new root", shown(path)),
            format!("cd {}", quoted(path)),
        ),
        InitStep::MountFileSystem(mount) => explain_file_system(mount),
        InitStep::BindMount(mount) => explain_bind(mount),
        InitStep::PivotRoot => (
            "make it the root of the process and drop the host's".into(),
            "pivot_root . . && umount -l . && cd /".into(),
        ),
        InitStep::MakeRootReadOnly => (
            "make the root file system read-only".into(),
            "mount -o remount,bind,ro /".into(),
        ),
        InitStep::MakePathReadOnly { path } => (
            format!("make /{} read-only", shown(path)),
            format!(
                "mount --rbind /{0} /{0} && mount -o remount,bind,ro /{0}",
                quoted(path)
            ),
        ),
        InitStep::MaskPath { path } => (
            format!("hide /{}", shown(path)),
            format!(
                "if [ -d /{0} ]; then mount -t tmpfs -o ro tmpfs /{0}; else mount --bind /dev/null /{0}; fi",
                quoted(path)
            ),
        ),
        _ => Default::default(),
    }
}

fn explain_overlay(mount: &OverlayMount) -> (String, String) {
    let directory = match &mount.directory {
        Some(directory) => format!("cd {} && ", quoted(directory)),
        None => String::new(),
    };
    let closed = match mount.flags & libc::MS_NODEV {
        0 => "",
        _ => "nodev,",
    };
    (
        "lay a writable directory over the layers of the image".into(),
        format!(
            "{directory}mount -t overlay -o {closed}{} overlay {}",
            quoted(&mount.options),
            quoted(&mount.target)
        ),
    )
}

fn explain_file_system(mount: &FileSystemMount) -> (String, String) {
    let options = if mount.words.is_empty() {
        String::new()
    } else {
        format!("-o {} ", mount.words)
    };
    (
        format!("mount {} on /{}", shown(&mount.kind), shown(&mount.target)),
        format!(
            "mkdir -p {2} && mount -t {0} {options}{1} {2}",
            quoted(&mount.kind),
            quoted(&mount.source),
            quoted(&mount.target)
        ),
    )
}

fn explain_content(step: &InitStep) -> (String, String) {
    match step {
        InitStep::MakeDevice(device) => explain_device(device),
        InitStep::AllowDevice(device) => {
            let path = quoted(&device.path);
            (
                format!("let the device /{} be opened", shown(&device.path)),
                format!("mount --bind {path} {path} && mount -o remount,bind,dev {path}"),
            )
        }
        InitStep::MakeSymbolicLink { target, path } => (
            format!("make /{} a link to {}", shown(path), shown(target)),
            format!("ln -s {} {}", quoted(target), quoted(path)),
        ),
        InitStep::MakeWorkingDirectory { path } => (
            format!("make the working directory /{}", shown(path)),
            format!("mkdir -p /{}", quoted(path)),
        ),
        InitStep::SetHostname { name } => (
            format!("name the machine {}", shown(name)),
            format!("hostname {}", quoted(name)),
        ),
        InitStep::WriteSysctl { path, value } => {
            let name = shown(path).replacen("sys/", "", 1);
            (
                format!("set the kernel parameter {name}"),
                format!("echo {} > /proc/{}", quoted(value), quoted(path)),
            )
        }
        InitStep::SwitchIpv6Off => (
            "let interfaces come without IPv6".into(),
            "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6".into(),
        ),
        InitStep::RestoreIpv6 => (
            "let interfaces that come later have IPv6 as usual".into(),
            "echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6".into(),
        ),
        _ => Default::default(),
    }
}

fn explain_device(device: &Device) -> (String, String) {
    let (kind, numbers) = match device.mode & libc::S_IFMT {
        libc::S_IFIFO => ("p", String::new()),
        libc::S_IFBLK => ("b", format!(" {} {}", device.major, device.minor)),
        _ => ("c", format!(" {} {}", device.major, device.minor)),
    };
    let path = quoted(&device.path);
    let owner = match (device.uid, device.gid) {
        (0, 0) => String::new(),
        (uid, gid) => format!(" && chown {uid}:{gid} {path}"),
    };
    (
        format!("make the device /{}", shown(&device.path)),
        format!(
            "mknod -m {:o} {path} {kind}{numbers}{owner}",
            device.mode & !libc::S_IFMT,
        ),
    )
}

fn explain_identity(step: &InitStep) -> (String, String) {
    match step {
        InitStep::ConfineByAppArmor { order, .. } => {
            let order = shown(order);
            let name = order.split_once(' ').map_or("", |(_, name)| name);
            (
                format!("have the program confined by the AppArmor profile {name}"),
                format!("aa-exec -p {name} --"),
            )
        }
        InitStep::LimitCapabilities { kept } => (
            "give up all other capabilities for good".into(),
            format!(
                "setpriv --bounding-set -all{}",
                capability_names(*kept, ",+")
            ),
        ),
        InitStep::BecomeUser(identity) => explain_user(identity),
        InitStep::SetCapabilities(CapabilitySets { effective, .. }) => (
            "keep these capabilities only".into(),
            format!(
                "capsh --caps='{}'",
                match capability_names(*effective, ",cap_").as_str() {
                    // An empty list before the sign would mean all of them.
                    "" => "=".to_owned(),
                    names => format!("{}=ep", names.trim_start_matches(',')),
                }
            ),
        ),
        InitStep::SetNoNewPrivileges => (
            "refuse privileges of set-user-id programs".into(),
            "setpriv --no-new-privs".into(),
        ),
        InitStep::FilterSystemCalls(filter) => (
            format!(
                "let the kernel refuse dangerous system calls: a filter of {} instructions",
                filter.instructions().len()
            ),
            String::new(),
        ),
        InitStep::StandBefore(_) => (
            "stay before the program, pass signals on to it and reap orphans".into(),
            "tini --".into(),
        ),
        InitStep::Execute(program) => (
            format!("run {}", program.command()),
            format!("exec {}", program.command_line()),
        ),
        _ => Default::default(),
    }
}

fn explain_user(identity: &Identity) -> (String, String) {
    let Identity {
        uid,
        gid,
        additional_gids,
    } = identity;
    let groups: Vec<String> = additional_gids.iter().map(u32::to_string).collect();
    let groups = match groups.is_empty() {
        true => "--clear-groups".to_owned(),
        false => format!("--groups {}", groups.join(",")),
    };
    (
        format!("become user {uid} of group {gid}"),
        format!("setpriv --reuid {uid} --regid {gid} {groups}"),
    )
}

/// The names of the capabilities in lower case without `cap_`, each with `before` in front.
fn capability_names(set: u64, before: &str) -> String {
    let mut capabilities: Vec<caps::Capability> = caps::all()
        .into_iter()
        .filter(|capability| set & capability.bitmask() != 0)
        .collect();
    capabilities.sort_by_key(caps::Capability::index);
    capabilities
        .into_iter()
        .map(|capability| {
            let name = capability.to_string().to_lowercase();
            format!("{before}{}", name.trim_start_matches("cap_"))
        })
        .collect()
}

fn explain_process(step: &InitStep) -> (String, String) {
    let (sentence, command): (&str, &str) = match step {
        InitStep::ResetSignals { .. } => ("give every signal its default meaning", ""),
        InitStep::NewSession => ("leave the parent's terminal and process group", "setsid"),
        InitStep::NewKeyring => ("leave the parent's session keyring", "keyctl session"),
        InitStep::DieWithParent => ("die when the monitor dies", "setpriv --pdeathsig KILL"),
        InitStep::DropMemoryProtection => (
            "give up protection from being killed when memory runs out",
            "choom --adjust 0 --pid $$",
        ),
        InitStep::HideFromOthers => ("keep other processes from looking into this one", ""),
        InitStep::EnterUserNamespace => (
            "enter the container's user namespace as its root",
            "nsenter --user=/proc/HOLDER/ns/user --setuid 0 --setgid 0",
        ),
        InitStep::TakeTerminal(_) => ("take a terminal of the container's own", ""),
        InitStep::WaitAtGate => ("wait until the network is ready", ""),
        InitStep::CloseOnExec => ("close every other file when the program starts", ""),
        InitStep::SetUmask { mask } => {
            return (
                format!("let new files lack the permission bits {mask:03o}"),
                format!("umask {mask:03o}"),
            );
        }
        InitStep::CreateFilesAs { id } => {
            return (
                format!("let new files belong to user and group {id}, the container's root"),
                String::new(),
            );
        }
        InitStep::GiveStandardStreams { uid } => {
            return (
                format!("let user {uid} open /dev/stdin, /dev/stdout and /dev/stderr"),
                format!("chown {uid} /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2"),
            );
        }
        InitStep::ChangeDirectory { path } => {
            return (
                format!("go to {}", shown(path)),
                format!("cd {}", quoted(path)),
            );
        }
        _ => ("", ""),
    };
    (sentence.into(), command.into())
}
