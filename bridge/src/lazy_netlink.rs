//! A netlink connection that is made when it is first needed: taking a container down usually needs none.

use minirun_netns::{LinkIndex, Netlink, NetnsError, VethIndexes};
use std::cell::{Cell, RefCell};

/// A connection to the host's network namespace, made at its first use.
#[derive(Debug, Default)]
pub struct LazyNetlink {
    connection: RefCell<Option<Netlink>>,
    /// The pair that was made through it and its bridge, so that nobody looks for what is known.
    pair: Cell<Option<(VethIndexes, LinkIndex)>>,
    /// The number of its host end among the ports of that bridge.
    port_number: Cell<Option<u16>>,
}

impl LazyNetlink {
    /// Does something with the connection.
    ///
    /// # Errors
    /// When the connection cannot be made, and those of `work`.
    pub fn with<T>(
        &self,
        work: impl FnOnce(&mut Netlink) -> Result<T, NetnsError>,
    ) -> Result<T, NetnsError> {
        let mut connection = self.connection.borrow_mut();
        let mut netlink = match connection.take() {
            Some(netlink) => netlink,
            None => Netlink::open()?,
        };
        let outcome = work(&mut netlink);
        *connection = Some(netlink);
        outcome
    }

    /// Notes which pair was made, on which bridge.
    pub(crate) fn made(&self, pair: VethIndexes, bridge: LinkIndex) {
        self.pair.set(Some((pair, bridge)));
    }

    /// The pair that was made last, if one was, and its bridge.
    pub(crate) fn pair(&self) -> Option<(VethIndexes, LinkIndex)> {
        self.pair.get()
    }

    /// Notes which port of the bridge the pair is.
    pub(crate) fn numbered(&self, port: Option<u16>) {
        self.port_number.set(port);
    }

    /// Which port of the bridge the pair that was made last is, if that is known.
    pub(crate) fn port_number(&self) -> Option<u16> {
        self.port_number.get()
    }
}
