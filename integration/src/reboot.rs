//! A host that goes down without a warning and comes up again.

use std::fs;
use std::path::Path;

use crate::filesystem::{self, HARNESS_DIRECTORY};
use crate::host::TestHost;
use crate::leftovers;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Takes away what a kernel forgets: rules, control groups and what lies in `/run`.
const FORGET: &str = r#"
for family in iptables ip6tables; do
    for table in filter nat raw mangle; do
        $family -w -t $table -F
        $family -w -t $table -X
    done
done
find /sys/fs/cgroup/minirun -depth -type d -exec rmdir {} ';' 2>/dev/null
rm -rf /run/minirun
"#;

impl TestHost {
    /// Lets the host go down as by a power failure and come up again: every process is dead, the boot has another id, and
    /// devices, rules, kernel settings, control groups and `/run/minirun` are gone. Files below `/var/lib` stay.
    #[track_caller]
    pub fn reboots(&self) {
        self.kills_everything();
        self.comes_up_again();
    }

    /// The second half of [`TestHost::reboots`], for a host on which everything was stopped.
    #[track_caller]
    pub fn comes_up_again(&self) {
        for name in self.inside(leftovers::interfaces) {
            if !self.interfaces.contains(&name) {
                // The other end of a pair may have gone with a container that has just been killed.
                let _ = self.command("ip", ["link", "delete", &name]);
            }
        }
        let _ = self.command("sh", ["-c", FORGET]);
        self.set_sysctl("net/ipv4/ip_forward", "0");
        self.inside(|| {
            let id =
                fs::read_to_string("/proc/sys/kernel/random/uuid").expect("the kernel has ids");
            // A new file each time: the earlier one is mounted and must not change.
            let path = format!("{HARNESS_DIRECTORY}/boot-{}", id.trim_end());
            fs::write(&path, id).unwrap_or_else(|error| panic!("cannot write `{path}`: {error}"));
            filesystem::bind(Path::new(&path), BOOT_ID);
        });
    }
}
