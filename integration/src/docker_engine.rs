//! A real Docker engine on a test host, to be lived beside.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::filesystem::HARNESS_DIRECTORY;
use crate::finished::Finished;
use crate::host::TestHost;
use crate::place::Place;
use crate::running::Running;
use crate::words::Words;

/// How long the engine may take to begin and to end; on an idle machine it is about a second.
const PATIENCE: Duration = Duration::from_secs(50);

/// Where it listens, in the words of its client.
pub const SOCKET: &str = "unix:///run/test-host/docker/socket";
const READY: &str = "/run/test-host/docker/ready";
const LOG: &str = "/run/test-host/docker/log";

/// Runs the engine with its files in `$1`, in mounts of its own: it would raise limits that belong to the whole machine
/// (`/proc/sys/kernel/keys`), and bind network namespaces where the host would keep them. Its control groups are below the host's.
const SCRIPT: &str = r#"
set -eu
mount --bind /proc/sys/kernel /proc/sys/kernel
mount -o remount,bind,ro /proc/sys/kernel
export NOTIFY_SOCKET="$1/ready"
directory=$1
shift
exec dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/pid" \
    --host "unix://$directory/socket" --storage-driver vfs "$@" >"$directory/log" 2>&1
"#;

/// A running `dockerd` with the image `busybox`. End it with [`DockerEngine::stop`]; whatever happens, it ends with its host.
#[derive(Debug)]
pub struct DockerEngine<'host> {
    host: &'host TestHost,
    daemon: Running,
}

impl<'host> DockerEngine<'host> {
    /// Starts the engine as Debian ships it, with its default network and its firewall rules, and waits until it answers.
    ///
    /// # Panics
    ///
    /// If `dockerd` is not installed or does not begin; the message holds its log.
    #[track_caller]
    pub fn start(host: &'host TestHost) -> Self {
        Self::start_with(host, "--iptables=true")
    }

    /// The same with the given options of `dockerd`.
    ///
    /// # Panics
    ///
    /// As [`DockerEngine::start`].
    #[track_caller]
    pub fn start_with(host: &'host TestHost, options: &str) -> Self {
        let directory = format!("{HARNESS_DIRECTORY}/docker");
        let ready = host.inside(|| {
            fs::create_dir_all(&directory).expect("the host's /run is its own");
            UnixDatagram::bind(READY).expect("one engine runs on a host at a time")
        });
        let mut words = vec!["--mount", "--", "sh", "-c", SCRIPT, "docker", &directory];
        words.extend(options.split_whitespace());
        let daemon = host.place().program("unshare", words.as_slice()).spawn();
        let engine = Self { host, daemon };
        engine.awaits_readiness(&ready);
        engine.imports_busybox();
        engine
    }

    /// Runs the `docker` client to its end.
    #[must_use = "say what is expected of it"]
    #[track_caller]
    pub fn docker(&self, arguments: impl Words) -> Finished {
        let mut words = ["--host", SOCKET].words();
        words.extend(arguments.words());
        self.host.command("docker", words)
    }

    /// The network of one of its containers.
    #[track_caller]
    pub fn place(&self, name: &str) -> Place {
        let pid = self.ask(name, "{{.State.Pid}}");
        self.host
            .place()
            .network_of(pid.parse().expect("a process number"))
    }

    /// The address of one of its containers on its default network.
    #[track_caller]
    pub fn address(&self, name: &str) -> Ipv4Addr {
        let address = self.ask(name, "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        address.parse().expect("an address")
    }

    /// Ends it with its containers, and takes away what it leaves on the host on purpose: its bridge and its control group.
    ///
    /// # Panics
    ///
    /// If it does not end in time.
    #[track_caller]
    pub fn stop(self) {
        let Self { host, daemon } = self;
        daemon.signal(Signal::SIGTERM);
        assert!(
            daemon.process().ends_within(PATIENCE),
            "dockerd should end\n{}",
            host.read_file(LOG)
        );
        host.command("ip", "link delete docker0").succeeds();
        host.inside(|| {
            for path in [READY, "/sys/fs/cgroup/docker"] {
                // It made no control group if it ran no container.
                fs::remove_file(path).or_else(|_| fs::remove_dir(path)).ok();
            }
        });
    }

    #[track_caller]
    fn ask(&self, name: &str, template: &str) -> String {
        self.docker(["inspect", "--format", template, name])
            .succeeds()
            .line()
            .to_owned()
    }

    /// It tells the service manager when it is ready; here that is the harness.
    #[track_caller]
    fn awaits_readiness(&self, ready: &UnixDatagram) {
        ready
            .set_read_timeout(Some(PATIENCE))
            .expect("a wait is longer than nothing");
        let mut message = [0; 256];
        let length = ready.recv(&mut message).unwrap_or_default();
        assert!(
            message[..length].starts_with(b"READY=1"),
            "dockerd should be ready (is docker.io installed?)\n{}",
            self.host.read_file(LOG)
        );
    }

    #[track_caller]
    fn imports_busybox(&self) {
        let archive = format!("{}/rootfs.tar", self.host.makes_busybox_root());
        self.docker(["import", &archive, "busybox"]).succeeds();
    }
}
