//! Options that a Docker user types by habit and that this version does not have: said so, instead of guessed at.

/// What an option is about, if it is one that Docker has and this version does not.
pub fn hint(option: &str) -> Option<String> {
    let option = option.split(['=', ' ']).next()?;
    let subject = match option {
        "--volume-driver" => "volume drivers are",
        "--ulimit" => "resource limits are",
        "--privileged" | "--cap-add" | "--cap-drop" | "--device" => {
            "other capabilities and devices are"
        }
        "--attachable" | "--ingress" | "--scope" | "--config-from" | "--config-only" => {
            "networks of several hosts are"
        }
        "--ipv4" => "networks without IPv4 are",
        "--ipam-driver" | "--ipam-opt" => "other address drivers are",
        "--link-local-ip" | "--driver-opt" => "other drivers are",
        "--userns" => "that is",
        _ => return None,
    };
    Some(format!(
        "{subject} not part of this version: leave out `{option}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_has_and_this_version_lacks_is_named() {
        assert_eq!(
            hint("--userns").as_deref(),
            Some("that is not part of this version: leave out `--userns`")
        );
        assert_eq!(
            hint("--cpus=2").as_deref(),
            Some("resource limits are not part of this version: leave out `--cpus`")
        );
        assert_eq!(hint("--nonsense"), None);
    }
}
