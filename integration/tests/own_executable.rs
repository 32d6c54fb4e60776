//! The executable of minirun on the host, which no program in a container can change, whichever way it came to run there
//! (the idea of CVE-2019-5736).
//!
//! An image says that a program is `/proc/self/exe`. When that is executed, it is what executes it: minirun's own file on the host.
//! It lies on a mount that cannot be written to, so neither its content nor its permissions can be changed.

use minirun_integration::TestHost;
use minirun_integration::health::ONCE;
use minirun_integration::runs::kill;

/// The built-in programs are minirun under other names, so a link of such a name goes on running.
const MAKE_LINK: &str = r#"
set -eu
rm "$1/root/bin/sleep"
ln -s /proc/self/exe "$1/root/bin/sleep"
printf '#!/proc/self/exe\n' >"$1/root/bin/script"
chmod 755 "$1/root/bin/script"
tar -C "$1/root" -cf "$1/evil.tar" .
"#;

/// Runs until it is killed.
const BUSY: &str = "tail -f /dev/null";

/// Tries to change the file that each process runs which runs not the image's own; says how each try ended.
const ATTACK: &str = r#"
for process in /proc/[0-9]*; do
    program=$(readlink $process/exe) || continue
    case $program in */busybox) continue;; esac
    echo found
    chmod 755 $process/exe && echo CHANGED
    chown 0:0 $process/exe && echo CHANGED
    touch -c $process/exe && echo CHANGED
    (: >>$process/exe) && echo CHANGED
    (: >|$process/exe) && echo CHANGED
done 2>&1; true"#;

/// A host with the image `evil`, whose `sleep` and `script` are what executes them.
fn host(changes: &[&str]) -> TestHost {
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    host.command("sh", ["-c", MAKE_LINK, "make", &directory])
        .succeeds();
    let archive = format!("{directory}/evil.tar");
    let words: Vec<&str> = [&["import"][..], changes, &[&archive, "evil"][..]].concat();
    host.minirun(words.as_slice()).succeeds();
    host
}

/// Expects that there is something to attack in `web1`, and that nothing comes of it.
#[track_caller]
fn withstands(host: &TestHost, options: &str) {
    let mut words = vec!["exec"];
    words.extend(options.split_whitespace());
    words.extend(["web1", "sh", "-c", ATTACK]);
    host.minirun(words.as_slice())
        .succeeds()
        .stdout_contains("found")
        .stdout_contains("Read-only file system")
        .stdout_lacks("CHANGED");
}

#[test]
fn the_first_program_of_a_container_cannot_change_it() {
    let host = host(&[]);
    for options in ["", "--cap-add ALL", "--privileged"] {
        host.minirun(format!("run -d --name web1 {options} evil sleep infinity"))
            .succeeds();
        withstands(
            &host,
            options.strip_prefix("--cap-add ALL").unwrap_or(options),
        );
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_container_that_is_started_again_cannot_change_it() {
    let host = host(&[]);
    host.minirun("create --name web1 --restart always evil sleep infinity")
        .succeeds();
    host.minirun("start web1").succeeds();
    withstands(&host, "");
    host.minirun("restart -t 0 web1").succeeds();
    withstands(&host, "");
    host.removes("web1");
    host.finish();
}

/// A command that only asks begins unsealed, and starts again what was killed.
#[test]
fn a_container_that_a_question_starts_again_cannot_change_it() {
    let host = host(&[]);
    for question in ["ps", "inspect web1"] {
        host.minirun("run -d --name web1 --restart always evil sleep infinity")
            .succeeds();
        let monitor = host.container("web1").process().parent();
        kill(&monitor.parent());
        kill(&monitor);
        host.minirun(question).succeeds();
        host.awaits_status("web1", "running");
        // It is on record a moment before its program is executed.
        host.container("web1").awaits_process("sleep");
        withstands(&host, "");
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_program_that_is_executed_later_cannot_change_it() {
    let host = host(&[]);
    host.minirun(["run", "-d", "--name", "web1", "evil", "sh", "-c", BUSY])
        .succeeds();
    host.minirun("exec -d web1 sleep infinity").succeeds();
    host.container("web1").awaits_process("sleep");
    withstands(&host, "");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_health_check_cannot_change_it() {
    let host = host(&["-c", "HEALTHCHECK CMD [\"sleep\", \"infinity\"]"]);
    let run = format!("run -d --name web1 {ONCE} evil sh -c");
    let mut words: Vec<&str> = run.split_whitespace().collect();
    words.push(BUSY);
    host.minirun(words.as_slice()).succeeds();
    host.container("web1").awaits_process("sleep");
    withstands(&host, "");
    host.removes("web1");
    host.finish();
}

/// Who may look into any process sees the one that stands before the program.
#[test]
fn the_process_before_the_program_cannot_be_changed_through_it() {
    let host = host(&[]);
    host.minirun([
        "run",
        "-d",
        "--name",
        "web1",
        "--init",
        "--cap-add",
        "SYS_PTRACE",
        "evil",
        "sh",
        "-c",
        BUSY,
    ])
    .succeeds();
    withstands(&host, "");
    host.removes("web1");
    host.finish();
}

/// A script names its interpreter, which the kernel looks for itself.
#[test]
fn a_script_that_is_run_by_what_runs_it_cannot_change_it() {
    let host = host(&[]);
    host.minirun("run --rm evil script")
        .fails_with(125)
        .stderr_contains("unrecognized subcommand '/bin/script'");
    host.finish();
}
