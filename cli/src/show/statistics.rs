//! What containers use, `stats`.

use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_runtime::statistics::{Statistics, Transfer};
use serde_json::{Value, json};

use super::list::{ListFormat, Row, Truncation, render};
use crate::output::size::{binary_size, human_size};
use crate::output::template::TemplateError;

/// A container, and what it was seen to use at two moments.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The container.
    pub id: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// As the user called it.
    pub called: String,
    /// What it used a moment ago; none if it did not run.
    pub before: Option<Statistics>,
    /// What it uses now; none if it does not run.
    pub now: Option<Statistics>,
}

/// Lists what containers use.
///
/// # Errors
/// When a template names a field that rows do not have.
pub fn list(
    observations: &[Observation],
    format: &ListFormat,
    truncation: Truncation,
) -> Result<String, TemplateError> {
    let rows: Vec<StatisticsRow> = observations
        .iter()
        .map(|observation| StatisticsRow::new(observation, truncation))
        .collect();
    render(&rows, format)
}

struct StatisticsRow {
    id: String,
    name: String,
    called: String,
    cpu: String,
    memory: String,
    memory_part: String,
    network: String,
    block: String,
    tasks: String,
}

impl StatisticsRow {
    /// What does not run uses nothing.
    fn new(observation: &Observation, truncation: Truncation) -> Self {
        let now = observation.now.as_ref();
        let cpu = match (now, &observation.before) {
            (Some(now), Some(before)) => now.cpu_since(before),
            _ => 0.0,
        };
        let sizes = now.map_or((0, 0), |now| (now.memory, now.memory_limit));
        Self {
            id: match truncation {
                Truncation::Short => observation.id.short(),
                Truncation::Full => observation.id.to_string(),
            },
            name: observation.name.to_string(),
            called: observation.called.clone(),
            cpu: percent(cpu),
            memory: format!("{} / {}", binary_size(sizes.0), binary_size(sizes.1)),
            memory_part: percent(now.map_or(0.0, Statistics::memory_part)),
            network: transfer(now.map(|now| now.network)),
            block: transfer(now.map(|now| now.block)),
            tasks: now.map_or(0, |now| now.tasks).to_string(),
        }
    }
}

impl Row for StatisticsRow {
    const HEADINGS: &'static [&'static str] = &[
        "CONTAINER ID",
        "NAME",
        "CPU %",
        "MEM USAGE / LIMIT",
        "MEM %",
        "NET I/O",
        "BLOCK I/O",
        "PIDS",
    ];

    const FIELDS: &'static [&'static str] = &[
        "BlockIO",
        "CPUPerc",
        "Container",
        "ID",
        "MemPerc",
        "MemUsage",
        "Name",
        "NetIO",
        "PIDs",
    ];

    fn cells(&self) -> Vec<String> {
        let cells = [
            &self.id,
            &self.name,
            &self.cpu,
            &self.memory,
            &self.memory_part,
            &self.network,
            &self.block,
            &self.tasks,
        ];
        cells.into_iter().cloned().collect()
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        json!({
            "BlockIO": self.block,
            "CPUPerc": self.cpu,
            "Container": self.called,
            "ID": self.id,
            "MemPerc": self.memory_part,
            "MemUsage": self.memory,
            "Name": self.name,
            "NetIO": self.network,
            "PIDs": self.tasks,
        })
    }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

fn transfer(transfer: Option<Transfer>) -> String {
    let transfer = transfer.unwrap_or_default();
    format!(
        "{} / {}",
        human_size(transfer.inward),
        human_size(transfer.outward)
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn observations() -> [Observation; 2] {
        let taken = Instant::now();
        let before = Statistics {
            taken,
            cpu: Duration::from_secs(1),
            memory: 5_505_024,
            memory_limit: 64 << 20,
            network: Transfer {
                inward: 1_234,
                outward: 0,
            },
            block: Transfer::default(),
            tasks: 3,
        };
        let now = Statistics {
            taken: taken + Duration::from_secs(1),
            cpu: Duration::from_millis(1_250),
            ..before
        };
        let runs = Observation {
            id: "2".repeat(64).parse().unwrap(),
            name: "web2".parse().unwrap(),
            called: "222".into(),
            before: Some(before),
            now: Some(now),
        };
        let ended = Observation {
            id: "1".repeat(64).parse().unwrap(),
            name: "web1".parse().unwrap(),
            called: "web1".into(),
            before: None,
            now: None,
        };
        [runs, ended]
    }

    #[test]
    fn a_container_is_listed_as_docker_lists_it() {
        assert_eq!(
            list(&observations(), &ListFormat::Table, Truncation::Short).unwrap(),
            "\
CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O       BLOCK I/O   PIDS
222222222222   web2      25.00%    5.25MiB / 64MiB     8.20%     1.23kB / 0B   0B / 0B     3
111111111111   web1      0.00%     0B / 0B             0.00%     0B / 0B       0B / 0B     0
"
        );
    }

    #[test]
    fn json_rows_have_dockers_keys() {
        let text = list(&observations()[..1], &ListFormat::Json, Truncation::Short).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"BlockIO":"0B / 0B","CPUPerc":"25.00%","Container":"222","ID":"222222222222","MemPerc":"8.20%","#,
                r#""MemUsage":"5.25MiB / 64MiB","Name":"web2","NetIO":"1.23kB / 0B","PIDs":"3"}"#,
                "\n"
            )
        );
        let row = StatisticsRow::new(&observations()[0], Truncation::Full);
        let keys: Vec<String> = row.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, StatisticsRow::FIELDS);
    }
}
