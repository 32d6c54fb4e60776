//! Callers that do not read, do not listen, or bring odd surroundings along, and containers that try to get out.

use minirun_integration::TestHost;

#[test]
fn a_container_ends_although_nobody_reads_what_its_command_passes_on() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let mut running = host.spawn_minirun("run --name noisy busybox yes");
    running.read_until("y\n");
    host.minirun("stop -t 0 noisy").succeeds();
    host.minirun("rm noisy").succeeds();
    drop(running);
    host.finish();
}

#[test]
fn a_container_ends_although_a_program_executed_in_it_is_not_read() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 busybox sleep 1000")
        .succeeds();
    let mut executed = host.spawn_minirun("exec web1 yes");
    executed.read_until("y\n");
    host.minirun("rm -f web1").succeeds();
    drop(executed);
    host.finish();
}

#[test]
fn a_caller_that_ignores_the_end_of_its_children_gets_the_exit_code() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "trap '' CHLD; exec minirun run --rm busybox sh -c 'exit 3'";
    host.command("sh", ["-c", script]).fails_with(3);
    host.finish();
}

#[test]
fn a_caller_whose_error_output_is_full_gets_the_exit_code() {
    let host = TestHost::create();
    host.command("sh", ["-c", "minirun run --rm demo nope 2>/dev/full"])
        .fails_with(127);
    host.finish();
}

#[test]
fn a_strict_umask_does_not_reach_into_the_container() {
    let host = TestHost::create();
    host.command(
        "sh",
        ["-c", "umask 077; minirun run --rm -u 1000 demo true"],
    )
    .succeeds();
    host.finish();
}

#[test]
fn words_from_outside_cannot_act_on_the_terminal() {
    let host = TestHost::create();
    let failed = host.minirun(["run", "--rm", "demo", "\u{1b}[31mred"]);
    assert!(!failed.stderr().contains('\u{1b}'), "{}", failed.stderr());
    failed.fails_with(127).stderr_contains("[31mred");
    host.finish();
}

#[test]
fn what_a_container_does_to_its_devices_does_not_reach_the_hosts() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let mode = || {
        host.command("stat", "-c %a /dev/null")
            .succeeds()
            .line()
            .to_owned()
    };
    let before = mode();
    host.in_busybox("", "chmod 600 /dev/null && echo gone > /dev/null")
        .succeeds();
    assert_eq!(mode(), before);
    host.finish();
}

#[test]
fn a_working_directory_that_is_none_is_named() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 busybox sleep 1000")
        .succeeds();
    host.minirun("exec -w /missing web1 true")
        .fails_with(127)
        .stderr_contains("`/missing`");
    host.minirun("run --rm -w /bin/busybox busybox true")
        .fails()
        .stderr_contains("/bin/busybox");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_configuration_file_that_is_named_must_be_there() {
    let host = TestHost::create();
    host.minirun("--config /etc/minirun/misspelt.toml run --rm demo true")
        .fails_with(125)
        .stderr_is("error: there is no configuration file `/etc/minirun/misspelt.toml`");
    host.finish();
}

#[test]
fn options_of_docker_that_are_not_there_yet_are_told_so() {
    let host = TestHost::create();
    host.minirun("run --rm --pid host demo true")
        .fails_with(125)
        .stderr_is(
            "error: there is no option `--pid`\n\
             hint: namespaces of the host or of other containers, but for the network's and the users', are not part of this \
             version: leave out `--pid`",
        );
    host.minirun("pull nginx")
        .fails_with(125)
        .stderr_contains("error: there is no command `pull`\nhint: ");
    host.finish();
}

#[test]
fn a_container_that_removes_itself_is_left_alone_by_restart() {
    let host = TestHost::create();
    host.minirun("run -d --rm --name web1 demo sleep infinity")
        .succeeds();
    host.minirun("restart web1").fails_with(1).stderr_contains(
        "error: container `web1` removes itself when it stops (`--rm`), so it cannot be restarted",
    );
    host.minirun("exec web1 true").succeeds();
    host.removes("web1");
    host.finish();
}

#[test]
fn input_that_nobody_gives_yet_is_waited_for() {
    let host = TestHost::create();
    host.minirun("run -d -i --name web1 demo cat")
        .succeeds()
        .stderr_is("");
    host.container("web1").awaits_process("cat");
    host.removes("web1");
    host.finish();
}

/// Who reaches a monitor's socket has its container, and what is recorded root acts on.
#[test]
fn a_loose_umask_opens_neither_records_nor_sockets_to_others() {
    let host = TestHost::create();
    let script = "umask 0; minirun run -d --name web1 -v db:/data demo sleep 1000";
    host.command("sh", ["-c", script]).succeeds();
    let open = "find /run/minirun /var/lib/minirun -not -type l -perm /022 -not -path '*/layers/*'; \
         find /run/minirun/containers -perm /077 -name control; \
         find /run/minirun/containers -mindepth 1 -maxdepth 1 -perm /077";
    host.command("sh", ["-c", open]).succeeds().stdout_is("");
    host.removes("web1");
    host.minirun("volume rm db").succeeds();
    host.finish();
}
