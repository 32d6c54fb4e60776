//! Everything that was found, as JSON: for later, and for other programs.

use serde_json::{Value, json};

use crate::benchmark::findings::{Curve, Findings, Outcome, Side, Trouble};
use crate::benchmark::machine::Machine;
use crate::benchmark::profile::Step;
use crate::benchmark::report::verdict;
use crate::benchmark::row::Row;
use crate::statistics::Summary;

/// The machine, every row with every sample, and the curves of the plots; one line each, so that two records can be compared.
pub fn text(machine: &Machine, findings: &Findings) -> String {
    let rows: Vec<Value> = findings
        .rows()
        .map(|(row, outcome)| of_row(row, outcome))
        .collect();
    format!(
        "{{\n\"machine\": {},\n\"rows\": {},\n\"starts_among_many\": {},\n\"requests_among_many\": {},\n\"profile\": {}\n}}\n",
        machine.json(),
        lines(&rows),
        lines(&curves(&findings.starts_among_many)),
        lines(&curves(&findings.requests_among_many)),
        lines(&profile(&findings.profile)),
    )
}

fn lines(values: &[Value]) -> String {
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    format!("[\n{}\n]", lines.join(",\n"))
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
            value["value"] = json!(rounded(measurement.value));
            value["note"] = json!(measurement.note);
            value["sides"] = measurement.sides.iter().map(of_side).collect();
        }
        Err(Trouble::NotHere(reason) | Trouble::Failed(reason)) => value["reason"] = json!(reason),
    }
    value
}

fn of_side(side: &Side) -> Value {
    let summary = Summary::of(&side.samples);
    let samples: Vec<f64> = side.samples.iter().copied().map(rounded).collect();
    json!({
        "name": side.name,
        "unit": side.unit.symbol(),
        "minimum": summary.map(|summary| rounded(summary.minimum)),
        "median": summary.map(|summary| rounded(summary.median)),
        "ninetieth_percentile": summary.map(|summary| rounded(summary.ninetieth_percentile)),
        "samples": samples,
    })
}

/// To thousandths: microseconds, where the unit is a millisecond.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn curves(curves: &[Curve]) -> Vec<Value> {
    let point = |(count, value): &(f64, f64)| (*count, rounded(*value));
    let value = |curve: &Curve| {
        let points: Vec<_> = curve.points.iter().map(point).collect();
        json!({"name": curve.name, "points": points})
    };
    curves.iter().map(value).collect()
}

fn profile(steps: &[Step]) -> Vec<Value> {
    let value = |step: &Step| {
        json!({
            "step": step.sentence,
            "by": step.lane.name(),
            "done": rounded(step.done),
            "took": rounded(step.took),
        })
    };
    steps.iter().map(value).collect()
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
            sides: vec![Side::times("ours", vec![3.0004, 1.0, 2.0])],
            note: None,
        };
        findings.add(RUN, Ok(measurement));
        findings.add(DOCKER, Err(Trouble::NotHere("not installed".to_owned())));
        let machine = Machine {
            processors: String::new(),
            memory: 1,
            load: String::new(),
            kernel: String::new(),
            programs: Vec::new(),
        };
        let text = text(&machine, &findings);
        let mut read: Value = serde_json::from_str(&text).expect("it is JSON");
        let rows = read["rows"].take();
        assert_eq!(rows[0]["value"], 1.5);
        assert_eq!(rows[0]["verdict"], "met");
        assert_eq!(rows[0]["sides"][0]["median"], 2.0);
        assert_eq!(rows[0]["sides"][0]["samples"], json!([3.0, 1.0, 2.0]));
        assert_eq!(rows[1]["reason"], "not installed");
    }
}
