//! The DNS server of a container, as its monitor runs it.

use super::networks::ContainerNetwork;
use crate::config::ContainerConfig;
use crate::connections::Connections;
use crate::egress::may_ask;
use crate::error::RuntimeError;
use crate::network_files::has_dns;
use crate::runtime::Runtime;
use minirun_bridge::dns::{ADDRESS, Forwarding, HostResolver, Listeners, PORT, Server, StateNames};
use minirun_bridge::id::ContainerId;
use minirun_bridge::network::Reach;
use minirun_netns::{Explain, Explanation, Namespace, Narrator, NetnsError, PortRedirect, Silent};

/// Makes the server, if a network of the container has a DNS. Its sockets are in the container's namespace, on a port that
/// nobody asks for; what is sent to the usual one is redirected there, so that a program may serve that port itself.
pub(super) fn serve_names(
    (runtime, config): (&Runtime, &ContainerConfig),
    connections: &Connections,
    (namespace, narrator): (&Namespace, &mut dyn Narrator),
) -> Result<Option<Server>, RuntimeError> {
    if !has_dns(connections) {
        return Ok(None);
    }
    let (listeners, redirect) = namespace.run(listen)??;
    if let Some(redirect) = redirect {
        narrator.tell(&Inside {
            redirect,
            namespace: namespace.path().display().to_string(),
        });
    }
    let names = StateNames::new(runtime.networks.clone(), config.id);
    let server = Server::new(
        listeners,
        Box::new(names),
        forwarding(config, connections),
        Some(namespace.try_clone()?),
    )?;
    Ok(Some(server))
}

/// A redirection as a person would make it from outside.
struct Inside {
    redirect: PortRedirect,
    namespace: String,
}

impl Explain for Inside {
    fn explain(&self) -> Explanation {
        let Explanation { sentence, command } = self.redirect.explain();
        let enter = format!("nsenter --net={} ", self.namespace);
        let lines: Vec<String> = command.lines().map(|line| enter.clone() + line).collect();
        Explanation {
            sentence: format!("inside, {sentence}"),
            command: lines.join("\n"),
        }
    }
}

fn listen() -> Result<(Listeners, Option<PortRedirect>), RuntimeError> {
    let listeners = Listeners::bind()?;
    let redirect = PortRedirect {
        address: ADDRESS,
        from: PORT,
        to: listeners.port()?,
    };
    match redirect.install() {
        Ok(()) => Ok((listeners, Some(redirect))),
        Err(NetnsError::NoNfTables { .. }) => Ok((Listeners::bind_usual()?, None)),
        Err(error) => Err(error.into()),
    }
}

impl ContainerNetwork {
    /// Follows a change of the container's networks: names are looked up at each question, but whether there is a server at
    /// all, and who is asked for names from elsewhere, may have changed.
    pub(super) fn follow(
        &mut self,
        runtime: &Runtime,
        id: &ContainerId,
    ) -> Result<(), RuntimeError> {
        let (Some(config), Some(namespace)) = (runtime.read(id)?, runtime.network_namespace(id))
        else {
            return Ok(());
        };
        let connections = Connections::of(runtime, &config)?;
        match &mut self.resolver {
            Some(server) => server.set_forwarding(forwarding(&config, &connections)),
            None => {
                let place = (&namespace, &mut Silent as &mut dyn Narrator);
                self.resolver = serve_names((runtime, &config), &connections, place)?;
            }
        }
        Ok(())
    }
}

/// Who is asked for names that nobody here has. A container that cannot reach anybody outside is told nothing about them.
fn forwarding(config: &ContainerConfig, connections: &Connections) -> Forwarding {
    let egress = &config.network.egress;
    let nameservers = &config.network.nameservers;
    if !nameservers.is_empty() {
        // They are asked from the container's namespace, so the host's rules judge the questions as well.
        let mut asked = nameservers.clone();
        asked.retain(|server| may_ask(egress, *server));
        return Forwarding::Listed(asked);
    }
    if !egress.allows_names() {
        return Forwarding::Nobody;
    }
    let leads_out = connections
        .joined
        .iter()
        .any(|joined| joined.network.reach == Reach::External);
    match leads_out {
        true => Forwarding::Host(HostResolver::default()),
        false => Forwarding::Nobody,
    }
}
