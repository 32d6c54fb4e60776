//! A container on a test host, by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Instant;

use serde_json::Value;

use crate::finished::Finished;
use crate::host::TestHost;
use crate::place::Place;
use crate::probe::{self, Reach};
use crate::process::Process;
use crate::words::Words;

/// A handle that asks minirun anew every time, so it stays right through restarts.
#[derive(Debug, Clone)]
pub struct Container<'host> {
    host: &'host TestHost,
    name: String,
}

impl<'host> Container<'host> {
    pub(crate) fn new(host: &'host TestHost, name: &str) -> Self {
        Self {
            host,
            name: name.to_owned(),
        }
    }

    /// What `minirun inspect` says about it.
    #[track_caller]
    pub fn inspect(&self) -> Value {
        self.host.minirun(["inspect", &self.name]).succeeds().json()[0].take()
    }

    /// The process number of its first process, as the machine counts.
    #[track_caller]
    pub fn pid(&self) -> i32 {
        let answer = self.inspect();
        let pid = answer["State"]["Pid"].as_i64().filter(|pid| *pid > 0);
        let pid =
            pid.unwrap_or_else(|| panic!("container `{}` has no process: {answer}", self.name));
        i32::try_from(pid).expect("process numbers fit")
    }

    /// Its first process; the parent of that is the container's monitor.
    #[track_caller]
    pub fn process(&self) -> Process {
        Process::open(self.pid())
    }

    /// Its exit code, which is 0 while it runs.
    #[track_caller]
    pub fn exit_code(&self) -> i64 {
        let answer = self.inspect();
        answer["State"]["ExitCode"]
            .as_i64()
            .unwrap_or_else(|| panic!("container `{}` has no exit code: {answer}", self.name))
    }

    /// What state it is in, in Docker's words: `created`, `running`, `exited`.
    #[track_caller]
    pub fn status(&self) -> String {
        let answer = self.inspect();
        answer["State"]["Status"]
            .as_str()
            .unwrap_or_else(|| panic!("container `{}` has no status: {answer}", self.name))
            .to_owned()
    }

    /// Waits until its log holds `text`.
    #[track_caller]
    pub fn awaits_log(&self, text: &str) {
        self.host
            .spawn_minirun(["logs", "--follow", &self.name])
            .read_until(text);
    }

    /// Its address on the default network.
    #[track_caller]
    pub fn address(&self) -> Ipv4Addr {
        self.address_on("bridge")
    }

    /// Its IPv4 address on the named network, while it runs.
    #[track_caller]
    pub fn address_on(&self, network: &str) -> Ipv4Addr {
        self.parsed_on(network, "IPAddress")
    }

    /// Its IPv6 address on the named network, while it runs.
    #[track_caller]
    pub fn ipv6_on(&self, network: &str) -> Ipv6Addr {
        self.parsed_on(network, "GlobalIPv6Address")
    }

    /// Its addresses on the named network, IPv4 first; IPv6 only if the network has it.
    #[track_caller]
    pub fn addresses_on(&self, network: &str) -> Vec<IpAddr> {
        let answer = self.membership(network);
        let texts = ["IPAddress", "GlobalIPv6Address"].map(|key| answer[key].as_str());
        let written = texts.into_iter().flatten().filter(|text| !text.is_empty());
        let parse = |text: &str| text.parse().expect("inspect shows addresses");
        written.map(parse).collect()
    }

    /// What `inspect` says of it on the named network; `null` if it is not on it.
    #[track_caller]
    pub fn membership(&self, network: &str) -> Value {
        self.inspect()["NetworkSettings"]["Networks"][network].take()
    }

    /// The names of the networks that it is on, in the order of the alphabet.
    #[track_caller]
    pub fn networks(&self) -> Vec<String> {
        let answer = self.inspect();
        let networks = answer["NetworkSettings"]["Networks"].as_object();
        let networks = networks
            .unwrap_or_else(|| panic!("container `{}` has no networks: {answer}", self.name));
        let mut names: Vec<_> = networks.keys().cloned().collect();
        names.sort();
        names
    }

    #[track_caller]
    fn parsed_on<T: FromStr>(&self, network: &str, key: &str) -> T {
        let answer = self.membership(network);
        let value = answer[key].as_str().and_then(|text| text.parse().ok());
        value.unwrap_or_else(|| {
            panic!(
                "container `{}` has no `{key}` on `{network}`: {answer}",
                self.name
            )
        })
    }

    /// Its network, with the files of the host.
    #[track_caller]
    pub fn place(&self) -> Place {
        self.host.place().network_of(self.pid())
    }

    /// Runs `closure` in the container's network namespace, on a thread of its own.
    #[track_caller]
    pub fn inside<T: Send>(&self, closure: impl FnOnce() -> T + Send) -> T {
        self.place().inside(closure)
    }

    /// Runs a program of the machine in the container's network, with the files of the host: `ip`, `busybox ping`.
    #[must_use = "say what is expected of it"]
    #[track_caller]
    pub fn command(&self, name: &str, arguments: impl Words) -> Finished {
        self.place().command(name, arguments)
    }

    /// Its default route of one family (`-4` or `-6`), as `ip route` says it but without what follows the device:
    /// `default via 10.1.0.1 dev eth0`. Empty without one.
    #[track_caller]
    pub fn default_route(&self, family: &str) -> String {
        let listed = self.command("ip", [family, "route", "show", "default"]);
        let words = listed.succeeds();
        let words: Vec<_> = words.stdout().split_whitespace().take(5).collect();
        words.join(" ")
    }

    /// Waits until a program of this name runs in it, and has it waiting for something.
    ///
    /// The kernel has no event for that, so this asks again and again.
    #[track_caller]
    pub fn awaits_process(&self, name: &str) {
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = namespace(&self.pid().to_string());
        let deadline = Instant::now() + probe::LONG_WAIT;
        let waits = |pid: &str| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.contains(&format!("({name}) S ")) && namespace(pid) == own
        };
        loop {
            let entries = std::fs::read_dir("/proc").expect("there is /proc");
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            if names
                .filter(|name| name.parse::<i32>().is_ok())
                .any(|pid| waits(&pid))
            {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no `{name}` waits in container `{}`",
                self.name
            );
            std::thread::yield_now();
        }
    }

    /// Waits until something in the container listens on this TCP port.
    ///
    /// The kernel has no event for that, so this asks again and again, from within the container where no rule can answer for it.
    #[track_caller]
    pub fn awaits_tcp(&self, port: u16) {
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let open = self.inside(|| {
            let deadline = Instant::now() + probe::LONG_WAIT;
            while Instant::now() < deadline {
                if probe::tcp_connect(target, probe::LONG_WAIT) == Reach::Open {
                    return true;
                }
                std::thread::yield_now();
            }
            false
        });
        assert!(
            open,
            "nothing in container `{}` listens on {port}/tcp",
            self.name
        );
    }
}
