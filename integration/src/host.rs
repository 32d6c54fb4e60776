//! A whole host inside a namespace.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
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
use crate::driver::{self, Driver};
use crate::filesystem;
use crate::finished::Finished;
use crate::guard::Guard;
use crate::leftovers;
use crate::namespaces::Namespaces;
use crate::network::Network;
use crate::place::Place;
use crate::probe::{self, Reach};
use crate::rules::Rules;
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

    /// The path, on this host, of a file that the kernel shows for a container's control group: the name that it has in version 1, and
    /// in version 2.
    #[track_caller]
    pub fn control_path(&self, container: &str, (one, two): (&str, &str)) -> String {
        let id = self.container(container).inspect()["Id"].take();
        let id = id.as_str().expect("a container has an id").to_owned();
        let controller = one.split('.').next().unwrap_or_default();
        let old = format!("/sys/fs/cgroup/{controller}/minirun/{id}/{one}");
        let unified = format!("/sys/fs/cgroup/minirun/{id}/{two}");
        let beside = format!("/sys/fs/cgroup/unified/minirun/{id}/{two}");
        let there = |path: &String| self.inside(|| Path::new(path).exists());
        let found = [old, unified, beside].into_iter().find(there);
        found.unwrap_or_else(|| panic!("container `{container}` has no file `{one}` or `{two}`"))
    }

    /// What such a file says, without the newline at its end.
    #[track_caller]
    pub fn control(&self, container: &str, names: (&str, &str)) -> String {
        let path = self.control_path(container, names);
        self.read_file(&path).trim_end().to_owned()
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

    /// The IPv4 rules of one table (`filter`, `nat`, `raw`).
    #[track_caller]
    pub fn rules(&self, table: &str) -> Rules {
        self.rules_by("iptables", table)
    }

    /// The IPv6 rules of one table.
    #[track_caller]
    pub fn rules6(&self, table: &str) -> Rules {
        self.rules_by("ip6tables", table)
    }

    /// What minirun's own table of nftables says, as `nft` lists it.
    #[track_caller]
    pub fn table(&self) -> Rules {
        let listed = self.command("nft", "list table inet minirun");
        Rules::new(listed.succeeds().stdout())
    }

    /// Writes minirun's configuration. The firewall driver stays.
    #[track_caller]
    pub fn configures(&self, text: &str) {
        let text = format!("{}{text}", self.driver.setting());
        self.write_file(driver::CONFIGURATION, &text);
    }

    #[track_caller]
    fn rules_by(&self, program: &str, table: &str) -> Rules {
        let listed = self.command(program, ["-w", "-t", table, "-S"]);
        Rules::new(listed.succeeds().stdout())
    }

    /// Writes a file of this host (below `/etc`, `/run` or `/var/lib`; nothing else is its own).
    #[track_caller]
    pub fn write_file(&self, path: &str, text: &str) {
        let own = ["/etc/", "/run/", "/var/lib/"]
            .iter()
            .any(|start| path.starts_with(start));
        assert!(own, "`{path}` belongs to the machine, not to the host");
        self.inside(|| {
            fs::create_dir_all(Path::new(path).parent().expect("a file has a directory"))
                .and_then(|()| fs::write(path, text))
                .unwrap_or_else(|error| panic!("cannot write `{path}`: {error}"));
        });
    }

    /// Reads a file as this host sees it.
    #[track_caller]
    pub fn read_file(&self, path: &str) -> String {
        self.inside(|| {
            fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
        })
    }

    /// Sets a sysctl of this host's network (`net/ipv4/ip_forward`). Says false if this kernel does not have it.
    #[track_caller]
    pub fn set_sysctl(&self, name: &str, value: &str) -> bool {
        assert!(
            name.starts_with("net/"),
            "only sysctls of the network belong to the host"
        );
        let path = format!("/proc/sys/{name}");
        self.inside(|| match fs::write(&path, value) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => panic!("cannot write `{path}`: {error}"),
        })
    }

    /// Reads a sysctl of this host's network, without the newline at its end.
    #[track_caller]
    pub fn sysctl(&self, name: &str) -> String {
        self.read_file(&format!("/proc/sys/{name}"))
            .trim_end()
            .to_owned()
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

    /// Who of `names` can open a TCP connection to whom on `port`, at their addresses on the default network; see
    /// [`TestHost::reach_matrix_at`].
    #[track_caller]
    pub fn reach_matrix(
        &self,
        names: &[&str],
        port: u16,
        expected: &[(&str, &str)],
    ) -> BTreeMap<(String, String), Reach> {
        self.reach_matrix_at(names, expected, |container| {
            SocketAddr::new(container.address().into(), port)
        })
    }

    /// Who of `names` can open a TCP connection to whom, for every ordered pair, all at the same time. `where_to` says at which
    /// address and port a container is called.
    ///
    /// Pairs named in `expected` get a long time to succeed, the others a short one to fail.
    #[track_caller]
    pub fn reach_matrix_at(
        &self,
        names: &[&str],
        expected: &[(&str, &str)],
        where_to: impl Fn(&Container<'_>) -> SocketAddr,
    ) -> BTreeMap<(String, String), Reach> {
        let place_of = |name: &&'_ str| {
            let container = self.container(name);
            ((*name).to_owned(), container.place(), where_to(&container))
        };
        let places: Vec<_> = names.iter().map(place_of).collect();
        thread::scope(|scope| {
            let mut answers = Vec::new();
            for (source, place, _) in &places {
                for (target, _, address) in places.iter().filter(|(target, ..)| target != source) {
                    let patience = if expected.contains(&(source.as_str(), target.as_str())) {
                        probe::LONG_WAIT
                    } else {
                        probe::SHORT_WAIT
                    };
                    let address = *address;
                    let ask = move || place.inside(|| probe::tcp_connect(address, patience));
                    answers.push(((source.clone(), target.clone()), scope.spawn(ask)));
                }
            }
            answers
                .into_iter()
                .map(|(pair, answer)| (pair, answer.join().expect("a probe panicked")))
                .collect()
        })
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
