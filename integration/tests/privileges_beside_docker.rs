//! The power of a container beside that of one of a real Docker engine that was started with the same words, on the same kernel.

use minirun_integration::{DockerEngine, TestHost};
use serde_json::Value;

/// What the process may do.
const SETS: &str = "grep -h -e ^Cap -e NoNewPrivs /proc/self/status";

/// What of /proc and /sys is covered, and whether it can be written to. The engine at hand may be older than the list, to which
/// `/proc/interrupts` came last.
const COVERED: &str = "awk '$5 ~ \"^/(proc|sys)\" { split($6, words, \",\"); print $5, words[1] }' \
                       /proc/self/mountinfo | grep -v ^/proc/interrupts | sort -u";

const OPTIONS: [&str; 12] = [
    "",
    "--cap-drop ALL",
    "--cap-drop ALL --cap-add chown --cap-add CAP_NET_RAW",
    "--cap-add ALL",
    "--cap-add ALL --cap-drop mknod",
    "--cap-add sys_admin --cap-drop SYS_ADMIN",
    "--cap-add NET_ADMIN -u 1000",
    "-u 1000:1000",
    "--privileged",
    "--privileged -u 1000",
    "--security-opt no-new-privileges",
    "--security-opt systempaths=unconfined",
];

/// Those of them that give all there is.
const EVERYTHING: [&str; 4] = [
    "--cap-add ALL",
    "--cap-add ALL --cap-drop mknod",
    "--privileged",
    "--privileged -u 1000",
];

fn words<'a>(options: &'a str, script: &'a str) -> Vec<&'a str> {
    let mut words = vec!["run", "--rm", "--network", "none"];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", script]);
    words
}

#[test]
fn the_same_words_give_the_same_power() {
    let host = TestHost::with_busybox();
    let engine = DockerEngine::start(&host);
    for options in OPTIONS {
        for script in [SETS, COVERED] {
            let words = words(options, script);
            let ours = host.minirun(words.as_slice()).succeeds();
            let theirs = engine.docker(words.as_slice());
            // How many there are, the engine's own tables say, which may be older than the kernel; and on a machine that was itself
            // started without one it cannot give them all.
            let is_refused = theirs.stderr().contains("operation not permitted");
            if EVERYTHING.contains(&options) && (script == SETS || is_refused) {
                continue;
            }
            let theirs = theirs.succeeds();
            assert_eq!(ours.stdout(), theirs.stdout(), "{options}: {script}");
        }
    }
    engine.stop();
    host.finish();
}

#[test]
fn the_same_words_are_shown_by_inspect() {
    let host = TestHost::with_busybox();
    let engine = DockerEngine::start(&host);
    for options in OPTIONS {
        let create = format!("create --name web1 --network none {options} busybox true");
        engine.docker(create.as_str()).succeeds();
        host.minirun(create.as_str()).succeeds();
        let theirs = engine.docker("inspect web1").succeeds().json();
        let ours = host.minirun("inspect web1").succeeds().json();
        for key in ["Privileged", "CapAdd", "CapDrop"] {
            let of = |document: &Value| document[0]["HostConfig"][key].clone();
            assert_eq!(of(&ours), of(&theirs), "{options}: {key}");
        }
        engine.docker("rm web1").succeeds();
        host.minirun("rm web1").succeeds();
    }
    engine.stop();
    host.finish();
}
