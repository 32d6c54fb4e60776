//! What can be done to a link, in words.

use crate::explain::{Explain, Explanation};

/// Setting a link up, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLinkUp {
    /// The link's name.
    pub name: String,
}

/// Making a link a port of a bridge, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetController {
    /// The link's name.
    pub name: String,
    /// The bridge.
    pub bridge: String,
}

/// Setting a link down, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLinkDown {
    /// The link's name.
    pub name: String,
}

/// Deleting a link, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteLink {
    /// The link's name.
    pub name: String,
}

impl Explain for SetController {
    fn explain(&self) -> Explanation {
        let SetController { name, bridge } = self;
        Explanation {
            sentence: format!("make the interface `{name}` a port of the bridge `{bridge}`"),
            command: format!("ip link set {name} master {bridge}"),
        }
    }
}

impl Explain for SetLinkUp {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!("set the interface `{}` up", self.name),
            command: format!("ip link set {} up", self.name),
        }
    }
}

impl Explain for SetLinkDown {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!("let no packet pass the interface `{}` any more", self.name),
            command: format!("ip link set {} down", self.name),
        }
    }
}

impl Explain for DeleteLink {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!("delete the interface `{}`", self.name),
            command: format!("ip link delete {}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_print_their_commands() {
        let name = "minirun0".to_string();
        let up = SetLinkUp { name: name.clone() }.explain();
        assert_eq!(up.command, "ip link set minirun0 up");
        let delete = DeleteLink { name }.explain();
        assert_eq!(delete.command, "ip link delete minirun0");
    }
}
