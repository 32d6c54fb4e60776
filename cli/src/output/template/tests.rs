//! Templates that people use, those that are wrong, and any others.

use super::{Template, TemplateError};
use serde_json::{Value, json};

fn container() -> Value {
    json!({
        "Id": "c0ffee",
        "Name": "/web1",
        "Args": ["-p", "80"],
        "RestartCount": 0,
        "State": {"Status": "running", "Pid": 42, "Running": true},
        "Config": {
            "Labels": {"tier": "front", "com.example/x": "y", "bad": "\x1b[2J"},
            "Env": ["A=1", "B=2"],
            "Cmd": null,
        },
        "Mounts": [],
        "NetworkSettings": {
            "Networks": {
                "lan": {"IPAddress": "10.0.0.2"},
                "bridge": {"IPAddress": "172.17.0.2"},
            },
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
        },
    })
}

fn rendered(template: &str) -> Result<String, TemplateError> {
    template.parse::<Template>()?.render(&container())
}

#[track_caller]
fn assert_rendered(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template).as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn fields_stand_between_literal_text() {
    assert_rendered(&[
        ("no field", "no field"),
        ("{{.Id}}", "c0ffee"),
        ("<{{ .State.Pid }}> {{.RestartCount}}!", "<42> 0!"),
        ("{{.ID}} {{$.Id}}", "c0ffee c0ffee"),
        ("{{.Id}}\\t{{.Name}}\\n", "c0ffee\t/web1\n"),
        ("a {{- .Id -}} b", "ac0ffeeb"),
        ("a {{- /* why */ -}} b{{/* x */}}", "ab"),
        ("{{.Args}} {{.Config.Cmd}}", "[-p 80] <no value>"),
        (
            "{{.NetworkSettings.Networks.lan}}",
            "map[IPAddress:10.0.0.2]",
        ),
        (
            "{{.Config.Labels.tier}} {{.Config.Labels.zone}}",
            "front <no value>",
        ),
    ]);
}

#[test]
fn docker_users_find_what_they_know() {
    assert_rendered(&[
        (
            "{{json .State}}",
            r#"{"Status":"running","Pid":42,"Running":true}"#,
        ),
        ("{{json .Config.Cmd}}", "null"),
        (
            "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}} {{end}}",
            "bridge=172.17.0.2 lan=10.0.0.2 ",
        ),
        (
            "{{range .NetworkSettings.Networks}}{{.IPAddress}},{{end}}",
            "172.17.0.2,10.0.0.2,",
        ),
        (
            r#"{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}"#,
            "8080",
        ),
        (r#"{{index .Config.Labels "com.example/x"}}"#, "y"),
        (
            r#"{{index .NetworkSettings.Ports "80/tcp" 0 "HostIp"}}"#,
            "0.0.0.0",
        ),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        (
            "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}",
            "none",
        ),
        (
            "{{if not .Mounts}}no{{else if .Args}}some{{end}} mounts",
            "no mounts",
        ),
        ("{{if .Mounts}}a{{else if .Args}}b{{else}}c{{end}}", "b"),
        (
            "{{with .State}}{{.Status}} {{$.Id}}{{end}}",
            "running c0ffee",
        ),
        ("{{with .Mounts}}{{.}}{{else}}none{{end}}", "none"),
        ("{{range .Mounts}}{{.}}{{else}}none{{end}}", "none"),
        ("{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n"),
        (
            "{{range $i, $e := .Args}}{{if $i}},{{end}}{{$e}}{{end}}",
            "-p,80",
        ),
        ("{{range $e := .Args}}[{{$e}}]{{end}}", "[-p][80]"),
        ("{{$s := .State}}{{$s.Pid}}", "42"),
        ("{{$n := 1}}{{range .Args}}{{$n = 2}}{{end}}{{$n}}", "2"),
        ("{{len .Mounts}} {{len .Args}} {{len .Id}}", "0 2 6"),
        (r#"{{join .Args " "}} {{.Args | len}}"#, "-p 80 2"),
    ]);
}

#[test]
fn functions_do_what_they_do_in_go() {
    assert_rendered(&[
        (
            "{{upper .Id}} {{.Id | upper | lower}} {{title \"a bc\"}}",
            "C0FFEE c0ffee A Bc",
        ),
        (
            "{{eq .State.Status \"dead\" \"running\"}} {{ne .State.Pid 42}}",
            "true false",
        ),
        (
            "{{lt .State.Pid 50}} {{ge .State.Pid 42}} {{gt \"b\" \"a\"}} {{le 2 1}}",
            "true true true false",
        ),
        (
            "{{and .Args .Mounts}} {{or .Mounts .Id}} {{not .Id}}",
            "[] c0ffee false",
        ),
        (
            "{{if and .State.Running (eq .State.Pid 42)}}yes{{end}}",
            "yes",
        ),
        (
            r#"{{printf "%s|%5d|%-5d|%05d|%v|%q|%t|%%" .Id .State.Pid .State.Pid .State.Pid .Args .Name true}}"#,
            r#"c0ffee|   42|42   |00042|[-p 80]|"/web1"|true|%"#,
        ),
        (r#"{{printf "%.3s %.2f %+d" .Id 1.5 3}}"#, "c0f 1.50 +3"),
        (r#"{{.Id | printf "%s-%s" "a"}}"#, "a-c0ffee"),
        ("{{print .Id 1 2 \"x\"}}{{println}}", "c0ffee1 2x\n"),
        (r#"{{index (split .Name "/") 1}}"#, "web1"),
        ("{{truncate .Id 3}} {{pad .Id 1 2}}|", "c0f  c0ffee  |"),
        (
            "{{`raw \\d`}} {{\"a\\tb\"}} {{-3}} {{true}}",
            "raw \\d a\tb -3 true",
        ),
        (
            "{{eq .Config.Cmd nil}} {{eq .State.Health nil}}",
            "true true",
        ),
        (r#"{{index .Config.Labels "absent"}}"#, "<no value>"),
    ]);
}

#[test]
fn a_value_cannot_act_on_the_terminal() {
    assert_rendered(&[
        ("{{.Config.Labels.bad}}", "\\x1b[2J"),
        ("{{upper .Config.Labels.bad}}", "\\x1b[2J"),
        ("{{println .Config.Labels.bad}}", "\\x1b[2J\n"),
        (r#"{{printf "%s" .Config.Labels.bad}}"#, "\\x1b[2J"),
        (r#"{{printf "%q" .Config.Labels.bad}}"#, r#""\u{1b}[2J""#),
        ("{{json .Config.Labels.bad}}", r#""\u001b[2J""#),
        (
            r#"{{join (split .Config.Labels.bad "[") "\n"}}"#,
            "\\x1b\n2J",
        ),
    ]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (template, problem) in [
        (
            "{{.Id",
            "at character 1 of the template: `{{` has no end: close it with `}}`",
        ),
        (
            "a{{}}",
            "at character 4 of the template: a value or a function is missing",
        ),
        (
            "{{if .Id}}",
            "at character 3 of the template: this has no end: close it with `{{end}}`",
        ),
        (
            "{{end}}",
            "at character 3 of the template: this belongs to no `if`, `range` or `with`",
        ),
        (
            "{{if .Id}}{{else}}{{else}}{{end}}",
            "at character 21 of the template: there is an `else` before it",
        ),
        (
            "{{.Id .Id}}",
            "at character 7 of the template: this follows a value that is no function",
        ),
        (
            "{{.Id | .Id}}",
            "at character 9 of the template: only a function takes what is before the `|`",
        ),
        (
            "{{(.Id}}",
            "at character 3 of the template: `(` has no end: close it with `)`",
        ),
        (
            "{{\"a}}",
            "at character 3 of the template: the quote is never closed",
        ),
        (
            "{{ ? }}",
            "at character 4 of the template: `?` means nothing here",
        ),
        (
            "{{.State.Pit}}",
            "at character 3 of the template: there is no field `Pit` here, only `Status`, `Pid`, `Running`",
        ),
        (
            "{{.State.Pid.Nonsense}}",
            "at character 3 of the template: `Nonsense` is asked of a number, which has no fields",
        ),
        (
            "{{$x}}",
            "at character 3 of the template: there is no variable `$x`",
        ),
        (
            "{{index .Args 7}}",
            "at character 3 of the template: the list has 2 elements, and no number 7",
        ),
        (
            "{{index .Args \"a\"}}",
            "at character 3 of the template: a list has no element that a text could name",
        ),
        (
            "{{eq .Id 1}}",
            "at character 3 of the template: a text and a number cannot be compared",
        ),
        (
            "{{lt .Args 1}}",
            "at character 3 of the template: a list and a number have no order",
        ),
        (
            "{{len 1}}",
            "at character 3 of the template: a number has no length",
        ),
        (
            "{{range .Id}}{{end}}",
            "at character 9 of the template: `range` cannot run over a text",
        ),
        (
            "{{not}}",
            "at character 3 of the template: this function takes 1 values and is given 0",
        ),
        (
            "{{printf \"%x\" 1}}",
            "at character 3 of the template: `printf` does not know `%x`: use `%s`, `%d`, `%v`, `%q`, `%t`, `%f` or `%%`",
        ),
        (
            "{{printf \"%d\" .Id}}",
            "at character 3 of the template: `%d` cannot write a text",
        ),
        (
            "{{printf \"%d\"}}",
            "at character 3 of the template: `printf` is given no value for `%d`",
        ),
        (
            "table {{.Id}}",
            "at character 1 of the template: a table has the columns it has: write `table`, or the template alone",
        ),
    ] {
        assert_eq!(
            rendered(template).map_err(|error| error.to_string()),
            Err(problem.into()),
            "{template}"
        );
    }
    let problem = rendered("{{explode .Id}}").unwrap_err().to_string();
    assert!(
        problem.contains("there is no function `explode`") && problem.contains("`println`"),
        "{problem}"
    );
}

#[test]
fn nothing_is_nested_without_end() {
    let deep = "{{if .Id}}".repeat(1000) + &"{{end}}".repeat(1000);
    let problem = rendered(&deep).unwrap_err().to_string();
    assert!(problem.contains("nested too deeply"), "{problem}");
    let deep = format!("{{{{{}.Id{}}}}}", "(".repeat(1000), ")".repeat(1000));
    let problem = rendered(&deep).unwrap_err().to_string();
    assert!(problem.contains("nested too deeply"), "{problem}");
}

#[test]
fn loops_in_loops_come_to_an_end() {
    let many = json!({"X": vec![0; 100]});
    let template =
        "{{range .X}}{{range $.X}}{{range $.X}}{{range $.X}}.{{end}}{{end}}{{end}}{{end}}";
    let problem = template
        .parse::<Template>()
        .unwrap()
        .render(&many)
        .unwrap_err();
    assert!(
        problem.to_string().contains("never comes to an end"),
        "{problem}"
    );
}

#[test]
fn a_field_that_is_unknown_is_refused_with_those_there_are() {
    let check = |text: &str| {
        let template: Template = text.parse().unwrap();
        template
            .check(&["Name", "Size"])
            .map_err(|error| error.to_string())
    };
    let problem = "the listing has no field `Nam`: use `Name`, `Size`";
    for text in [
        "{{.Nam}}",
        "{{json .Nam}}",
        "{{if .Name}}{{$.Nam}}{{end}}",
        "{{upper (lower .Nam)}}",
    ] {
        assert_eq!(check(text), Err(problem.into()), "{text}");
    }
    for text in ["{{.Size}}", "{{json .}}", "{{range .Name}}{{.Nam}}{{end}}"] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_or_the_evaluation_panic(
        text in r#"(\{\{|\}\}|-|[. ()|,"`$=]|json|if|range|with|else|end|len|index|printf|Id|Args|:=|%5|[0-9]|a|\\|t|é|\PC){0,30}"#,
    ) {
        if let Ok(template) = text.parse::<Template>() {
            let _ = template.check(&["Id"]);
            let _ = template.render(&container());
        }
    }

    #[test]
    fn literal_text_stays_as_it_is(text in "[^{\\\\]{0,40}") {
        proptest::prop_assume!(!text.starts_with("table "));
        proptest::prop_assert_eq!(rendered(&text), Ok(text));
    }

    #[test]
    fn any_function_takes_any_values_or_says_why_not(
        function in proptest::sample::select(vec![
            "and", "or", "not", "eq", "ne", "lt", "index", "len", "json", "print", "println", "printf", "join",
            "split", "upper", "title", "truncate", "pad",
        ]),
        operands in proptest::collection::vec(proptest::sample::select(vec![
            ".Id", ".Args", ".State", ".Config.Cmd", ".RestartCount", ".Absent", "1", "-1", "1.5", "\"%s\"", "\"\"", "true", "nil",
        ]), 0..4),
    ) {
        let template = format!("{{{{{function} {}}}}}", operands.join(" "));
        let _ = rendered(&template);
    }
}
