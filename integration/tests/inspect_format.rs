//! Templates, kinds and sizes in `inspect`.

use minirun_integration::TestHost;

#[test]
fn templates_show_what_scripts_ask_for() {
    let host = TestHost::create();
    let web = host.idles(
        "web",
        "--label tier=front --label com.example/x=y -p 8080:80 -e A=b",
    );
    let shown = |template: &str| {
        let shown = host.minirun(["inspect", "--format", template, "web"]);
        shown.succeeds().line().to_owned()
    };
    assert_eq!(shown("{{.State.Pid}}"), web.pid().to_string());
    let id = web.inspect()["Id"].as_str().expect("an id").to_owned();
    for (template, expected) in [
        ("{{.Id}} {{.ID}}", format!("{id} {id}")),
        ("{{.State.Running}} {{.Name}}", "true /web".into()),
        ("{{json .State.Status}}", "\"running\"".into()),
        // What only some containers have is there all the same, so that one template fits all.
        (
            "{{json .State.Usage}} {{json .HostConfig.IDMappings}}",
            "null null".into(),
        ),
        (
            "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}",
            format!("bridge={}", web.address()),
        ),
        (
            "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            web.address().to_string(),
        ),
        ("{{.NetworkSettings.IPAddress}}", web.address().to_string()),
        (r#"{{index .Config.Labels "com.example/x"}}"#, "y".into()),
        ("{{.Config.Labels.tier}}", "front".into()),
        (
            r#"{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}"#,
            "8080".into(),
        ),
        (
            r#"{{range $p, $conf := .NetworkSettings.Ports}} {{$p}} -> {{(index $conf 0).HostPort}} {{end}}"#,
            " 80/tcp -> 8080 ".into(),
        ),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up".into()),
        (r#"{{join .Args " "}} {{len .Mounts}}"#, "infinity 0".into()),
        (r#"{{.Path | upper | printf "%s!"}}"#, "SLEEP!".into()),
        (
            "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}",
            "none".into(),
        ),
        (
            r#"{{range .Config.Env}}{{if eq . "A=b"}}{{.}}{{end}}{{end}}"#,
            "A=b".into(),
        ),
    ] {
        assert_eq!(shown(template), expected, "{template}");
    }
    host.removes("web");
    host.finish();
}

#[test]
fn each_object_has_a_line_and_what_is_missing_is_said() {
    let host = TestHost::create();
    host.minirun("create --name one demo").succeeds();
    host.minirun("create --name two demo").succeeds();
    host.minirun(["inspect", "-f", "{{.Name}}", "one", "absent", "two"])
        .fails_with(1)
        .stdout_is("/one\n/two")
        .stderr_is("error: no container, image, network or volume is called `absent`");
    host.minirun(["inspect", "-f", "{{.State.Nonsense}}", "one"])
        .fails_with(1)
        .stdout_is("")
        .stderr_contains("error: at character 3 of the template: there is no field `Nonsense` here, only `Status`");
    host.minirun(["inspect", "-f", "{{.State", "one"])
        .fails_with(125)
        .stderr_contains("at character 1 of the template: `{{` has no end");
    host.minirun(["inspect", "-f", "Pid", "one"])
        .fails_with(125)
        .stderr_contains("unknown format `Pid`");
    let json = host.minirun("inspect -f json one two").succeeds();
    assert_eq!(json.stdout().lines().count(), 1);
    assert_eq!(json.json()[1]["Name"], "/two");
    host.removes("one two");
    host.finish();
}

#[test]
fn a_name_stands_for_what_is_asked_for() {
    let host = TestHost::create();
    host.network("same", "");
    host.minirun("create --name same demo").succeeds();
    let shown = |options: &[&str]| {
        let words = [&["inspect"], options].concat();
        host.minirun(words.as_slice())
    };
    shown(&["-f", "{{.Name}}", "same"])
        .succeeds()
        .stdout_is("/same");
    shown(&["--type", "network", "-f", "{{.Name}} {{.Driver}}", "same"])
        .succeeds()
        .stdout_is("same bridge");
    shown(&["--type", "container", "-f", "{{.Name}}", "same"])
        .succeeds()
        .stdout_is("/same");
    shown(&["--type", "image", "-f", "{{index .RepoTags 0}}", "demo"])
        .succeeds()
        .stdout_is("demo:latest");
    shown(&["-f", "{{.Name}}", "bridge"])
        .succeeds()
        .stdout_is("bridge");
    shown(&["--type", "image", "same"])
        .fails_with(1)
        .stderr_is("error: no image is called `same`");
    shown(&["--type", "volume", "same"])
        .fails_with(1)
        .stderr_is("error: no volume is called `same`");
    shown(&["--type", "ship", "same"]).fails_with(125);
    host.minirun([
        "network",
        "inspect",
        "-f",
        "{{range .IPAM.Config}}{{.Subnet}}{{end}}",
        "bridge",
    ])
    .succeeds()
    .stdout_is("172.17.0.0/16");
    host.removes("same");
    host.removes_networks("same");
    host.finish();
}

#[test]
fn sizes_are_measured_only_if_they_are_asked_for() {
    let host = TestHost::create();
    host.minirun("create --name one demo").succeeds();
    let plain = host.minirun("inspect one").succeeds().json();
    assert!(plain[0].get("SizeRw").is_none());
    let sized = host.minirun("inspect -s one").succeeds().json();
    assert_eq!(sized[0]["SizeRw"], 0);
    let image = host.minirun("inspect --type image demo").succeeds().json();
    assert_eq!(sized[0]["SizeRootFs"], image[0]["Size"]);
    host.removes("one");
    host.finish();
}

#[test]
fn listings_take_whole_templates() {
    let host = TestHost::create();
    host.minirun("create --name one --label a=b demo")
        .succeeds();
    host.minirun([
        "ps",
        "-a",
        "--format",
        "{{upper .Names}}{{if .Labels}} ({{.Labels}}){{end}}",
    ])
    .succeeds()
    .stdout_is("ONE (a=b)");
    host.minirun(["ps", "-a", "--format", "{{if .Nonsense}}x{{end}}"])
        .fails_with(1)
        .stderr_contains("the listing has no field `Nonsense`");
    host.removes("one");
    host.finish();
}
