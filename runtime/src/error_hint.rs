//! What the reader of an error can do about it.

use crate::error::RuntimeError;

impl RuntimeError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            RuntimeError::NotRoot => Some("try it with `sudo`".into()),
            RuntimeError::Settings(error) => error.hint(),
            RuntimeError::Network(error) => error.hint(),
            RuntimeError::Firewall(error) => error.hint(),
            RuntimeError::Netns(error) => error.hint(),
            RuntimeError::Image(error) => error.hint(),
            RuntimeError::Spec(error) => error.hint(),
            RuntimeError::User(error) => error.hint(),
            RuntimeError::Files(error) => error.hint(),
            RuntimeError::Volume(error) => error.hint(),
            RuntimeError::SizeLimit(error) => error.hint(),
            RuntimeError::HostSecurity(error) => error.hint(),
            RuntimeError::Seccomp(error) => error.hint(),
            RuntimeError::Process(error) => error.hint(),
            RuntimeError::Cgroup(error) => error.hint(),
            RuntimeError::Device(error) => error.hint(),
            RuntimeError::Resources(error) => error.hint(),
            RuntimeError::StartFailed { hint, .. } => hint.clone(),
            RuntimeError::UnknownContainer(_) | RuntimeError::LinkTargetUnknown(_) => {
                Some("`minirun ps -a` lists the containers there are".into())
            }
            RuntimeError::AmbiguousContainer(_) => Some("write more of the id".into()),
            RuntimeError::NameTaken { name, .. } => Some(format!(
                "choose another name, or remove that container: `minirun rm -f {name}`"
            )),
            RuntimeError::NoNameFree => Some("give one with `--name`".into()),
            RuntimeError::Dns(error) => error.hint(),
            RuntimeError::RemovesItself(name) => Some(format!(
                "stop it and run it again, or run it without `--rm`: `minirun stop {name}`"
            )),
            RuntimeError::NoLog(name) => Some(format!(
                "while it runs, `minirun attach {name}` shows what it writes"
            )),
            RuntimeError::UserNamespaceConflict { option } => Some(format!(
                "leave out `{option}`, or trust the container with `--userns host`"
            )),
            RuntimeError::NeedsUserNamespace { .. } => {
                Some("add `--userns auto`, or leave it out".into())
            }
            RuntimeError::NotRunning(name) => Some(format!("start it: `minirun start {name}`")),
            RuntimeError::RestartOfRemoved => Some("leave one of them out".into()),
            RuntimeError::IsRestarting(name) => Some(format!(
                "wait until it runs, or stop it: `minirun stop {name}`"
            )),
            RuntimeError::Paused(name) => {
                Some(format!("let it go on first: `minirun unpause {name}`"))
            }
            RuntimeError::StillRunning(name) => Some(format!(
                "stop it first with `minirun stop {name}`, or remove it with `minirun rm -f {name}`"
            )),
            error => error.network_hint(),
        }
    }

    /// What to do about errors of networks and links.
    fn network_hint(&self) -> Option<String> {
        match self {
            RuntimeError::LinkTargetUnreachable(target) => Some(format!(
                "only containers on a bridge network can be linked to: run `{target}` without `--network`"
            )),
            RuntimeError::NeedsBridge { option, network } => {
                Some(match network.strip_prefix("container:") {
                    Some(owner) => {
                        format!("give `{option}` to container `{owner}`, whose network it is")
                    }
                    None => "leave out `--network`, or use `--network bridge`".into(),
                })
            }
            RuntimeError::NoSharedNetwork { target, .. } => Some(format!(
                "connect one of them to a network of the other: `minirun network connect NETWORK {target}`"
            )),
            RuntimeError::SharesAlready(_) => Some("name that container instead".into()),
            RuntimeError::SharedNotRunning(name) => {
                Some(format!("start it: `minirun start {name}`"))
            }
            RuntimeError::AliasWithoutDns { .. } => Some(
                "use a network of your own (`minirun network create`), or `--link` with an alias"
                    .into(),
            ),
            RuntimeError::NetworkGone { network, container } => Some(format!(
                "create it again, or take the container off it: `minirun network disconnect {network} {container}`"
            )),
            RuntimeError::AmbiguousNetwork(_) => Some("write more of the id".into()),
            RuntimeError::UnknownLink { container, .. } => Some(format!(
                "`minirun inspect {container}` shows its links under `HostConfig.Links`"
            )),
            RuntimeError::IccNeedsRules => Some("leave one of them out".into()),
            RuntimeError::LinkToSelf(_) => Some(
                "name another container: a program reaches its own container at `127.0.0.1`".into(),
            ),
            RuntimeError::NetworkTwice(_) => Some("name each network once".into()),
            RuntimeError::DuplicateAlias { .. } | RuntimeError::SamePrefix { .. } => {
                Some("give each link an alias of its own: `--link TARGET:ALIAS`".into())
            }
            _ => None,
        }
    }
}
