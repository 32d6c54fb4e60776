//! Line charts as SVG, written as text: the same data gives the same bytes.
//!
//! Colours follow the reader's light or dark page, every line has a dash pattern of its own beside its colour, and the picture says in
//! words what it shows (`title` and `desc`).

use std::fmt::Write;

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From 0, by steps of 1, 2 or 5 times a power of ten.
    Linear,
    /// By powers of ten; for values above 0.
    Logarithmic,
}

/// One direction of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// What is counted, with its unit.
    pub label: String,
    /// How it lies.
    pub scale: Scale,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What the legend says.
    pub name: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// A picture of some lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Stands above.
    pub title: String,
    /// What somebody who does not see the picture is told.
    pub description: String,
    /// From left to right.
    pub horizontal: Axis,
    /// From bottom to top.
    pub vertical: Axis,
    /// At most as many as there are colours; more repeat them.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 350.0;
/// Where the legend begins, and how far its lines are apart.
const LEGEND: f64 = 415.0;
const LEGEND_STEP: f64 = 20.0;
/// Colours and dashes, each with its number as its class.
const KINDS: usize = 8;

/// Okabe and Ito's palette, which people see apart whatever colours they see; the darker ones are lighter on a dark page.
const STYLE: &str = "\
text{font:13px sans-serif;fill:#222}.title{font-size:16px}.grid{stroke:#ddd}.axis{stroke:#222}
polyline{fill:none;stroke-width:2}.l0{stroke:#0072b2}.l1{stroke:#d55e00;stroke-dasharray:8 3}.l2{stroke:#009e73;stroke-dasharray:2 2}
.l3{stroke:#cc79a7;stroke-dasharray:10 3 2 3}.l4{stroke:#b58900}.l5{stroke:#56b4e9;stroke-dasharray:5 5}
.l6{stroke:#777;stroke-dasharray:12 4}.l7{stroke:#000;stroke-dasharray:1 3}
@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.axis{stroke:#ddd}.l0{stroke:#4aa8e0}.l7{stroke:#fff}}";

impl Chart {
    /// The picture.
    pub fn svg(&self) -> String {
        let horizontal = Range::of(self.horizontal.scale, self.values(|point| point.0));
        let vertical = Range::of(self.vertical.scale, self.values(|point| point.1));
        let height = LEGEND + LEGEND_STEP * self.lines.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"25\">{}</text>\n",
            escaped(&self.title),
            escaped(&self.description),
            escaped(&self.title)
        );
        svg += &self.horizontal_axis(&horizontal);
        svg += &self.vertical_axis(&vertical);
        for (index, line) in self.lines.iter().enumerate() {
            svg += &drawn(line, index % KINDS, &horizontal, &vertical);
            svg += &legend(line, index);
        }
        svg + "</svg>\n"
    }

    fn values(&self, part: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
        self.lines
            .iter()
            .flat_map(|line| line.points.iter().map(&part))
            .collect()
    }

    fn horizontal_axis(&self, range: &Range) -> String {
        let mut svg = String::new();
        for tick in &range.ticks {
            let x = place(range.share(*tick), LEFT, RIGHT);
            svg += &grid_line((x, TOP), (x, BOTTOM));
            svg += &label("middle", (x, BOTTOM + 18.0), &number(*tick));
        }
        svg += &axis_line((LEFT, BOTTOM), (RIGHT, BOTTOM));
        svg + &label(
            "middle",
            (f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0),
            &self.horizontal.label,
        )
    }

    fn vertical_axis(&self, range: &Range) -> String {
        let mut svg = String::new();
        for tick in &range.ticks {
            let y = place(range.share(*tick), BOTTOM, TOP);
            svg += &grid_line((LEFT, y), (RIGHT, y));
            svg += &label("end", (LEFT - 8.0, y + 4.0), &number(*tick));
        }
        svg += &axis_line((LEFT, TOP), (LEFT, BOTTOM));
        svg + &label("start", (10.0, TOP - 8.0), &self.vertical.label)
    }
}

/// What an axis covers.
#[derive(Debug, Clone, PartialEq)]
struct Range {
    scale: Scale,
    first: f64,
    last: f64,
    ticks: Vec<f64>,
}

impl Range {
    /// Wide enough for all values, and never empty.
    fn of(scale: Scale, values: Vec<f64>) -> Self {
        let largest = values.iter().copied().fold(0.0, f64::max);
        match scale {
            Scale::Linear => {
                let largest = if largest > 0.0 { largest } else { 1.0 };
                let step = step_for(largest);
                let count = (largest / step).ceil();
                let ticks: Vec<f64> = (0..=count as usize)
                    .map(|index| index as f64 * step)
                    .collect();
                Self {
                    scale,
                    first: 0.0,
                    last: count * step,
                    ticks,
                }
            }
            Scale::Logarithmic => {
                let least = values
                    .into_iter()
                    .filter(|value| *value > 0.0)
                    .fold(f64::MAX, f64::min);
                let least = if least == f64::MAX { 1.0 } else { least };
                let lowest = least.log10().floor() as i32;
                let highest = (largest.max(least).log10().ceil() as i32).max(lowest + 1);
                Self {
                    scale,
                    first: 10f64.powi(lowest),
                    last: 10f64.powi(highest),
                    ticks: (lowest..=highest).map(|power| 10f64.powi(power)).collect(),
                }
            }
        }
    }

    /// Where a value lies: 0 at the beginning, 1 at the end.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.first) / (self.last - self.first),
            Scale::Logarithmic => {
                (value.max(self.first) / self.first).log10() / (self.last / self.first).log10()
            }
        };
        share.clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten, of which no more than this many reach as far as `largest`.
fn step_for(largest: f64) -> f64 {
    const STEPS: f64 = 6.0;
    let power = 10f64.powf((largest / STEPS).log10().ceil());
    [0.2, 0.5]
        .map(|part| part * power)
        .into_iter()
        .find(|step| largest / step <= STEPS)
        .unwrap_or(power)
}

fn place(share: f64, from: f64, to: f64) -> f64 {
    from + share * (to - from)
}

/// Without needless zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn drawn(line: &Line, kind: usize, horizontal: &Range, vertical: &Range) -> String {
    let mut points = String::new();
    for (x, y) in &line.points {
        let x = place(horizontal.share(*x), LEFT, RIGHT);
        let y = place(vertical.share(*y), BOTTOM, TOP);
        // Writing to a string cannot fail.
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    format!(
        "<polyline class=\"l{kind}\" points=\"{}\"/>\n",
        points.trim_end()
    )
}

fn legend(line: &Line, index: usize) -> String {
    let y = LEGEND + LEGEND_STEP * index as f64;
    let kind = index % KINDS;
    format!(
        "<polyline class=\"l{kind}\" points=\"{LEFT},{y} {},{y}\"/>\n{}",
        LEFT + 40.0,
        label("start", (LEFT + 50.0, y + 4.0), &line.name)
    )
}

fn grid_line(from: (f64, f64), to: (f64, f64)) -> String {
    stroke("grid", from, to)
}

fn axis_line(from: (f64, f64), to: (f64, f64)) -> String {
    stroke("axis", from, to)
}

fn stroke(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn label(anchor: &str, at: (f64, f64), text: &str) -> String {
    format!(
        "<text text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
        at.0,
        at.1,
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(label: &str, scale: Scale) -> Axis {
        Axis {
            label: label.to_owned(),
            scale,
        }
    }

    #[test]
    fn a_line_of_two_points_is_this_picture() {
        let chart = Chart {
            title: "Starts & ends".to_owned(),
            description: "It rises.".to_owned(),
            horizontal: axis("containers", Scale::Linear),
            vertical: axis("ms", Scale::Logarithmic),
            lines: vec![Line {
                name: "a <line>".to_owned(),
                points: vec![(0.0, 1.0), (2.0, 100.0)],
            }],
        };
        let expected = format!(
            "\
<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 435\" role=\"img\" aria-labelledby=\"title desc\">
<title id=\"title\">Starts &amp; ends</title>
<desc id=\"desc\">It rises.</desc>
<style>{STYLE}</style>
<text class=\"title\" x=\"70\" y=\"25\">Starts &amp; ends</text>
<line class=\"grid\" x1=\"70.0\" y1=\"50.0\" x2=\"70.0\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"70.0\" y=\"368.0\">0</text>
<line class=\"grid\" x1=\"237.5\" y1=\"50.0\" x2=\"237.5\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"237.5\" y=\"368.0\">0.5</text>
<line class=\"grid\" x1=\"405.0\" y1=\"50.0\" x2=\"405.0\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"405.0\" y=\"368.0\">1</text>
<line class=\"grid\" x1=\"572.5\" y1=\"50.0\" x2=\"572.5\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"572.5\" y=\"368.0\">1.5</text>
<line class=\"grid\" x1=\"740.0\" y1=\"50.0\" x2=\"740.0\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"740.0\" y=\"368.0\">2</text>
<line class=\"axis\" x1=\"70.0\" y1=\"350.0\" x2=\"740.0\" y2=\"350.0\"/>
<text text-anchor=\"middle\" x=\"405.0\" y=\"392.0\">containers</text>
<line class=\"grid\" x1=\"70.0\" y1=\"350.0\" x2=\"740.0\" y2=\"350.0\"/>
<text text-anchor=\"end\" x=\"62.0\" y=\"354.0\">1</text>
<line class=\"grid\" x1=\"70.0\" y1=\"200.0\" x2=\"740.0\" y2=\"200.0\"/>
<text text-anchor=\"end\" x=\"62.0\" y=\"204.0\">10</text>
<line class=\"grid\" x1=\"70.0\" y1=\"50.0\" x2=\"740.0\" y2=\"50.0\"/>
<text text-anchor=\"end\" x=\"62.0\" y=\"54.0\">100</text>
<line class=\"axis\" x1=\"70.0\" y1=\"50.0\" x2=\"70.0\" y2=\"350.0\"/>
<text text-anchor=\"start\" x=\"10.0\" y=\"42.0\">ms</text>
<polyline class=\"l0\" points=\"70.0,350.0 740.0,50.0\"/>
<polyline class=\"l0\" points=\"70,415 110,415\"/>
<text text-anchor=\"start\" x=\"120.0\" y=\"419.0\">a &lt;line&gt;</text>
</svg>
"
        );
        assert_eq!(chart.svg(), expected);
    }

    #[test]
    fn ticks_are_round_and_reach_beyond_the_largest_value() {
        let ticks = |largest| {
            let ticks = Range::of(Scale::Linear, vec![largest]).ticks;
            ticks.into_iter().map(number).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ticks(9.0), "0 2 4 6 8 10");
        assert_eq!(ticks(999.0), "0 200 400 600 800 1000");
        assert_eq!(ticks(1.04), "0 0.2 0.4 0.6 0.8 1 1.2");
        assert_eq!(ticks(0.0), "0 0.2 0.4 0.6 0.8 1");
    }

    #[test]
    fn powers_of_ten_surround_the_values() {
        let range = Range::of(Scale::Logarithmic, vec![3.0, 420.0]);
        assert_eq!(range.ticks, [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(Range::of(Scale::Logarithmic, Vec::new()).ticks, [1.0, 10.0]);
    }

    #[test]
    fn more_lines_than_colours_begin_anew() {
        let line = Line {
            name: String::new(),
            points: vec![(1.0, 1.0)],
        };
        let chart = Chart {
            title: String::new(),
            description: String::new(),
            horizontal: axis("", Scale::Linear),
            vertical: axis("", Scale::Linear),
            lines: vec![line; KINDS + 1],
        };
        assert_eq!(chart.svg().matches("class=\"l0\"").count(), 4);
    }
}
