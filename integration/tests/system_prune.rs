//! Removing what nobody uses, and nothing else.

use minirun_integration::{Running, TestHost};

/// The names of all containers, in the order of the alphabet.
fn containers(host: &TestHost) -> Vec<String> {
    let listed = host.minirun("ps -a --format {{.Names}}").succeeds();
    let mut names: Vec<String> = listed.stdout().lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// The names of all images; `<none>` for those without.
fn images(host: &TestHost) -> Vec<String> {
    // Asking for images by `images` would make the built-in one.
    let listed = host
        .minirun("system df -v --format {{range.Images}}{{println.Repository}}{{end}}")
        .succeeds();
    let mut names: Vec<String> = listed.line().lines().map(str::to_owned).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names
}

/// Imports busybox twice, so that the first import has no name any more.
fn imports_twice(host: &TestHost) {
    let archive = format!("{}/rootfs.tar", host.makes_busybox_root());
    host.minirun(["import", "-c", "LABEL old=yes", &archive, "busybox"])
        .succeeds();
    host.minirun(["import", &archive, "busybox"]).succeeds();
}

#[test]
fn what_is_not_used_goes_and_what_is_used_stays() {
    let host = TestHost::create();
    imports_twice(&host);
    host.network("used", "");
    host.network("unused", "");
    host.idles("web", "--network used");
    host.minirun("create --name fresh demo").succeeds();
    host.minirun([
        "run",
        "--name",
        "job",
        "busybox",
        "sh",
        "-c",
        "head -c 5000 /dev/zero > /x",
    ])
    .succeeds();
    let id = |name: &str| {
        let shown = host.minirun(["inspect", "-f", "{{.Id}}", name]).succeeds();
        shown.line().to_owned()
    };
    let (fresh, job) = (id("fresh"), id("job"));
    let pruned = host.minirun("system prune --force").succeeds();
    let text = pruned.stdout();
    assert!(
        text.starts_with(&format!(
            "Deleted Containers:\n{fresh}\n{job}\n\nDeleted Networks:\nunused\n\nDeleted Images:\ndeleted: sha256:"
        )),
        "{text}"
    );
    assert!(
        text.ends_with("\n\nTotal reclaimed space: 5kB\n"),
        "the layer is another image's, too: {text}"
    );
    assert_eq!(containers(&host), ["web"]);
    assert_eq!(images(&host), ["busybox", "demo"]);
    host.minirun("network inspect used").succeeds();
    host.minirun("network inspect unused").fails_with(1);
    host.minirun("system prune -f")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    host.removes("web");
    host.removes_networks("used");
    host.finish();
}

#[test]
fn all_images_without_containers_go_if_that_is_wanted() {
    let host = TestHost::create();
    imports_twice(&host);
    host.minirun("run --name job demo true").succeeds();
    host.minirun("image prune -f")
        .succeeds()
        .stdout_contains("Deleted Images:\ndeleted: sha256:");
    assert_eq!(images(&host), ["busybox", "demo"]);
    let pruned = host.minirun("image prune --all -f").succeeds();
    let mut lines = pruned.stdout().lines();
    assert_eq!(lines.next(), Some("Deleted Images:"));
    assert_eq!(lines.next(), Some("untagged: busybox:latest"));
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("deleted: sha256:"))
    );
    assert_eq!(images(&host), ["demo"], "a container was made of it");
    host.minirun("system prune -af").succeeds();
    assert_eq!(images(&host), [""; 0]);
    let layers = host.command("ls", ["/var/lib/minirun/images/layers"]);
    layers.succeeds().stdout_is("");
    host.minirun("run --rm demo echo again")
        .succeeds()
        .stdout_is("again");
    host.finish();
}

#[test]
fn only_what_fits_goes() {
    let host = TestHost::create();
    imports_twice(&host);
    host.minirun("create --name old --label old=yes demo")
        .succeeds();
    host.minirun("create --name keep demo").succeeds();
    host.network("lan", "--label keep=yes");
    host.minirun("system prune -f --filter until=1h")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    host.minirun("system prune -f --filter label=old")
        .succeeds();
    assert_eq!(containers(&host), ["keep"]);
    assert_eq!(images(&host), ["busybox", "demo"]);
    host.minirun("system prune -f --filter label!=keep")
        .succeeds();
    assert_eq!(containers(&host), [""; 0]);
    host.minirun("network inspect lan").succeeds();
    host.minirun("system prune -f --volumes --filter until=1h")
        .fails_with(1)
        .stderr_contains("`--volumes` cannot be filtered by `until`");
    host.minirun("image prune -f --filter colour=red")
        .fails_with(125);
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn nobody_is_surprised() {
    let host = TestHost::create();
    host.minirun("create --name box demo").succeeds();
    for command in ["system prune", "image prune", "image prune -a"] {
        host.minirun(command)
            .fails_with(1)
            .stderr_contains("use `--force`");
    }
    // The answer is typed when the question is there, else its echo could come into the middle of the text.
    let mut asked = host.minirun_at_terminal("system prune -a --volumes");
    asked.shows(
        &"WARNING! This will remove:
  - all stopped containers
  - all networks not used by at least one container
  - all anonymous volumes not used by at least one container
  - all images without at least one container associated to them

Are you sure you want to continue? [y/N] "
            .replace('\n', "\r\n"),
    );
    asked.types("n\r");
    asked.finish().succeeds();
    assert_eq!(containers(&host), ["box"]);
    let mut asked = host.minirun_at_terminal("system prune");
    asked.shows("[y/N] ");
    asked.types("y\r");
    asked
        .finish()
        .succeeds()
        .stdout_contains("Total reclaimed space: 0B");
    assert_eq!(containers(&host), [""; 0]);
    host.finish();
}

#[test]
fn nothing_goes_that_is_just_being_run() {
    let host = TestHost::create();
    host.minirun("run --rm demo true").succeeds();
    let runs: Vec<Running> = (0..20)
        .map(|number| host.spawn_minirun(format!("run -d --name box{number} demo sleep infinity")))
        .collect();
    for _ in 0..10 {
        host.minirun("system prune -a -f").succeeds();
    }
    for run in runs {
        run.finish().succeeds();
    }
    host.minirun("system prune -a -f").succeeds();
    assert_eq!(containers(&host).len(), 20);
    assert_eq!(images(&host), ["demo"]);
    let names: Vec<String> = (0..20).map(|number| format!("box{number}")).collect();
    host.removes(&names.join(" "));
    host.finish();
}

#[test]
fn what_was_removed_is_told_of() {
    let host = TestHost::create();
    host.minirun("create --name box demo").succeeds();
    host.network("lan", "");
    host.minirun("system prune -af").succeeds();
    host.minirun([
        "events",
        "--since",
        "0",
        "--until",
        "0s",
        "--format",
        "{{.Type}} {{.Action}} {{.Actor.Attributes.reclaimed}}",
        "--filter",
        "event=destroy",
        "--filter",
        "event=delete",
        "--filter",
        "event=untag",
        "--filter",
        "event=prune",
    ])
    .succeeds()
    .stdout_contains(
        "\
container destroy <no value>
container prune 0
network destroy <no value>
network prune 0
image untag <no value>
image delete <no value>
image prune ",
    );
    host.finish();
}

#[test]
fn commands_for_images_have_a_name_of_their_own() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("image ls --format {{.Repository}}")
        .succeeds()
        .stdout_has_line("busybox");
    host.minirun("image rm busybox")
        .succeeds()
        .stdout_contains("Untagged: busybox:latest");
    host.minirun("system info")
        .succeeds()
        .stdout_contains("Kernel: ");
    host.finish();
}
