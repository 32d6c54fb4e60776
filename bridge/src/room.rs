//! On which of a network's bridges the next container gets a port.
//!
//! Theory of operation. The lock on the network's records is held, but for noting that ports have to be counted: whoever overwrites such a
//! note, or has his overwritten by one, lets them be counted once more or once less.
//!
//! 1. As long as the main bridge was never full, nothing is noted and nothing is counted: the next port is there. The kernel gives
//!    a new port the lowest free number, so a number of [`MOST_PORTS`] says that the main bridge is full now.
//! 2. Then a file notes where the next port is, and how many are known to be free there. Each start takes one of them. When they
//!    are used up, the kernel is asked for the ports of each bridge, and the first one with [`WORTHWHILE`] free ones is
//!    next; if none has so many, the network grows by a segment. So ports that become free are found again, and what
//!    counting costs is shared by many starts.
//! 3. When it is the main bridge that has room again, the file goes.
//! 4. Others may have ports on an adopted bridge, which nobody counts. If the kernel refuses one (`EXFULL`), bridges are counted
//!    at once.

use crate::atomic_file;
use crate::error::NetworkError;
use crate::network::Network;
use crate::plan;
use crate::reload::{self, KnownRules};
use crate::segment::{MOST_PORTS, MOST_SEGMENTS, Segment};
use crate::segment_devices;
use crate::state::NetworkHost;
use crate::step::{Action, Context, DefinitionChange, NetworkStep, RulesChange};
use minirun_netns::Narrator;
use serde::{Deserialize, Serialize};

/// How many free ports make a bridge worth going back to.
const WORTHWHILE: u16 = 64;

/// Where the next port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Room {
    segment: Segment,
    /// How many ports are known to be free there.
    free: u16,
}

impl NetworkHost {
    /// Takes a port for one container; the network may have to grow for that.
    pub(crate) fn take_port(
        &self,
        context: Context<'_>,
        network: Network,
        narrator: &mut dyn Narrator,
    ) -> Result<(Network, Segment), NetworkError> {
        let path = self.network(&network.name).room();
        let Some(noted) = atomic_file::read_json_if_present::<Room>(&path)? else {
            return Ok((network, Segment::MAIN));
        };
        // What is noted of a network that was removed and made anew counts for nothing.
        let exists = noted.segment.is_main()
            || network
                .segments()
                .any(|(segment, _)| segment == noted.segment);
        let (network, room) = match noted {
            room if room.free > 0 && exists => (network, room),
            _ => self.find_room(context, network, narrator)?,
        };
        if room.segment.is_main() {
            atomic_file::remove(&path);
        } else {
            let free = room.free - 1;
            atomic_file::write_json(&path, &Room { free, ..room })?;
        }
        Ok((network, room.segment))
    }

    /// Notes that the main bridge is full, if its newest port has a number that says so.
    pub(crate) fn note_port(&self, network: &Network, number: Option<u16>) {
        if number.is_some_and(|number| number >= MOST_PORTS) {
            // Whoever comes next to a bridge that is fuller notes it then.
            let _ = self.count_ports_next_time(network);
        }
    }

    /// Lets the next start count ports.
    pub(crate) fn count_ports_next_time(&self, network: &Network) -> Result<(), NetworkError> {
        let unknown = Room {
            segment: Segment::MAIN,
            free: 0,
        };
        let path = self.network(&network.name).room();
        Ok(atomic_file::write_json(&path, &unknown)?)
    }

    /// Counts ports.
    fn find_room(
        &self,
        context: Context<'_>,
        network: Network,
        narrator: &mut dyn Narrator,
    ) -> Result<(Network, Room), NetworkError> {
        let further = Segment::further(network.segments);
        for segment in [Segment::MAIN].into_iter().chain(further) {
            let free = MOST_PORTS.saturating_sub(ports(context, &network.bridge_of(segment))?);
            if free >= WORTHWHILE {
                return Ok((network, Room { segment, free }));
            }
        }
        let network = self.grow(context, network, narrator)?;
        let newest = Segment::further(network.segments).last();
        let room = Room {
            segment: newest.unwrap_or_default(),
            free: MOST_PORTS,
        };
        Ok((network, room))
    }

    /// Gives a network one more segment: its definition says so first, then the rules, then the devices are made. Whoever is
    /// killed in between leaves rules that are in doubt, or a segment that the next start finds incomplete.
    fn grow(
        &self,
        context: Context<'_>,
        before: Network,
        narrator: &mut dyn Narrator,
    ) -> Result<Network, NetworkError> {
        if before.segments >= MOST_SEGMENTS {
            return Err(NetworkError::NoPortLeft {
                network: before.name,
            });
        }
        let after = Network {
            segments: before.segments + 1,
            ..before.clone()
        };
        let rules = self.lock_rules()?;
        self.begin_rules_change(&rules);
        let mut actions = vec![
            Action::SaveDefinition(Box::new(DefinitionChange {
                sentence: format!(
                    "record that network `{}` has more containers than a bridge has ports, and gets one more bridge",
                    after.name
                ),
                after: after.clone(),
                before,
            })),
            Action::ChangeRules(RulesChange::new(
                format!(
                    "rewrite the rules: frames cross the further bridges of network `{}`",
                    after.name
                ),
                (&rules, KnownRules::Unknown),
                Default::default(),
            )),
        ];
        if let Some((_, devices)) = after.segments().last() {
            actions.extend(segment_devices::creation(context, &after, &devices)?);
        }
        let steps = actions
            .into_iter()
            .map(|action| NetworkStep { context, action });
        match plan::apply(steps.collect(), narrator) {
            Ok(applied) => applied.commit(),
            Err(error) => {
                // The first error is the one to tell.
                let _ = reload::rebuild(self, &rules);
                return Err(error);
            }
        }
        Ok(after)
    }
}

/// How many ports a bridge has, whoever's they are.
fn ports(context: Context<'_>, bridge: &str) -> Result<u16, NetworkError> {
    let ports = context
        .netlink
        .with(|netlink| match netlink.find_link(bridge)? {
            Some(link) => netlink.bridge_ports(link.index),
            None => Ok(Vec::new()),
        })?;
    Ok(u16::try_from(ports.len()).unwrap_or(u16::MAX))
}
