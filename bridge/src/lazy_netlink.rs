//! A netlink connection that is made when it is first needed: taking a container down usually needs none.

use minirun_netns::{Netlink, NetnsError};
use std::cell::RefCell;

/// A connection to the host's network namespace, made at its first use.
#[derive(Debug, Default)]
pub struct LazyNetlink {
    connection: RefCell<Option<Netlink>>,
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
}
