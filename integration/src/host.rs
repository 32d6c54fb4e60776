//! A whole host inside a namespace.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::binary;
use crate::cgroup::HostCgroup;
use crate::container::Container;
use crate::controllers::ControlGroups;
use crate::diagnosis;
use crate::driver::Driver;
use crate::filesystem;
use crate::finished::Finished;
use crate::guard::Guard;
use crate::leftovers;
use crate::namespaces::Namespaces;
use crate::network::Network;
use crate::place::Place;
use crate::running::Running;
use crate::terminal::Terminal;
use crate::uplink;
use crate::words::Words;

/// How long what was removed may take to be gone; a machine under load has this much time.
const SETTLING_TIME: Duration = Duration::from_secs(20);

/// A host with its own network, firewall, control group, `/run`, `/var/lib`, `/etc` and `/sys`, an uplink (192.0.2.1/24 and
/// 2001:db8:0:1::1/64 on `uplink0`) and one neighbour on it (192.0.2.2/24 and 2001:db8:0:1::2/64), which is its default gateway.
///
/// Any number of them live side by side in one process. End a test with [`TestHost::finish`]; one that panics before prints a
/// diagnosis of its host. Either way everything that was started on it is killed.
#[derive(Debug)]
#[must_use = "end the test with `finish`"]
pub struct TestHost {
    place: Place,
    neighbour: Place,
    guard: Guard,
    driver: Driver,
    pub(crate) interfaces: Vec<String>,
}

impl TestHost {
    /// A fresh host on which minirun has never run.
    ///
    /// # Panics
    ///
    /// If this process is not root or `ip` is not installed.
    pub fn create() -> Self {
        Self::with(ControlGroups::Unified)
    }

    /// A fresh host with a firewall driver of the test's choice, whatever this run of the tests is about.
    ///
    /// # Panics
    ///
    /// As [`TestHost::create`].
    pub fn using(driver: Driver) -> Self {
        Self::of(ControlGroups::Unified, driver)
    }

    /// A fresh host that shows its control groups in another way.
    ///
    /// # Panics
    ///
    /// As [`TestHost::create`], or if the machine has no such control groups.
    pub fn with(control_groups: ControlGroups) -> Self {
        Self::of(control_groups, Driver::of_run())
    }

    fn of(control_groups: ControlGroups, driver: Driver) -> Self {
        let mut cgroup = None;
        let namespaces = Namespaces::create(|| {
            filesystem::furnish();
            cgroup = Some(HostCgroup::create(control_groups));
        });
        let cgroup = Arc::new(cgroup.expect("the host was furnished"));
        let beyond = namespaces.create_network_beside();
        uplink::connect(&namespaces, &beyond);
        let place = Place::new(namespaces, Arc::clone(&cgroup));
        place.inside(|| driver.configure());
        let interfaces = place.inside(leftovers::interfaces);
        let guard = Guard::start(&place);
        Self {
            neighbour: Place::new(beyond, cgroup),
            place,
            guard,
            driver,
            interfaces,
        }
    }

    /// The firewall driver that minirun was told to use on this host.
    pub fn driver(&self) -> Driver {
        self.driver
    }

    /// Runs minirun on this host to its end.
    #[must_use = "say what is expected of it"]
    #[track_caller]
    pub fn minirun(&self, arguments: impl Words) -> Finished {
        self.spawn_minirun(arguments).finish()
    }

    /// Starts minirun on this host, beside the test.
    #[track_caller]
    pub fn spawn_minirun(&self, arguments: impl Words) -> Running {
        assert!(binary::find().is_some(), "{}", binary::explain_missing());
        self.place.program("minirun", arguments).spawn()
    }

    /// Starts minirun on this host, at a terminal of its own.
    #[track_caller]
    pub fn minirun_at_terminal(&self, arguments: impl Words) -> Terminal {
        assert!(binary::find().is_some(), "{}", binary::explain_missing());
        self.place.program("minirun", arguments).at_terminal()
    }

    /// Starts `minirun run -d --name NAME OPTIONS demo httpd -p PORT` and waits until it serves.
    #[track_caller]
    pub fn serves(&self, name: &str, options: &str, port: u16) -> Container<'_> {
        self.minirun(format!(
            "run -d --name {name} {options} demo httpd -p {port}"
        ))
        .succeeds();
        let container = self.container(name);
        container.awaits_tcp(port);
        container
    }

    /// Starts a container that does nothing: `minirun run -d --name NAME OPTIONS demo sleep infinity`.
    #[track_caller]
    pub fn idles(&self, name: &str, options: &str) -> Container<'_> {
        self.minirun(format!(
            "run -d --name {name} {options} demo sleep infinity"
        ))
        .succeeds();
        self.container(name)
    }

    /// Runs any program on this host to its end, with no input and an environment of nothing but `PATH`.
    #[must_use = "say what is expected of it"]
    #[track_caller]
    pub fn command(&self, name: &str, arguments: impl Words) -> Finished {
        self.place.command(name, arguments)
    }

    /// Runs `closure` in this host's network, on a thread of its own.
    pub fn inside<T: Send>(&self, closure: impl FnOnce() -> T + Send) -> T {
        self.place.inside(closure)
    }

    /// The host as a place to run things in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The other machine on the host's LAN.
    pub fn neighbour(&self) -> &Place {
        &self.neighbour
    }

    /// The process by which a person can enter this host: `nsenter --net --mount --target <pid>`.
    pub fn pid(&self) -> u32 {
        self.guard.pid()
    }

    /// The container of this name; it need not run, or exist, before something is asked of it.
    pub fn container(&self, name: &str) -> Container<'_> {
        Container::new(self, name)
    }

    /// The network of this name; it need not exist before something is asked of it.
    pub fn network_called(&self, name: &str) -> Network<'_> {
        Network::new(self, name)
    }

    /// Makes a network with `minirun network create OPTIONS NAME`. Remove it with [`TestHost::removes_networks`].
    #[track_caller]
    pub fn network(&self, name: &str, options: &str) -> Network<'_> {
        self.minirun(format!("network create {options} {name}"))
            .succeeds();
        self.network_called(name)
    }

    /// Removes the named networks, on which no container may be any more.
    #[track_caller]
    pub fn removes_networks(&self, names: &str) {
        self.minirun(format!("network rm {names}")).succeeds();
    }

    /// Gives this host a bridge that minirun has not made.
    #[track_caller]
    pub fn has_bridge(&self, name: &str, address: &str) {
        for command in [
            format!("link add {name} type bridge"),
            format!("address add {address} dev {name}"),
            format!("link set {name} up"),
        ] {
            self.command("ip", command).succeeds();
        }
    }

    /// Kills every process on this host, commands and monitors and containers, and waits until all are gone.
    pub fn kills_everything(&self) {
        let cgroup = self.place.cgroup();
        // Not by `cgroup.kill`: Linux 6.18 then kills every process that is born from this control group into another one.
        while !cgroup.wait_until_empty(Duration::ZERO) {
            for pid in cgroup.processes() {
                // What ended by itself meanwhile needs no signal any more.
                kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
            }
        }
    }

    /// Removes the named containers, whatever state they are in.
    #[track_caller]
    pub fn removes(&self, names: &str) {
        self.minirun(format!("rm -f {names}")).succeeds();
    }

    /// Expects that nothing is left behind: no process, link, address, rule, mount, control group or file of a container, and no
    /// network that was made.
    ///
    /// Drop listeners and other sockets that a test has opened in a container first: they keep its network, and so its link, alive.
    ///
    /// # Panics
    ///
    /// With the list of what is left.
    #[track_caller]
    pub fn finish(self) {
        let left = self.leftovers();
        assert!(
            left.is_empty(),
            "the host should be empty, but there is\n  {}",
            left.join("\n  ")
        );
    }

    /// One sentence for everything that containers left behind, after waiting for what is still ending.
    pub fn leftovers(&self) -> Vec<String> {
        self.leftovers_after(SETTLING_TIME)
    }

    /// The same, where what is still ending has only `patience` to be gone.
    pub fn leftovers_after(&self, patience: Duration) -> Vec<String> {
        let settled = self.place.cgroup().wait_until_empty(patience);
        let mut left = Vec::new();
        if !settled {
            left.extend(leftovers::processes(&self.place.cgroup().processes()));
        }
        left.extend(leftovers::control_groups(
            &self.place.cgroup().made_by_programs(),
        ));
        left.extend(leftovers::on_host(self, &self.interfaces, patience));
        left
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if thread::panicking() {
            diagnosis::print(self);
        }
        let cgroup = self.place.cgroup();
        cgroup.kill();
        cgroup.wait_until_empty(SETTLING_TIME);
        cgroup.remove();
    }
}
