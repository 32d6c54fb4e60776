//! Requests through a published port and through a link, on a host with many other links and published ports and on one with none.

use std::net::SocketAddrV4;

use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::crowd::{checkpoints, curve, fill, said_of};
use crate::benchmark::findings::{Curve, Findings, Measurement, Outcome, Side, Trouble};
use crate::benchmark::load;
use crate::benchmark::options::Options;
use crate::benchmark::row::{
    REQUESTS_LINK, REQUESTS_LINK_IPTABLES, REQUESTS_PUBLISHED, REQUESTS_PUBLISHED_IPTABLES, Row,
    Unit,
};
use crate::place::Place;
use crate::statistics::median;
use crate::uplink::HOST_ADDRESS;

/// In one sample; a few tenths of a second.
const REQUESTS: usize = 4000;

/// Host ports of the crowd begin here, below those that the kernel gives to clients.
const FIRST_PORT: usize = 20000;

/// Measures the rows of requests that are wanted, the drivers one after the other.
pub fn measure(options: &Options, findings: &mut Findings) {
    for (driver, published, link) in [
        (Driver::Nftables, REQUESTS_PUBLISHED, REQUESTS_LINK),
        (
            Driver::Iptables,
            REQUESTS_PUBLISHED_IPTABLES,
            REQUESTS_LINK_IPTABLES,
        ),
    ] {
        if !options.want_any(&[published, link]) {
            continue;
        }
        if let Err(trouble) = among_rules(options, driver, [published, link], findings) {
            for row in [published, link] {
                findings.add(row, Err(trouble.clone()));
            }
        }
    }
}

/// A closed network with a server that is published, and somebody who is linked to it.
struct Served {
    bench: Bench,
    server: SocketAddrV4,
    client: Place,
}

impl Served {
    fn create(driver: Driver) -> Result<Self, Trouble> {
        let bench = Bench::create(driver)?;
        bench.minirun("network update bridge --icc=false")?;
        bench.minirun("run -d --name web -p 8080:80 demo sleep infinity")?;
        bench.minirun("run -d --name client --link web:web demo sleep infinity")?;
        // What the crowd is linked to.
        bench.minirun("run -d --name hub --expose 80 demo sleep infinity")?;
        bench.begin();
        // Else entries of many thousand connections that are over would fill the table.
        let setting = "net/netfilter/nf_conntrack_tcp_timeout_close";
        bench.host.set_sysctl(setting, "1");
        let web = bench.host.container("web");
        load::serve(&web.place(), 80).map_err(broken)?;
        let server = SocketAddrV4::new(web.address(), 80);
        let client = bench.host.container("client").place();
        Ok(Self {
            bench,
            server,
            client,
        })
    }

    fn through_port(&self) -> Result<f64, Trouble> {
        let target = SocketAddrV4::new(HOST_ADDRESS, 8080);
        self.bench.settle()?;
        load::requests_per_second(self.bench.host.neighbour(), target, REQUESTS).map_err(broken)
    }

    fn through_link(&self) -> Result<f64, Trouble> {
        self.bench.settle()?;
        load::requests_per_second(&self.client, self.server, REQUESTS).map_err(broken)
    }
}

fn broken(error: std::io::Error) -> Trouble {
    Trouble::Failed(format!("a request was not answered: {error}"))
}

/// At one number of links and ports: the number, and for each way the samples of the crowded host and of the empty one.
type Checkpoint = (f64, [[Vec<f64>; 2]; 2]);

fn among_rules(
    options: &Options,
    driver: Driver,
    rows: [Row; 2],
    findings: &mut Findings,
) -> Result<(), Trouble> {
    let empty = Served::create(driver)?;
    let crowded = Served::create(driver)?;
    let mut there = 0;
    let mut series: Vec<Checkpoint> = Vec::new();
    for stop in checkpoints(options.crowd) {
        fill(&crowded.bench, there..stop, |number| {
            format!("--link hub:hub -p {}:80", FIRST_PORT + number)
        })?;
        there = stop;
        // What is on the way is only drawn.
        let runs = match stop == options.crowd {
            true => options.runs,
            false => options.runs.div_ceil(3),
        };
        series.push((stop as f64, both_ways(runs, &crowded, &empty)?));
    }
    for (way, (row, name)) in rows
        .into_iter()
        .zip(["a published port", "a link"])
        .enumerate()
    {
        if options.want(row) {
            findings.add(row, outcome(options.crowd, &series, way));
            let name = format!("through {name}, {}", driver.word());
            findings
                .requests_among_many
                .push(relative(&name, &series, way));
        }
    }
    Ok(())
}

fn both_ways(runs: usize, crowded: &Served, empty: &Served) -> Result<[[Vec<f64>; 2]; 2], Trouble> {
    let contenders = vec![
        Contender::new(|| crowded.through_port()),
        Contender::new(|| empty.through_port()),
        Contender::new(|| crowded.through_link()),
        Contender::new(|| empty.through_link()),
    ];
    let four = <[Vec<f64>; 4]>::try_from(hold(runs, contenders)?);
    let [port, empty_port, link, empty_link] =
        four.map_err(|_| Trouble::Failed("a contest of four has four results".to_owned()))?;
    Ok([[port, empty_port], [link, empty_link]])
}

fn outcome(crowd: usize, series: &[Checkpoint], way: usize) -> Outcome {
    let last = series.last().map(|(_, ways)| ways[way].clone());
    let [crowded, empty] =
        last.ok_or_else(|| Trouble::Failed("nothing was measured".to_owned()))?;
    let side = |name: &str, samples: &[f64]| Side {
        name: name.to_owned(),
        unit: Unit::RequestsPerSecond,
        samples: samples.to_vec(),
    };
    Ok(Measurement {
        value: median(&crowded) / median(&empty),
        sides: vec![
            side("with other links and ports", &crowded),
            side("with none", &empty),
        ],
        note: said_of(crowd, 1000, "other links and ports"),
    })
}

/// What the crowded host manages for each request of the empty one, at each number.
fn relative(name: &str, series: &[Checkpoint], way: usize) -> Curve {
    let ratios: Vec<(f64, Vec<f64>)> = series
        .iter()
        .map(|(count, ways)| {
            let [crowded, empty] = &ways[way];
            (*count, vec![median(crowded) / median(empty)])
        })
        .collect();
    curve(name, &ratios)
}
