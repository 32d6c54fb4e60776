//! The port of an ended container that must let nothing in any more.
//!
//! Theory of operation
//!
//! 1. The rules of restricted egress go with the container. Without them, whoever holds its network namespace could do by its port
//!    what the container could not, so the port is set down first. The same holds for what one with several networks may speak from; and
//!    without the rules of a link, nothing of its connections passes. Any other port is set down when its address is used again.
//! 2. TCP connections that were open are the kernel's from then on: it delivers what was sent, and their end. They hold the namespace.
//!    Before a port is closed, the monitor gives them two seconds for that ([`NetworkHost::settle`]), with all rules in place.
//! 3. In most cases nobody holds the namespace then, and the kernel takes the port away with it, at no cost to anyone.
//! 4. By a port that is down no connection ends. The kernel would go on repeating that for more than a minute and a half
//!    (`tcp_orphan_retries` of its `ip-sysctl`), and the port would stay. Then it is deleted. The kernel makes us wait for that, so
//!    it is done when nobody has to wait for us: without the network's lock, or when the next container runs already.
//! 5. For somebody else who holds the namespace, such as a container that shares it, the port stays, down, until the address is used again.

use crate::departed::is_there;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::name::NetworkName;
use crate::plan::Step;
use crate::policy::Contribution;
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep};
use minirun_netns::{Namespace, Narrator, has_orphaned_connections};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long connections may take to end. Whoever stops or removes the container waits for that, and the other side may never answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the first pause between two looks is; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// How long the longest pause is.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// What became of the connections that a container had open when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastConnections {
    /// They have ended, or may go on doing so.
    Settled,
    /// Some may hold the container's network namespace.
    MayBeOpen,
}

/// The host end of the veth pair of a container that has ended, which is down.
#[derive(Debug)]
#[must_use = "connections may hold it"]
pub struct ClosedPort {
    /// Its name.
    pub(crate) interface: String,
}

impl ClosedPort {
    /// Deletes the port if it is still there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn delete(
        self,
        host: &NetworkHost,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        if !is_there(&self.interface)? {
            return Ok(());
        }
        let step = NetworkStep {
            context: Context {
                host,
                netlink: &LazyNetlink::default(),
            },
            action: Action::DeleteVeth(self.interface),
        };
        step.apply()?;
        narrator.tell(&step);
        Ok(())
    }
}

impl NetworkHost {
    /// Lets the connections of a container that has ended end as well, for two seconds at most, if its ports are closed when it is
    /// detached. The caller holds the container's namespace, and lets go of it afterwards.
    ///
    /// # Errors
    /// When the state cannot be read, or the namespace cannot be entered, or not be left: then nothing more may be done with networks.
    pub fn settle(
        &self,
        container: &ContainerId,
        namespace: &Namespace,
    ) -> Result<LastConnections, NetworkError> {
        let look = || namespace.run(has_orphaned_connections);
        // What cannot be seen is not waited for.
        let Ok(found) = look()? else {
            return Ok(LastConnections::MayBeOpen);
        };
        if !found || !self.closes_a_port(container)? {
            return Ok(LastConnections::Settled);
        }
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        while began.elapsed() < PATIENCE {
            sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            if matches!(look()?, Ok(false)) {
                return Ok(LastConnections::Settled);
            }
        }
        Ok(LastConnections::MayBeOpen)
    }

    /// Whether a port of a container is closed when it has ended.
    fn closes_a_port(&self, container: &ContainerId) -> Result<bool, NetworkError> {
        if !self.guards_sources() {
            return Ok(false);
        }
        for name in self.networks_of(container)? {
            if self.closes_the_port_on(&name, container)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn closes_the_port_on(
        &self,
        name: &NetworkName,
        container: &ContainerId,
    ) -> Result<bool, NetworkError> {
        let state = self.network(name);
        let (Some(network), Some(endpoint)) = (self.load(name)?, state.find(container)?) else {
            return Ok(false);
        };
        let others = self.others_of(container, name)?;
        let contribution = self.contribution_of(&network, &endpoint)?;
        Ok(is_closed_at_end((&endpoint, &others), &contribution))
    }
}

/// Whether an endpoint's port is closed when its container has ended. `others` are those of the same container on other networks.
pub(crate) fn is_closed_at_end(
    (endpoint, others): (&Endpoint, &[Endpoint]),
    contribution: &Contribution,
) -> bool {
    !others.is_empty() || !endpoint.egress.is_open() || contribution.links_somebody()
}
