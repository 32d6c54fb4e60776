//! An image with a shell and the usual small programs, for looking around in a container.

use crate::container::Container;
use crate::finished::Finished;
use crate::host::TestHost;

/// Where it lies on a host.
pub const DIRECTORY: &str = "/run/test-host/busybox";

/// Makes the root file system `$1/root`, and an archive of it `$1/rootfs.tar`.
///
/// The machine's own busybox is the only program in it; it must be linked statically, as Debian's busybox-static is.
const MAKE: &str = r#"
set -eu
root=$1/root
program=$(readlink -f "$(command -v busybox)")
mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/root" "$root${program%/*}"
chmod 1777 "$root/tmp"
cp "$program" "$root$program"
busybox --install -s "$root/bin"
printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nalice:x:1001:\nwheel:x:10:alice\n' >"$root/etc/group"
tar -C "$root" -cf "$1/rootfs.tar" .
"#;

impl TestHost {
    /// Makes a busybox root file system and gives the directory that holds it as `root` and as the archive `rootfs.tar`.
    #[track_caller]
    pub fn makes_busybox_root(&self) -> String {
        self.command("sh", ["-c", MAKE, "make", DIRECTORY])
            .succeeds();
        DIRECTORY.to_owned()
    }

    /// Imports it as the image `busybox`, with changes such as `["-c", "ENV A=b"]`.
    #[track_caller]
    pub fn imports_busybox(&self, changes: &[&str]) -> Finished {
        let archive = format!("{}/rootfs.tar", self.makes_busybox_root());
        let words: Vec<&str> =
            [&["import"][..], changes, &[archive.as_str(), "busybox"][..]].concat();
        self.minirun(words.as_slice()).succeeds()
    }

    /// Starts a shell of the image `busybox` in the background: `minirun run -d --name NAME OPTIONS busybox sh -c SCRIPT`.
    #[track_caller]
    pub fn runs_script(&self, name: &str, options: &str, script: &str) -> Container<'_> {
        let mut words = vec!["run", "-d", "--name", name];
        words.extend(options.split_whitespace());
        words.extend(["busybox", "sh", "-c", script]);
        self.minirun(words.as_slice()).succeeds();
        self.container(name)
    }

    /// What a line of shell prints in a new container of the image `busybox`, run with `options`.
    #[track_caller]
    pub fn in_busybox(&self, options: &str, script: &str) -> Finished {
        let mut words = vec!["run", "--rm"];
        words.extend(options.split_whitespace());
        words.extend(["busybox", "sh", "-c", script]);
        self.minirun(words.as_slice())
    }
}
