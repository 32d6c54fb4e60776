//! What a benchmark says about its measurements.

/// The least, the middle and the ninetieth of a hundred, in whatever unit the measurements are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The least.
    pub minimum: f64,
    /// As many were less as were more.
    pub median: f64,
    /// Nine of ten were no more than this.
    pub ninetieth_percentile: f64,
}

impl Summary {
    /// Of one or more measurements, in any order. `None` of none.
    pub fn of(measurements: &[f64]) -> Option<Self> {
        let sorted = sorted(measurements);
        let last = sorted.len().checked_sub(1)?;
        Some(Self {
            minimum: sorted[0],
            median: f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)]),
            ninetieth_percentile: sorted[(last * 9).div_ceil(10)],
        })
    }
}

/// The median alone; 0 of nothing.
pub fn median(measurements: &[f64]) -> f64 {
    Summary::of(measurements).map_or(0.0, |summary| summary.median)
}

/// In ascending order.
pub fn sorted(measurements: &[f64]) -> Vec<f64> {
    let mut sorted = measurements.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_does_not_depend_on_the_order() {
        let summary = Summary::of(&[5.0, 1.0, 4.0, 2.0, 3.0]).expect("there are measurements");
        assert_eq!(
            summary,
            Summary {
                minimum: 1.0,
                median: 3.0,
                ninetieth_percentile: 5.0
            }
        );
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(median(&[2.0, 4.0]), 3.0);
    }

    #[test]
    fn nothing_measured_has_no_summary() {
        assert_eq!(Summary::of(&[]), None);
    }
}
