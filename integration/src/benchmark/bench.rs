//! A test host on which things are timed, each from the same quiet beginning.
//!
//! A container's network namespace dies after its command has ended: a worker of the kernel takes it apart, and holds the lock of all
//! network configuration while it does. So whoever comes next would pay for whoever was before. Therefore before each sample
//! 1. every process is waited for that was not there at the beginning (monitors, shims, clean-up programs of peers);
//! 2. a network namespace with one veth pair is made and dropped, and the end of that pair is waited for. The worker takes namespaces
//!    in the order in which they died, so then all earlier ones are gone, and everybody follows upon the same thing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::benchmark::findings::{Trouble, expect};
use crate::benchmark::stopwatch::Stopwatch;
use crate::finished::Finished;
use crate::host::TestHost;
use crate::leftovers;
use crate::link_news::LinkNews;
use crate::words::Words;

/// How long the remains of what was measured may take to be gone; those of a thousand containers take a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who makes rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Whatever minirun chooses if it is told nothing.
    Automatic,
    /// The program `iptables-restore`.
    Iptables,
    /// nf_tables over netlink.
    Nftables,
}

impl Driver {
    /// As the configuration file says it.
    pub fn word(self) -> &'static str {
        match self {
            Driver::Automatic => "auto",
            Driver::Iptables => "iptables",
            Driver::Nftables => "nftables",
        }
    }
}

/// The host, the stopwatch on it, and what belongs there between two samples.
#[derive(Debug)]
pub struct Bench {
    /// Ends before the host does, because it runs on it.
    stopwatch: Stopwatch,
    /// Where everything runs.
    pub host: TestHost,
    settled: RefCell<BTreeSet<i32>>,
}

impl Bench {
    /// A fresh host with this driver, on which minirun has already made the image `demo`, its bridge and its fixed rules.
    ///
    /// # Errors
    ///
    /// If minirun cannot run a container there.
    pub fn create(driver: Driver) -> Result<Self, Trouble> {
        let host = TestHost::create();
        let configuration = format!("firewall = \"{}\"\n", driver.word());
        host.write_file("/etc/minirun/minirun.toml", &configuration);
        let bench = Self {
            stopwatch: Stopwatch::start(&host),
            host,
            settled: RefCell::default(),
        };
        bench.minirun("run --rm demo true")?;
        bench.begin();
        Ok(bench)
    }

    /// Runs minirun, which must succeed.
    ///
    /// # Errors
    ///
    /// What it complained of.
    pub fn minirun(&self, arguments: impl Words) -> Result<Finished, Trouble> {
        expect(self.host.minirun(arguments))
    }

    /// Takes what runs now for what belongs there.
    pub fn begin(&self) {
        self.settled.replace(self.processes());
    }

    /// How many milliseconds a command line takes, from a quiet beginning.
    ///
    /// # Errors
    ///
    /// What it complained of, or what does not end.
    pub fn time(&self, line: &str) -> Result<f64, Trouble> {
        self.time_together(&[line])
    }

    /// The same for several at once, from the start of the first to the end of the last.
    ///
    /// # Errors
    ///
    /// As [`Bench::time`].
    pub fn time_together(&self, lines: &[&str]) -> Result<f64, Trouble> {
        self.settle()?;
        self.time_at_once(lines)
    }

    /// The same from whatever beginning there is.
    ///
    /// # Errors
    ///
    /// As [`Bench::time`].
    pub fn time_at_once(&self, lines: &[&str]) -> Result<f64, Trouble> {
        self.stopwatch.time(&split(lines))
    }

    /// Runs several at once and waits for none of what they leave behind.
    ///
    /// # Errors
    ///
    /// What the first of them complained of.
    pub fn run_together(&self, lines: &[&str]) -> Result<(), Trouble> {
        self.stopwatch.time(&split(lines)).map(drop)
    }

    /// Waits for the quiet beginning.
    ///
    /// # Errors
    ///
    /// If it does not come.
    pub fn settle(&self) -> Result<(), Trouble> {
        let deadline = Instant::now() + PATIENCE;
        while !self.processes().is_subset(&self.settled.borrow()) {
            if Instant::now() > deadline {
                return Err(Trouble::Failed(
                    "something that was measured does not end".to_owned(),
                ));
            }
            // The kernel has no event for the end of any process, and looking all the time would itself be noise.
            thread::sleep(Duration::from_micros(200));
        }
        let guard = self.host.pid().to_string();
        let pair = "link add settle0 type veth peer name settle1 netns";
        let mut words: Vec<&str> = vec!["--net", "ip"];
        words.extend(pair.split_whitespace());
        words.push(&guard);
        expect(self.host.command("unshare", words.as_slice()))?;
        if self.host.inside(|| is_gone("settle1", deadline)) {
            return Ok(());
        }
        Err(Trouble::Failed(
            "a network namespace does not end".to_owned(),
        ))
    }

    fn processes(&self) -> BTreeSet<i32> {
        self.host.place().cgroup().processes().into_iter().collect()
    }
}

fn is_gone(link: &str, deadline: Instant) -> bool {
    let news = LinkNews::listen();
    while leftovers::interfaces().iter().any(|name| name == link) {
        if !news.wait(deadline) {
            return false;
        }
    }
    true
}

fn split(lines: &[&str]) -> Vec<Vec<String>> {
    let words = |line: &&str| line.split_whitespace().map(str::to_owned).collect();
    lines.iter().map(words).collect()
}
