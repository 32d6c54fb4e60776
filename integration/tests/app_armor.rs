//! AppArmor: our profile where the host has it, and the reason where it has not.
//!
//! Which of the two a test proves depends on the kernel that it runs on; each is a whole story.

use std::fs;
use std::path::Path;

use minirun_integration::{Finished, TestHost};

/// What this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    WithoutAppArmor,
    /// It has AppArmor, but there is nothing that compiles policy.
    WithoutParser,
    WithAppArmor,
}

fn kernel() -> Kernel {
    let enabled = fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    let places = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];
    let is_parser = |place: &&str| Path::new(place).join("apparmor_parser").exists();
    match (
        enabled.is_ok_and(|text| text.trim() == "Y"),
        places.iter().any(is_parser),
    ) {
        (false, _) => Kernel::WithoutAppArmor,
        (true, false) => Kernel::WithoutParser,
        (true, true) => Kernel::WithAppArmor,
    }
}

/// What a program runs under, as the kernel says.
fn confinement(host: &TestHost, options: &str) -> Finished {
    host.in_busybox(
        options,
        "cat /proc/self/attr/apparmor/current 2>/dev/null || echo none",
    )
    .succeeds()
}

#[test]
fn a_container_runs_under_our_profile_where_the_host_has_apparmor() {
    let host = TestHost::with_busybox();
    let expected = match kernel() {
        Kernel::WithoutAppArmor => "none",
        Kernel::WithoutParser => "unconfined",
        Kernel::WithAppArmor => "minirun-default (enforce)",
    };
    for options in ["", "-u alice", "--init", "--security-opt no-new-privileges"] {
        confinement(&host, options).stdout_is(expected);
    }
    host.runs_script("web1", "", "exec sleep 1000");
    let shown = host.container("web1").inspect();
    if kernel() == Kernel::WithAppArmor {
        assert_eq!(shown["AppArmorProfile"], "minirun-default");
        host.minirun("exec web1 cat /proc/self/attr/apparmor/current")
            .succeeds()
            .stdout_is(expected);
        // More than capabilities say, which would let a container of this privilege mount.
        host.in_busybox("--cap-add SYS_ADMIN", "mount -t tmpfs none /tmp")
            .fails();
    } else {
        assert_eq!(shown["AppArmorProfile"], "");
        host.in_busybox("--cap-add SYS_ADMIN", "mount -t tmpfs none /tmp")
            .succeeds();
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_can_do_without_it() {
    let host = TestHost::with_busybox();
    let expected = match kernel() {
        Kernel::WithoutAppArmor => "none",
        Kernel::WithoutParser | Kernel::WithAppArmor => "unconfined",
    };
    for options in ["--security-opt apparmor=unconfined", "--privileged"] {
        confinement(&host, options).stdout_is(expected);
    }
    host.finish();
}

#[test]
fn a_profile_that_the_kernel_does_not_know_is_refused_with_the_reason() {
    let host = TestHost::with_busybox();
    let named = |name: &str| {
        let refused = host.in_busybox(&format!("--security-opt apparmor={name}"), "true");
        host.minirun("ps -aq").succeeds().stdout_is("");
        refused
    };
    match kernel() {
        Kernel::WithoutAppArmor => {
            for name in ["nosuch", "minirun-default"] {
                named(name).fails_with(125).stderr_is(&format!(
                    "error: cannot use the AppArmor profile `{name}`: the kernel of this host has no AppArmor, or it is switched off\n\
                     hint: leave out `--security-opt apparmor=…`"
                ));
            }
        }
        Kernel::WithoutParser => {
            named("minirun-default")
                .fails_with(125)
                .stderr_contains("`apparmor_parser` is not installed");
        }
        Kernel::WithAppArmor => {
            named("nosuch")
                .fails_with(125)
                .stderr_contains("the kernel does not know it");
            named("minirun-default").succeeds();
        }
    }
    named("")
        .fails_with(125)
        .stderr_contains("write one word without spaces");
    host.finish();
}

#[test]
fn info_tells_what_the_host_has() {
    let host = TestHost::with_busybox();
    let told = host.minirun("info").succeeds();
    match kernel() {
        Kernel::WithoutAppArmor => told.stdout_has_line("AppArmor: not available"),
        Kernel::WithoutParser => told
            .stdout_has_line("AppArmor: not used")
            .stderr_contains("containers are not confined by AppArmor"),
        Kernel::WithAppArmor => told.stdout_has_line("AppArmor: minirun-default"),
    };
    host.finish();
}

#[test]
fn a_host_that_does_not_show_the_policy_runs_containers_without_it() {
    let host = TestHost::with_busybox();
    if kernel() != Kernel::WithoutAppArmor {
        host.command("umount", "/sys/kernel/security").succeeds();
    }
    let told = host.minirun("info").succeeds();
    let named = "--security-opt apparmor=minirun-default";
    let named = host.in_busybox(named, "true").fails_with(125);
    match kernel() {
        Kernel::WithoutAppArmor => {
            confinement(&host, "").stdout_is("none");
            named.stderr_contains("has no AppArmor");
        }
        Kernel::WithoutParser | Kernel::WithAppArmor => {
            confinement(&host, "").stdout_is("unconfined");
            told.stdout_has_line("AppArmor: not used").stderr_contains(
                "the kernel has it, but `securityfs` is not mounted at /sys/kernel/security",
            );
            named.stderr_is(
                "error: cannot use the AppArmor profile `minirun-default`: `/sys/kernel/security/apparmor` does not exist\n\
                 hint: mount it: `mount -t securityfs securityfs /sys/kernel/security`",
            );
        }
    }
    host.finish();
}
