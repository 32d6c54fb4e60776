//! What keeps the ports of ended containers to their addresses, until the ports are gone.
//!
//! Theory of operation
//!
//! 1. A container's port goes with its network namespace, some time after the container: at once in most cases, much later if
//!    somebody else holds the namespace. So what its port may let in stays said when the container leaves, and nobody speaks by
//!    it as somebody else. The record of its endpoint moves to `STATE/firewall.departed`, named after the port.
//! 2. When there are [`MANY`] of these, whoever adds one takes away what is said of ports that are gone, in one transaction. That is
//!    also cheaper than one for each: while the kernel frees what was deleted from nf_tables, which takes milliseconds, nobody can
//!    close a connection to it, and who tries keeps all others from changing rules (`nft_rcv_nl_event` of
//!    `net/netfilter/nf_tables_api.c`).
//! 3. An interface gets a name that none had before, so what is said of one that has gone concerns nobody.
//! 4. Rules of published ports only let something in, so the port needs none of them. That of a container whose egress was restricted,
//!    or that was linked where ICC is off, is closed instead (`closed_port.rs`); and so is any but the last of one with several
//!    networks, whose ports are spoken of together.

use crate::atomic_file;
use crate::directory::names_in;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::network::Network;
use crate::source_check::own_check;
use crate::state::NetworkHost;
use minirun_netns::netfilter::nf_tables::Element;
use nix::net::if_::if_nametoindex;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// How many records of departed containers make it worth looking which ports are gone.
const MANY: usize = 64;

/// What becomes of the record of an endpoint that is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordLeft {
    /// It goes.
    Nowhere,
    /// It is kept, because its port is still kept to its addresses.
    AsDeparted,
}

/// The records of ended containers' ports, as they were found.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    /// What must go on being said: the port is there.
    pub(crate) staying: Vec<Element>,
    /// What need not be said any more.
    pub(crate) gone: Vec<Element>,
    /// The records of ports that are gone.
    records_gone: Vec<PathBuf>,
}

impl Departed {
    /// Forgets the ports that are gone. What cannot be removed is met again the next time.
    pub(crate) fn forget_gone(&self) {
        for path in &self.records_gone {
            let _ = fs::remove_file(path);
        }
    }
}

impl NetworkHost {
    /// Keeps an endpoint's record, which is at `record`, for as long as its port is there.
    pub(crate) fn keep_as_departed(&self, endpoint: &Endpoint, record: &Path) {
        let directory = self.departed();
        let kept = directory.join(&endpoint.interface);
        let moved = match fs::rename(record, &kept) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&directory).and_then(|()| fs::rename(record, &kept))
            }
            outcome => outcome,
        };
        // A record that stays would be taken for a container's.
        if moved.is_err() {
            let _ = fs::remove_file(record);
        }
    }

    /// Takes away what is said of ports that are gone, if there are many.
    pub(crate) fn forget_departed_in_time(&self) -> Result<(), NetworkError> {
        if !self.guards_sources() {
            return Ok(());
        }
        let kept = names_in(&self.departed())?.len();
        // If all of these are still there, the next look is worthwhile when there are as many more.
        match kept > 0 && kept.is_multiple_of(MANY) {
            true => self.forget_departed(),
            false => Ok(()),
        }
    }

    /// Takes away what is said of ports that are gone.
    pub(crate) fn forget_departed(&self) -> Result<(), NetworkError> {
        if names_in(&self.departed())?.is_empty() {
            return Ok(());
        }
        let lock = self.lock_rules()?;
        let departed = self.find_departed(&BTreeSet::new())?;
        if !departed.gone.is_empty() {
            self.remove_checks(&departed.gone, &lock)?;
            departed.forget_gone();
        }
        Ok(())
    }

    /// The ports of containers that have ended on a network.
    pub(crate) fn departed_from(&self, network: &Network) -> Result<Vec<String>, NetworkError> {
        let directory = self.departed();
        let mut ports = Vec::new();
        for name in names_in(&directory)? {
            let path = directory.join(&name);
            let endpoint = atomic_file::read_json_if_present::<Endpoint>(&path)?;
            let was_there = |endpoint: Endpoint| {
                let subnet = network.ipv4.subnet;
                subnet.contains(&IpAddr::V4(endpoint.address))
            };
            if endpoint.is_some_and(was_there) {
                ports.push(name);
            }
        }
        Ok(ports)
    }

    /// The ports of ended containers, but for those that the caller found elsewhere. The caller holds the lock of the rules.
    pub(crate) fn find_departed(
        &self,
        counted: &BTreeSet<String>,
    ) -> Result<Departed, NetworkError> {
        let directory = self.departed();
        let mut departed = Departed::default();
        for name in names_in(&directory)? {
            if counted.contains(&name) {
                continue;
            }
            let path = directory.join(name);
            let Some(endpoint) = atomic_file::read_json_if_present::<Endpoint>(&path)? else {
                continue;
            };
            let elements = own_check(&endpoint).elements();
            if is_there(&endpoint.interface)? {
                departed.staying.extend(elements);
            } else {
                departed.gone.extend(elements);
                departed.records_gone.push(path);
            }
        }
        Ok(departed)
    }
}

/// Whether the network namespace has an interface.
pub(crate) fn is_there(interface: &str) -> Result<bool, NetworkError> {
    match if_nametoindex(interface) {
        Ok(_) => Ok(true),
        Err(nix::errno::Errno::ENODEV) => Ok(false),
        Err(errno) => Err(NetworkError::file(
            "look for the interface",
            Path::new(interface),
            io::Error::from(errno),
        )),
    }
}
