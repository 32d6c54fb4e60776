//! Options and commands that a Docker user types by habit and that this version does not have: said so, instead of guessed at.

/// What an option is about, if it is one that Docker has and this version does not.
pub fn hint(option: &str) -> Option<String> {
    let option = option.split(['=', ' ']).next()?;
    let subject = match option {
        "--volume-driver" | "--opt" => "volume drivers and their options are",
        "--gpus" => "devices that need a driver of their own in the container are",
        "--pid" | "--ipc" | "--uts" | "--cgroupns" => {
            "namespaces of the host or of other containers, but for the network's and the users', are"
        }
        "--sysctl" => "kernel settings of a container are",
        "--group-add" => "further groups of the user are",
        "--domainname" => "NIS domain names are",
        // The kernel has dropped the first, and the second needs a part of every group above, which version 2 does not have.
        "--kernel-memory" => {
            "limits of the kernel's own memory, which no kernel of today keeps, are"
        }
        "--cpu-rt-period" | "--cpu-rt-runtime" => {
            "limits of real-time scheduling, which version 2 of control groups does not have, are"
        }
        "--cpu-count" | "--cpu-percent" | "--io-maxbandwidth" | "--io-maxiops" => {
            "limits that only Windows has are"
        }
        "--use-api-socket" => "sockets of a daemon are",
        "--platform" | "--pull" | "--disable-content-trust" => "registries and platforms are",
        "--runtime" | "--isolation" => "other runtimes are",
        "--annotation" | "--label-file" => "notes other than `--label` are",
        "--attachable" | "--ingress" | "--scope" | "--config-from" | "--config-only" => {
            "networks of several hosts are"
        }
        "--ipv4" => "networks without IPv4 are",
        "--ipam-driver" | "--ipam-opt" => "other address drivers are",
        "--link-local-ip" | "--driver-opt" => "other drivers are",
        _ => return None,
    };
    Some(format!(
        "{subject} not part of this version: leave out `{option}`"
    ))
}

/// What to do instead of a command, if it is one that Docker has and this version does not.
pub fn command_hint(command: &str) -> Option<&'static str> {
    match command {
        "pull" | "push" | "login" | "logout" | "search" | "load" | "save" => Some(
            "there are no registries and no archives of images in this version: `minirun import` makes an image of a root file system, `minirun export` an archive of a container's",
        ),
        "build" | "builder" | "buildx" => Some(
            "there are no build files in this version: change a container, then `minirun commit` it",
        ),
        "compose" | "stack" | "service" | "swarm" | "node" => Some(
            "minirun runs single containers: start each with `minirun run`, on a network that they share",
        ),
        "tag" => Some("an image is named when it is made, by `minirun import` or `minirun commit`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_has_and_this_version_lacks_is_named() {
        assert_eq!(
            hint("--uts").as_deref(),
            Some(
                "namespaces of the host or of other containers, but for the network's and the users', are not part of this version: leave out `--uts`"
            )
        );
        assert_eq!(
            hint("--sysctl=net.core.somaxconn=9").as_deref(),
            Some(
                "kernel settings of a container are not part of this version: leave out `--sysctl`"
            )
        );
        assert_eq!(hint("--nonsense"), None);
        assert!(command_hint("pull").is_some_and(|hint| hint.contains("minirun import")));
        assert_eq!(command_hint("nonsense"), None);
    }
}
