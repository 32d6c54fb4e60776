//! Which firewall driver minirun uses on the hosts of a run of the tests.

use std::env;
use std::fs;
use std::path::Path;

/// What names the driver; without it, minirun chooses by itself, which is iptables where the tests run.
const VARIABLE: &str = "MINIRUN_TEST_FIREWALL";

/// Where minirun looks for its configuration.
pub(crate) const CONFIGURATION: &str = "/etc/minirun/minirun.toml";

/// A firewall driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Rules through the programs of iptables.
    Iptables,
    /// Rules of nf_tables.
    Nftables,
}

impl Driver {
    /// The one that this run of the tests is about.
    ///
    /// # Panics
    ///
    /// If the variable names another.
    pub fn of_run() -> Driver {
        match env::var(VARIABLE).as_deref() {
            Err(_) | Ok("" | "iptables") => Driver::Iptables,
            Ok("nftables") => Driver::Nftables,
            Ok(other) => panic!("`{VARIABLE}={other}`: write `iptables` or `nftables`"),
        }
    }

    /// The line of the configuration that chooses it; none for that which is chosen without one.
    pub fn setting(self) -> &'static str {
        match self {
            Driver::Iptables => "",
            Driver::Nftables => "firewall = \"nftables\"\n",
        }
    }

    /// Tells minirun, in the calling thread's `/etc`.
    pub(crate) fn configure(self) {
        if self.setting().is_empty() {
            return;
        }
        let path = Path::new(CONFIGURATION);
        let directory = path.parent().expect("a file has a directory");
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(path, self.setting()))
            .unwrap_or_else(|error| panic!("cannot write `{CONFIGURATION}`: {error}"));
    }
}
