//! What ends a host whose test was itself killed.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::unistd::fchdir;

use crate::place::Place;

/// The first line ends when this process does, in whatever way. What was killed takes a moment to be gone, hence the repetition;
/// after an orderly end of the host the control group does not exist any more and there is nothing to do.
const SCRIPT: &str = r#"
read -r _
[ ! -d "$1" ] || echo 1 >"$1/cgroup.kill"
old=/run/test-host/controllers
for state in "$old"/*/"$1"/minirun/*/freezer.state; do
    [ ! -f "$state" ] || echo THAWED >"$state"
done
tries=0
while [ -d "$1" ] && [ $tries -lt 1000 ]; do
    rmdir "$old"/*/"$1"/minirun/* "$old"/*/"$1"/minirun "$old"/*/"$1"
    rmdir "$1"/minirun/* "$1"/* "$1"
    tries=$((tries + 1))
done
"#;

/// A shell that waits for the end of its standard input, and then kills the host's processes and removes its control group.
///
/// It also is the process through which a person can look at a host: `nsenter --net --mount --target <pid>`.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts it in the host's namespaces, outside the host's control group and with the directory of that as its own.
    pub fn start(place: &Place) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "guard", place.cgroup().name()])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard goes to the whole group; the guard must outlive the test that it ends.
            .process_group(0);
        let place = place.clone();
        let enter = move || -> io::Result<()> {
            place.namespaces().enter()?;
            Ok(fchdir(place.cgroup().parent())?)
        };
        // SAFETY: the closure only makes the setns and fchdir system calls on descriptors opened before; it allocates nothing and
        // takes no lock.
        unsafe { command.pre_exec(enter) };
        Self {
            shell: command
                .spawn()
                .expect("cannot start the guard of a test host"),
        }
    }

    /// The guard's process number.
    pub fn pid(&self) -> u32 {
        self.shell.id()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
    }
}
