//! How large the program is.

use crate::benchmark::findings::{Findings, Measurement, Outcome, Side, Trouble};
use crate::benchmark::options::Options;
use crate::benchmark::row::{SIZE, Unit};
use crate::binary;

/// Measures the row if it is wanted.
pub fn measure(options: &Options, findings: &mut Findings) {
    if options.want(SIZE) {
        findings.add(SIZE, size());
    }
}

fn size() -> Outcome {
    let missing = || Trouble::Failed(binary::explain_missing());
    let path = binary::find().ok_or_else(missing)?;
    let length = std::fs::metadata(path).map_err(|error| Trouble::Failed(error.to_string()))?;
    let value = length.len() as f64 / 1_048_576.0;
    Ok(Measurement {
        value,
        sides: vec![Side {
            name: "minirun".to_owned(),
            unit: Unit::Mebibytes,
            samples: vec![value],
        }],
        note: None,
    })
}
