//! Finding the targets of links: by name or id, each under an alias of its own, and on a network that both are on.

use crate::config::{ContainerConfig, Membership, NetworkMode};
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::network_place::Place;
use crate::runtime::Runtime;
use minirun_bridge::link::{Link, LinkRequest};
use minirun_bridge::link_environment::variable_prefix;
use minirun_bridge::name::{Alias, ContainerName};

/// Who is to be linked.
pub(crate) struct LinkSource<'a> {
    /// Its name, if it has one already.
    pub(crate) name: Option<&'a ContainerName>,
    /// The networks it is on.
    pub(crate) memberships: &'a [Membership],
}

impl Runtime {
    pub(crate) fn resolve_links(
        &self,
        request: &CreateRequest,
        place: &Place,
    ) -> Result<Vec<Link>, RuntimeError> {
        let source = LinkSource {
            name: request.name.as_ref(),
            memberships: &place.memberships,
        };
        self.resolve_more_links(&source, &request.links, Vec::new())
    }

    /// Adds the links that are wanted to those there are.
    pub(crate) fn resolve_more_links(
        &self,
        source: &LinkSource<'_>,
        wanted: &[LinkRequest],
        mut links: Vec<Link>,
    ) -> Result<Vec<Link>, RuntimeError> {
        for wanted in wanted {
            let link = self.resolve_link(source, wanted)?;
            let prefix = variable_prefix(&link.alias);
            match links
                .iter()
                .find(|other| variable_prefix(&other.alias) == prefix)
            {
                Some(same) if *same == link => {}
                Some(other) => return Err(RuntimeError::alias_collision(other, &link)),
                None => links.push(link),
            }
        }
        Ok(links)
    }

    fn resolve_link(
        &self,
        source: &LinkSource<'_>,
        wanted: &LinkRequest,
    ) -> Result<Link, RuntimeError> {
        if let (Some(name), Ok(target)) = (source.name, wanted.target.parse::<ContainerName>())
            && *name == target
        {
            return Err(RuntimeError::LinkToSelf(target));
        }
        let found = self.resolve(&wanted.target).map_err(|error| match error {
            RuntimeError::UnknownContainer(name) => RuntimeError::LinkTargetUnknown(name),
            other => other,
        })?;
        let alias = match &wanted.alias {
            Some(alias) => alias.clone(),
            None => Alias::from(&found.name),
        };
        let target = self.owner_of_network(found)?;
        if source.name == Some(&target.name) {
            return Err(RuntimeError::LinkToSelf(target.name));
        }
        if target.network.mode != NetworkMode::Networks {
            return Err(RuntimeError::LinkTargetUnreachable(target.name));
        }
        let shared = target.network.memberships.iter().any(|other| {
            source
                .memberships
                .iter()
                .any(|own| own.network == other.network)
        });
        if !shared {
            return Err(RuntimeError::NoSharedNetwork {
                source_networks: network_list(source.memberships),
                target_networks: network_list(&target.network.memberships),
                target: target.name,
            });
        }
        Ok(Link {
            target: target.name,
            alias,
        })
    }

    /// A container that shares the network of another is reached by that one's address.
    fn owner_of_network(&self, target: ContainerConfig) -> Result<ContainerConfig, RuntimeError> {
        match target.network.mode {
            NetworkMode::Container(owner) => match self.read(&owner)? {
                Some(owner) => Ok(owner),
                None => Err(RuntimeError::LinkTargetUnreachable(target.name)),
            },
            _ => Ok(target),
        }
    }
}

/// Networks, as a sentence has them.
fn network_list(memberships: &[Membership]) -> String {
    let names: Vec<String> = memberships
        .iter()
        .map(|membership| format!("`{}`", membership.network))
        .collect();
    match names.is_empty() {
        true => "no network".into(),
        false => names.join(", "),
    }
}
