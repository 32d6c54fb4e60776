//! Somewhere programs and closures can be run: a network namespace, with the files of one host.

use std::sync::Arc;

use crate::cgroup::HostCgroup;
use crate::finished::Finished;
use crate::namespaces::Namespaces;
use crate::program::Program;
use crate::words::Words;

/// A host, its neighbour, or the network of a container: what differs is the network, what is shared are the host's files.
#[derive(Debug, Clone)]
pub struct Place {
    namespaces: Arc<Namespaces>,
    cgroup: Arc<HostCgroup>,
}

impl Place {
    /// A place whose programs are counted among those of the host that owns `cgroup`.
    pub(crate) fn new(namespaces: Namespaces, cgroup: Arc<HostCgroup>) -> Self {
        Self {
            namespaces: Arc::new(namespaces),
            cgroup,
        }
    }

    /// Runs `closure` in this place's network, on a thread of its own; what it opens (sockets, threads) stays there.
    pub fn inside<T: Send>(&self, closure: impl FnOnce() -> T + Send) -> T {
        self.namespaces.run(closure)
    }

    /// Runs a program here to its end, with no input and an environment of nothing but `PATH`.
    #[must_use = "say what is expected of it"]
    pub fn command(&self, name: &str, arguments: impl Words) -> Finished {
        self.program(name, arguments).run()
    }

    /// A program to be run here, for when it needs input or is to run beside the test.
    pub fn program(&self, name: &str, arguments: impl Words) -> Program {
        Program::new(self.clone(), name, arguments)
    }

    /// The network of the process `pid`, seen from the same files.
    pub(crate) fn network_of(&self, pid: i32) -> Self {
        Self {
            namespaces: Arc::new(self.namespaces.with_network_of(pid)),
            cgroup: Arc::clone(&self.cgroup),
        }
    }

    pub(crate) fn namespaces(&self) -> &Arc<Namespaces> {
        &self.namespaces
    }

    pub(crate) fn cgroup(&self) -> &Arc<HostCgroup> {
        &self.cgroup
    }
}
