//! Everything that was found, as JSON: for later, and for other programs.

use serde_json::{Value, json};

use crate::benchmark::findings::{Curve, Findings, Outcome, Side, Trouble};
use crate::benchmark::machine::Machine;
use crate::benchmark::report::verdict;
use crate::benchmark::row::Row;
use crate::statistics::Summary;

/// The machine, every row with every sample, and the curves of the plots.
pub fn json(machine: &Machine, findings: &Findings) -> Value {
    let rows: Vec<Value> = findings
        .rows()
        .map(|(row, outcome)| of_row(row, outcome))
        .collect();
    json!({
        "machine": machine.json(),
        "rows": rows,
        "starts_among_many": curves(&findings.starts_among_many),
        "requests_among_many": curves(&findings.requests_among_many),
    })
}

fn of_row(row: &Row, outcome: &Outcome) -> Value {
    let mut value = json!({
        "name": row.name,
        "what": row.what,
        "unit": row.unit.symbol(),
        "target": row.target.map(|target| target.format(row.unit)),
        "verdict": verdict(row, outcome),
    });
    match outcome {
        Ok(measurement) => {
            value["value"] = json!(measurement.value);
            value["note"] = json!(measurement.note);
            value["sides"] = measurement.sides.iter().map(of_side).collect();
        }
        Err(Trouble::NotHere(reason) | Trouble::Failed(reason)) => value["reason"] = json!(reason),
    }
    value
}

fn of_side(side: &Side) -> Value {
    let summary = Summary::of(&side.samples);
    json!({
        "name": side.name,
        "unit": side.unit.symbol(),
        "minimum": summary.map(|summary| summary.minimum),
        "median": summary.map(|summary| summary.median),
        "ninetieth_percentile": summary.map(|summary| summary.ninetieth_percentile),
        "samples": side.samples,
    })
}

fn curves(curves: &[Curve]) -> Value {
    curves
        .iter()
        .map(|curve| json!({"name": curve.name, "points": curve.points}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::findings::Measurement;
    use crate::benchmark::row::{DOCKER, RUN};

    #[test]
    fn every_row_is_there_with_every_sample_or_with_a_reason() {
        let mut findings = Findings::default();
        let measurement = Measurement {
            value: 1.5,
            sides: vec![Side::times("ours", vec![3.0, 1.0, 2.0])],
            note: None,
        };
        findings.add(RUN, Ok(measurement));
        findings.add(DOCKER, Err(Trouble::NotHere("not installed".to_owned())));
        let machine = Machine {
            processors: String::new(),
            memory: 1,
            kernel: String::new(),
            programs: Vec::new(),
        };
        let rows = json(&machine, &findings)["rows"].take();
        assert_eq!(rows[0]["value"], 1.5);
        assert_eq!(rows[0]["verdict"], "met");
        assert_eq!(rows[0]["sides"][0]["median"], 2.0);
        assert_eq!(rows[0]["sides"][0]["samples"], json!([3.0, 1.0, 2.0]));
        assert_eq!(rows[1]["reason"], "not installed");
    }
}
