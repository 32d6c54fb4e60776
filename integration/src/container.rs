//! A container on a test host, by name.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use serde_json::Value;

use crate::host::TestHost;
use crate::place::Place;
use crate::probe::{self, Reach};
use crate::process::Process;

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
        let answer = self.inspect();
        let text = answer["NetworkSettings"]["Networks"]["bridge"]["IPAddress"].as_str();
        text.and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("container `{}` has no address: {answer}", self.name))
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

    /// Waits until something in the container listens on this TCP port.
    ///
    /// The kernel has no event for that, so this asks again and again, from within the container where no rule can answer for it.
    #[track_caller]
    pub fn awaits_tcp(&self, port: u16) {
        let target = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
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
