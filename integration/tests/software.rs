//! Real software, as Debian ships it: started, used from the LAN and over a link, stopped cleanly, with its data in a volume.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddrV4, TcpStream};

use minirun_integration::probe::http_get;
use minirun_integration::{HOST_ADDRESS, TestHost};

const FROM_LAN: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// A host with the image `debian`.
fn debian_host() -> TestHost {
    let host = TestHost::create();
    host.imports_debian(env!("CARGO_TARGET_TMPDIR"));
    host
}

/// Stops a container, which must end by itself and with success.
#[track_caller]
fn stops_cleanly(host: &TestHost, name: &str) {
    host.minirun(format!("stop --time 60 {name}")).succeeds();
    assert_eq!(host.container(name).exit_code(), 0, "{name}");
}

/// A container to ask from. It outlives what is asked, because the kernel keeps the network of one that ends while its
/// connection is still closing.
fn is_client(host: &TestHost, link: &str) {
    host.minirun(format!("run -d --name client {link} debian sleep infinity"))
        .succeeds();
}

#[test]
fn nginx_serves_a_volume_and_ends_gracefully() {
    let host = debian_host();
    let begin = || {
        let options = "run -d --name web --stop-signal SIGQUIT --expose 80 -p 8080:80 -v site:/var/www/html debian nginx -g";
        let mut words: Vec<&str> = options.split(' ').collect();
        words.push("daemon off;");
        host.minirun(words.as_slice()).succeeds();
        host.container("web").awaits_tcp(80);
    };
    let from_lan = |path: &str| host.neighbour().inside(|| http_get(FROM_LAN, path));
    begin();
    // What the package has put there came into the volume when that was new.
    let welcome = from_lan("/index.nginx-debian.html").expect("from the LAN");
    assert!(welcome.contains("Welcome to nginx!"), "{welcome}");
    host.minirun(["exec", "web", "sh", "-c", "echo kept >/var/www/html/page"])
        .succeeds();
    let ask =
        "import urllib.request; print(urllib.request.urlopen('http://site/page').read().decode())";
    is_client(&host, "--link web:site");
    host.minirun(["exec", "client", "python3", "-c", ask])
        .succeeds()
        .stdout_contains("kept");
    stops_cleanly(&host, "web");
    host.removes("web");
    begin();
    let page = from_lan("/page").expect("from the LAN");
    assert!(page.ends_with("kept\n"), "{page}");
    stops_cleanly(&host, "web");
    host.removes("web client");
    host.minirun("volume rm site").succeeds();
    host.finish();
}

#[test]
fn redis_keeps_what_it_was_told() {
    let host = debian_host();
    let begin = || {
        host.minirun(
            "run -d --name store --user redis -p 8080:6379 -v data:/var/lib/redis debian \
             redis-server --dir /var/lib/redis --appendonly yes --bind 0.0.0.0 --protected-mode no",
        )
        .succeeds();
        host.container("store").awaits_tcp(6379);
    };
    let over_the_link = |words: &str| {
        host.minirun(format!("exec client redis-cli -h redis {words}"))
            .succeeds()
    };
    begin();
    is_client(&host, "--link store:redis");
    over_the_link("set greeting hello").stdout_is("OK");
    stops_cleanly(&host, "store");
    host.removes("store");
    begin();
    over_the_link("get greeting").stdout_is("hello");
    let answer = host.neighbour().inside(|| {
        let mut connection = TcpStream::connect(FROM_LAN).expect("from the LAN");
        connection.write_all(b"GET greeting\r\n").expect("it reads");
        let mut lines = BufReader::new(connection).lines();
        [(); 2].map(|()| lines.next().expect("two lines").expect("it answers"))
    });
    assert_eq!(answer, ["$5", "hello"]);
    stops_cleanly(&host, "store");
    host.removes("store client");
    host.minirun("volume rm data").succeeds();
    host.finish();
}

#[test]
fn postgresql_keeps_its_tables() {
    let host = debian_host();
    let script = r#"
set -eu
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
export PGDATA=/var/lib/postgresql/data
if [ ! -e $PGDATA/PG_VERSION ]; then
    initdb --auth=trust >/dev/null
    echo 'host all all all trust' >>$PGDATA/pg_hba.conf
fi
exec postgres -c listen_addresses='*' -c jit=off 2>&1
"#;
    let begin = || {
        // A fast shutdown, which it asks for at SIGINT, ends connections and writes everything.
        let options = "run -d --name base --user postgres --stop-signal SIGINT --shm-size 128m --tmpfs /run/postgresql:mode=1777 -p 8080:5432 \
                       -v tables:/var/lib/postgresql debian sh -c";
        let mut words: Vec<&str> = options.split_whitespace().collect();
        words.push(script);
        host.minirun(words.as_slice()).succeeds();
        host.container("base")
            .awaits_log("ready to accept connections");
    };
    let over_the_link = |statement: &str| {
        let client = "exec --user postgres client psql -h sql -tAc";
        let mut words: Vec<&str> = client.split(' ').collect();
        words.push(statement);
        host.minirun(words.as_slice()).succeeds()
    };
    begin();
    is_client(&host, "--link base:sql");
    over_the_link("create table guests as select 'alice' as name");
    over_the_link("insert into guests values ('bob')");
    stops_cleanly(&host, "base");
    host.removes("base");
    begin();
    over_the_link("select name from guests order by name").stdout_is("alice\nbob");
    let client = "run --rm --network host --user postgres debian psql -h 127.0.0.1 -p 8080 -tAc";
    let mut words: Vec<&str> = client.split(' ').collect();
    words.push("select count(*) from guests");
    host.minirun(words.as_slice()).succeeds().stdout_is("2");
    // Killed, it could leave a connection whose other end has gone, and the kernel would keep its network for that.
    stops_cleanly(&host, "base");
    host.removes("base client");
    host.minirun("volume rm tables").succeeds();
    host.finish();
}

#[test]
fn python_and_the_programs_of_debian_find_what_they_expect() {
    let host = debian_host();
    let program = "import os, multiprocessing, socket, tempfile\n\
                   with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))\n\
                   print(os.ttyname is not None, os.cpu_count() > 0, socket.gethostname())\n\
                   tempfile.TemporaryFile().write(b'x')";
    host.minirun([
        "run",
        "--rm",
        "--hostname",
        "box",
        "debian",
        "python3",
        "-c",
        program,
    ])
    .succeeds()
    .stdout_is("[1, 2]\nTrue True box");
    let script = "set -e\n\
                  dpkg --audit\n\
                  apt-get check >/dev/null\n\
                  useradd --create-home guest\n\
                  su guest -c 'id --user --name; cd; touch mine; stat --format=%U mine'\n\
                  echo 'print(6 * 7)' >/opt/program.py; python3 /opt/program.py\n\
                  ls /proc/self/fd | wc -l";
    host.minirun(["run", "--rm", "debian", "bash", "-c", script])
        .succeeds()
        .stdout_is("guest\nguest\n42\n4");
    host.finish();
}
