//! The one table.

use std::time::Duration;

/// What stands above the table in the document.
pub(crate) const HEAD: &str = "# Performance\n\nWritten by `cargo xtask bench`; don't edit. Only ratios within one run \
    count: the machine is shared and noisy. CPU is user and system time of the server's process for each request, \
    measured in rounds that alternate between the two sides; of each side the median is compared.\n\n";

/// A row: what was measured, both sides, and what the ratio should be.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) baseline: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: f64,
    pub(crate) exact: bool,
}

/// The rows.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

/// How the time of a work grows with its size.
pub(crate) struct Curve {
    name: &'static str,
    points: Vec<(usize, Duration)>,
}

impl Curve {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, points: Vec::new() }
    }

    /// Adds a size, greater than those before.
    pub(crate) fn add(&mut self, size: usize, took: Duration) {
        self.points.push((size, took));
    }
}

impl Table {
    /// Adds the ratio of two samples' medians.
    pub(crate) fn ratio(&mut self, name: &str, unit: &str, ours: &[f64], baseline: &[f64], target: f64) {
        let value = median(ours) / median(baseline);
        let show = |sample: &[f64]| {
            let (min, max) = range(sample);
            format!("{:.2} {unit} ({min:.2}–{max:.2})", median(sample))
        };
        let row = Row {
            name: name.to_owned(),
            ours: show(ours),
            baseline: show(baseline),
            value,
            unit: "×",
            target,
            exact: false,
        };
        self.add(row);
    }

    /// Adds a sample that stands for itself, or what is left of it without another's median.
    pub(crate) fn sample(&mut self, name: &str, ours: &[f64], less: Option<&[f64]>, unit: &'static str, target: f64) {
        let show = |sample: &[f64]| {
            let (min, max) = range(sample);
            format!("{:.1} {unit} ({min:.1}–{max:.1})", median(sample))
        };
        self.add(Row {
            name: name.to_owned(),
            ours: show(ours),
            baseline: less.map_or_else(|| "–".to_owned(), show),
            value: median(ours) - less.map_or(0.0, median),
            unit,
            target,
            exact: false,
        });
    }

    /// Adds a figure that stands for itself.
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &'static str, target: f64) {
        let shown = format!("{value:.1} {unit}");
        self.add(Row {
            name: name.to_owned(),
            ours: shown,
            baseline: "–".to_owned(),
            value,
            unit,
            target,
            exact: false,
        });
    }

    /// Adds a figure that must be exactly so.
    pub(crate) fn exactly(&mut self, name: &str, value: f64, unit: &'static str, target: f64) {
        let shown = format!("{value} {unit}");
        self.add(Row {
            name: name.to_owned(),
            ours: shown,
            baseline: "–".to_owned(),
            value,
            unit,
            target,
            exact: true,
        });
    }

    /// Adds a curve: what one takes among the most against what one takes among the fewest. Where the work is linear
    /// that is 1.
    pub(crate) fn curve(&mut self, curve: &Curve, target: f64) {
        let each = |(size, took): &(usize, Duration)| took.as_secs_f64() * 1e6 / *size as f64;
        let shown: Vec<String> =
            curve.points.iter().map(|point| format!("{}: {:.0} µs each", point.0, each(point))).collect();
        self.add(Row {
            name: curve.name.to_owned(),
            ours: shown.join(", "),
            baseline: "the fewest".to_owned(),
            value: curve.points.last().map_or(f64::NAN, each) / curve.points.first().map_or(f64::NAN, each),
            unit: "×",
            target,
            exact: false,
        });
    }

    fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The table as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "| what | symbolon: median (min–max) | baseline | result | target | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.0 {
            let met = if row.exact { (row.value - row.target).abs() < 0.5 } else { row.value <= row.target };
            let sign = if row.exact { "=" } else { "≤" };
            text.push_str(&format!(
                "| {} | {} | {} | {:.2} {} | {sign} {} {} | {} |\n",
                row.name,
                row.ours,
                row.baseline,
                row.value,
                row.unit,
                row.target,
                row.unit,
                if met { "met" } else { "**missed**" }
            ));
        }
        text
    }
}

/// The middle of a sample.
pub(crate) fn median(sample: &[f64]) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn range(sample: &[f64]) -> (f64, f64) {
    (sample.iter().copied().fold(f64::INFINITY, f64::min), sample.iter().copied().fold(0.0, f64::max))
}
