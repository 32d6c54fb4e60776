//! Finding the targets of links: by name or id, each under an alias of its own.

use crate::config::NetworkMode;
use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::link::Link;
use minirun_bridge::link_environment::variable_prefix;
use minirun_bridge::name::{Alias, ContainerName};

impl Runtime {
    pub(crate) fn resolve_links(&self, request: &CreateRequest) -> Result<Vec<Link>, RuntimeError> {
        let mut links: Vec<Link> = Vec::new();
        for wanted in &request.links {
            if let (Some(name), Ok(target)) =
                (&request.name, wanted.target.parse::<ContainerName>())
                && *name == target
            {
                return Err(RuntimeError::LinkToSelf(target));
            }
            let target = self.resolve(&wanted.target).map_err(|error| match error {
                RuntimeError::UnknownContainer(name) => RuntimeError::LinkTargetUnknown(name),
                other => other,
            })?;
            if target.network.mode != NetworkMode::Bridge {
                return Err(RuntimeError::LinkTargetUnreachable(target.name));
            }
            let alias = match &wanted.alias {
                Some(alias) => alias.clone(),
                None => Alias::from(&target.name),
            };
            let link = Link {
                target: target.name,
                alias,
            };
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
}
