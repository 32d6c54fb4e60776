//! The floor of the benchmark does what it is compared for.

use minirun_integration::TestHost;

#[test]
fn the_floor_runs_a_program_in_its_own_network_and_leaves_nothing() {
    let host = TestHost::create();
    let layer = "mkdir -p /var/lib/floor/bin; cp /bin/busybox /var/lib/floor/bin/sh";
    host.command("sh", ["-c", layer]).succeeds();
    host.command("ip", "link add floor0 type bridge").succeeds();
    host.command("ip", "address add 198.18.0.1/24 dev floor0")
        .succeeds();
    host.command("ip", "link set floor0 up").succeeds();
    let script = "test \"$$\" = 1 && read -r _ </proc/uptime && exit 7";
    let benchmark = env!("CARGO_BIN_EXE_benchmark");
    host.command(benchmark, ["floor", "/bin/sh", "-c", script])
        .fails_with(7);
    host.command("ls", "/run").succeeds().stdout_is("test-host");
    host.command("ip", "link delete floor0").succeeds();
    host.finish();
}
