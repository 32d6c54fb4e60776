//! Which words of a weaker source give way to one of a stronger source, because both together would contradict each other.

use minirun_runtime::security::capability_word::CapabilityWord;
use std::ffi::OsString;

/// What stands behind one option of the stronger source.
pub struct Stronger<'a> {
    /// The long name of the option.
    pub key: &'a str,
    /// One of its values.
    pub value: &'a str,
}

/// The long names of the options by which others give way.
pub const DECIDING: [&str; 6] = [
    "network",
    "egress",
    "egress-deny",
    "tmpfs",
    "cap-add",
    "cap-drop",
];

/// Takes out of `words`, each of which is `--KEY=VALUE`, what gives way to `stronger`.
pub fn give_way(words: &mut Vec<OsString>, stronger: &Stronger<'_>) {
    words.retain(|word| {
        let word = word.to_str().and_then(|word| word.strip_prefix("--"));
        let pair = word.and_then(|word| word.split_once('='));
        !pair.is_some_and(|(key, value)| gives_way((one_name(key), value), stronger))
    });
}

fn gives_way((key, value): (&str, &str), stronger: &Stronger<'_>) -> bool {
    match (key, one_name(stronger.key)) {
        ("network", "network") | ("egress", "egress") => true,
        ("egress-deny", "egress-deny") => stronger.value == "none" || value == "none",
        ("tmpfs", "tmpfs") => destination(value) == destination(stronger.value),
        ("cap-add", "cap-drop") | ("cap-drop", "cap-add") => covers(stronger.value, value),
        _ => false,
    }
}

/// Of two names of an option, the one that it is known by here.
fn one_name(key: &str) -> &str {
    match key {
        "net" => "network",
        key => key,
    }
}

fn destination(mount: &str) -> &str {
    let path = mount.split_once(':').map_or(mount, |(path, _)| path);
    path.trim_end_matches('/')
}

/// Whether one word about capabilities says something of another's. What is no capability is told by whoever parses it.
fn covers(stronger: &str, weaker: &str) -> bool {
    let [stronger, weaker] = [stronger, weaker].map(|word| word.parse::<CapabilityWord>().ok());
    stronger == Some(CapabilityWord::All) || (stronger.is_some() && stronger == weaker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(weaker: &[&str], (key, value): (&str, &str)) -> Vec<String> {
        let mut words = weaker.iter().map(OsString::from).collect();
        give_way(&mut words, &Stronger { key, value });
        let text = |word: OsString| word.into_string().unwrap();
        words.into_iter().map(text).collect()
    }

    #[test]
    fn what_cannot_be_had_together_gives_way() {
        let weaker = [
            "--network=none",
            "--egress=dns",
            "--egress-deny=private",
            "--tmpfs=/tmp:size=1m",
            "--cap-add=CHOWN",
            "--cap-add=KILL",
        ];
        for (stronger, gone) in [
            (("net", "web"), &weaker[0..1]),
            (("egress", "192.0.2.1"), &weaker[1..2]),
            (("egress-deny", "none"), &weaker[2..3]),
            (("tmpfs", "/tmp/"), &weaker[3..4]),
            (("cap-drop", "cap_chown"), &weaker[4..5]),
            (("cap-drop", "ALL"), &weaker[4..6]),
        ] {
            let left = left(&weaker, stronger);
            let expected: Vec<_> = weaker.iter().filter(|word| !gone.contains(word)).collect();
            assert_eq!(left.iter().collect::<Vec<_>>(), expected, "{stronger:?}");
        }
    }

    #[test]
    fn everything_else_adds_up() {
        for (weaker, stronger) in [
            ("--egress-deny=private", ("egress-deny", "192.0.2.0/24")),
            ("--tmpfs=/tmp", ("tmpfs", "/run")),
            ("--cap-drop=ALL", ("cap-add", "KILL")),
            ("--cap-add=KILL", ("cap-drop", "nonsense")),
            ("--env=A=1", ("env", "A=2")),
            ("--read-only", ("network", "none")),
        ] {
            assert_eq!(left(&[weaker], stronger), [weaker]);
        }
    }
}
