//! Who has which address of a network, as one symbolic link per address.
//!
//! Theory of operation. The lease directory of a network holds
//!
//! 1. `172.17.0.2 -> <container id>` for every address in use. Making the link is the claim: the kernel refuses a second one, so two
//!    containers cannot get one address even if a caller forgets the lock, and finding the owner is one `readlink`.
//! 2. `cursor -> 172.17.0.2`, the last address that was handed out. The search for a free one begins behind it.
//! 3. `172.17.0.3.freed -> <container id>` for an address that was given back. The cursor passes over it once, and only takes it when
//!    it comes by the next time; its last owner, or somebody who asks for it by name, may have it at once. So a peer that still
//!    remembers the old owner does not talk to a stranger, and a container that stops and starts mostly keeps its address.
//!
//! IPv6 addresses are kept the same way in a directory of their own. A range narrows where the cursor goes, not what may be asked for.
//!
//! Every mark is passed over once per release, so a claim costs a handful of system calls however many leases there are, unless the
//! network is nearly full. The caller holds the network's lock. The directory belongs below the state directory, which dies with the boot.

mod error;
#[cfg(test)]
mod model_tests;
mod round;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use self::round::Round;
use crate::addressing::Addressing;
use crate::id::ContainerId;

pub use self::error::LeaseError;

const CURSOR: &str = "cursor";
const NEXT_CURSOR: &str = ".cursor.new";
const FREED_SUFFIX: &str = ".freed";

/// The leases of one network in one family.
#[derive(Debug)]
pub struct Leases {
    directory: PathBuf,
    addressing: Addressing,
}

impl Leases {
    /// The leases in `directory`, which is created with the first one if it is missing. Each family has a directory of its own.
    pub fn open(directory: impl Into<PathBuf>, addressing: &Addressing) -> Self {
        Self {
            directory: directory.into(),
            addressing: addressing.clone(),
        }
    }

    /// Leases exactly this address, which may lie outside the range. A claim by its present owner succeeds and changes nothing.
    pub fn claim_static(
        &self,
        address: IpAddr,
        container: &ContainerId,
    ) -> Result<IpAddr, LeaseError> {
        self.check(address)?;
        match self.take(address, container)? {
            Taking::Done => {
                self.remove_mark(address)?;
                Ok(address)
            }
            Taking::HeldBy(owner) if owner == *container => Ok(address),
            Taking::HeldBy(owner) => Err(LeaseError::Taken { address, owner }),
        }
    }

    /// Leases an address of the network's choice: `preferred` if it can be had (what the container had last time), else the next free
    /// one behind the last one handed out. Each call without `preferred` leases one more address, so the caller records the answer.
    pub fn claim(
        &self,
        container: &ContainerId,
        preferred: Option<IpAddr>,
    ) -> Result<IpAddr, LeaseError> {
        if let Some(address) = preferred {
            match self.claim_static(address, container) {
                Err(
                    LeaseError::Taken { .. }
                    | LeaseError::Reserved { .. }
                    | LeaseError::OutsideSubnet { .. },
                ) => {}
                decided => return decided,
            }
        }
        let address = self.take_next(container)?;
        self.move_cursor(address)?;
        Ok(address)
    }

    /// Gives an address back, if `container` is its owner; says whether it was.
    pub fn release(&self, address: IpAddr, container: &ContainerId) -> Result<bool, LeaseError> {
        if self.owner(address)? != Some(*container) {
            return Ok(false);
        }
        let path = self.lease_path(address);
        std::fs::rename(&path, self.mark_path(address))
            .map(|()| true)
            .map_err(|source| LeaseError::Io { path, source })
    }

    /// The container that has this address, if one has.
    pub fn owner(&self, address: IpAddr) -> Result<Option<ContainerId>, LeaseError> {
        let path = self.lease_path(address);
        match std::fs::read_link(&path) {
            Ok(target) => parse_owner(&target)
                .map(Some)
                .ok_or(LeaseError::Corrupt { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LeaseError::Io { path, source }),
        }
    }

    /// Every lease, sorted by address. Reads the whole directory, so it has no place on the way of a start.
    pub fn holders(&self) -> Result<Vec<(IpAddr, ContainerId)>, LeaseError> {
        let mut holders = Vec::new();
        for address in self.leased_addresses()? {
            if let Some(owner) = self.owner(address)? {
                holders.push((address, owner));
            }
        }
        Ok(holders)
    }

    fn leased_addresses(&self) -> Result<Vec<IpAddr>, LeaseError> {
        let io_error = |source| LeaseError::Io {
            path: self.directory.clone(),
            source,
        };
        let mut addresses = Vec::new();
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if is_missing(&error) => return Ok(addresses),
            entries => entries.map_err(io_error)?,
        };
        for entry in entries {
            let name = entry.map_err(io_error)?.file_name();
            addresses.extend(name.to_str().and_then(|name| name.parse::<IpAddr>().ok()));
        }
        addresses.sort_unstable();
        Ok(addresses)
    }

    /// One round from behind the cursor. Addresses given back since the cursor last came by lose their mark and are passed over; the
    /// first of them serves only when nothing else is free.
    fn take_next(&self, container: &ContainerId) -> Result<IpAddr, LeaseError> {
        let mut passed_over = None;
        for address in Round::behind(self.cursor(), self.addressing.range_or_subnet()) {
            if self.addressing.reserved(address).is_some() {
                continue;
            }
            if self.remove_mark(address)? && self.owner(address)?.is_none() {
                passed_over.get_or_insert(address);
            } else if let Taking::Done = self.take(address, container)? {
                return Ok(address);
            }
        }
        if let Some(address) = passed_over
            && let Taking::Done = self.take(address, container)?
        {
            return Ok(address);
        }
        let pool = self.addressing.range_or_subnet();
        let mut leased = self.leased_addresses()?;
        leased.retain(|address| pool.contains(address));
        Err(LeaseError::Exhausted {
            subnet: self.addressing.subnet,
            range: self.addressing.range,
            held: leased.len(),
        })
    }

    fn take(&self, address: IpAddr, container: &ContainerId) -> Result<Taking, LeaseError> {
        let path = self.lease_path(address);
        let link = || symlink(container.to_string(), &path);
        let mut made = link();
        if made.as_ref().is_err_and(is_missing) {
            made = std::fs::create_dir_all(&self.directory).and_then(|()| link());
        }
        match made {
            Ok(()) => Ok(Taking::Done),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self
                .owner(address)?
                .map(Taking::HeldBy)
                .ok_or(LeaseError::Io {
                    path,
                    source: error,
                }),
            Err(source) => Err(LeaseError::Io { path, source }),
        }
    }

    fn check(&self, address: IpAddr) -> Result<(), LeaseError> {
        let subnet = self.addressing.subnet;
        if !self.addressing.contains(address) {
            return Err(LeaseError::OutsideSubnet { address, subnet });
        }
        match self.addressing.reserved(address) {
            Some(what) => Err(LeaseError::Reserved {
                address,
                subnet,
                what,
            }),
            None => Ok(()),
        }
    }

    /// The last address handed out; none if there was none, or if the record makes no sense (the search then begins at the start).
    fn cursor(&self) -> Option<IpAddr> {
        let target = std::fs::read_link(self.directory.join(CURSOR)).ok()?;
        target
            .to_str()?
            .parse()
            .ok()
            .filter(|address| self.addressing.range_or_subnet().contains(address))
    }

    fn move_cursor(&self, address: IpAddr) -> Result<(), LeaseError> {
        let next = self.directory.join(NEXT_CURSOR);
        let link = || symlink(address.to_string(), &next);
        let mut made = link();
        if matches!(&made, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
            // Whoever was about to move it was killed.
            remove_if_there(&next)?;
            made = link();
        }
        made.and_then(|()| std::fs::rename(&next, self.directory.join(CURSOR)))
            .map_err(|source| LeaseError::Io { path: next, source })
    }

    /// Forgets that the address was given back; says whether it was marked so.
    fn remove_mark(&self, address: IpAddr) -> Result<bool, LeaseError> {
        remove_if_there(&self.mark_path(address))
    }

    fn lease_path(&self, address: IpAddr) -> PathBuf {
        self.directory.join(address.to_string())
    }

    fn mark_path(&self, address: IpAddr) -> PathBuf {
        self.directory.join(format!("{address}{FREED_SUFFIX}"))
    }
}

/// What came of trying to take one address.
enum Taking {
    Done,
    HeldBy(ContainerId),
}

fn parse_owner(target: &Path) -> Option<ContainerId> {
    target.to_str()?.parse().ok()
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn remove_if_there(path: &Path) -> Result<bool, LeaseError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(LeaseError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}
