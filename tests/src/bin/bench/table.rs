//! The table: what was measured, as ratios, with the aims beside them.

use std::fmt::Write;

/// One line.
pub(crate) struct Row {
    what: String,
    wire: String,
    in_flight: Option<usize>,
    bare: Option<f64>,
    coinop: Option<f64>,
    ratio: Option<f64>,
    aim: Option<Aim>,
}

#[derive(Clone, Copy)]
enum Aim {
    AtMost(f64),
    AtLeast(f64),
    /// Of what coinop reached, not of the ratio.
    Within(f64),
}

impl Row {
    /// A line about a load.
    pub(crate) fn new(what: &str, wire: &str, in_flight: usize) -> Self {
        Self {
            in_flight: Some(in_flight),
            ..Self::about(what, wire)
        }
    }

    /// A line about anything else.
    pub(crate) fn about(what: &str, wire: &str) -> Self {
        Self {
            what: what.to_owned(),
            wire: wire.to_owned(),
            in_flight: None,
            bare: None,
            coinop: None,
            ratio: None,
            aim: None,
        }
    }

    /// What the floor and coinop reached.
    pub(crate) fn values(mut self, bare: f64, coinop: f64) -> Self {
        (self.bare, self.coinop) = (Some(bare), Some(coinop));
        self
    }

    /// What coinop reached, where the floor has no counterpart.
    pub(crate) fn only(mut self, coinop: f64) -> Self {
        self.coinop = Some(coinop);
        self
    }

    /// What the floor or the machine reached, where coinop has no counterpart.
    pub(crate) fn floor(mut self, bare: f64) -> Self {
        self.bare = Some(bare);
        self
    }

    /// coinop to bare.
    pub(crate) fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// A ratio that is to be small.
    pub(crate) fn at_most(mut self, ratio: f64, aim: f64) -> Self {
        self.aim = Some(Aim::AtMost(aim));
        self.ratio(ratio)
    }

    /// A ratio that is to be large.
    pub(crate) fn at_least(mut self, ratio: f64, aim: f64) -> Self {
        self.aim = Some(Aim::AtLeast(aim));
        self.ratio(ratio)
    }

    /// What coinop reached, which is to be small.
    pub(crate) fn within(mut self, coinop: f64, aim: f64) -> Self {
        self.aim = Some(Aim::Within(aim));
        self.only(coinop)
    }

    fn cells(&self) -> [String; 7] {
        let number = |value: Option<f64>| value.map(number).unwrap_or_default();
        [
            self.what.clone(),
            self.wire.clone(),
            self.in_flight.map(|n| n.to_string()).unwrap_or_default(),
            number(self.bare),
            number(self.coinop),
            self.ratio
                .map(|ratio| format!("{ratio:.2}"))
                .unwrap_or_default(),
            self.verdict(),
        ]
    }

    fn verdict(&self) -> String {
        let verdict = |sign, bound: String, met| {
            let met = if met { "met" } else { "missed" };
            format!("{sign} {bound} {met}")
        };
        match (self.aim, self.ratio, self.coinop) {
            (Some(Aim::AtMost(bound)), Some(ratio), _) => {
                verdict('≤', format!("{bound:.2}"), ratio <= bound)
            }
            (Some(Aim::AtLeast(bound)), Some(ratio), _) => {
                verdict('≥', format!("{bound:.2}"), ratio >= bound)
            }
            (Some(Aim::Within(bound)), _, Some(coinop)) => {
                verdict('≤', format!("{bound}"), coinop <= bound)
            }
            _ => String::new(),
        }
    }
}

/// Three digits that matter.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// All lines, and what is missing among them.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    missing: Vec<String>,
}

impl Table {
    /// Adds a line.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Says what was not measured, and why.
    pub(crate) fn miss(&mut self, what: impl Into<String>) {
        self.missing.push(what.into());
    }

    /// As Markdown, aligned.
    pub(crate) fn text(&self) -> String {
        let head = [
            "what",
            "transport",
            "in flight",
            "floor",
            "coinop",
            "ratio",
            "aim",
        ]
        .map(str::to_owned);
        let rows: Vec<[String; 7]> = std::iter::once(head)
            .chain(self.rows.iter().map(Row::cells))
            .collect();
        let widths: Vec<usize> = (0..7)
            .map(|n| {
                rows.iter()
                    .map(|row| row[n].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for (line, row) in rows.iter().enumerate() {
            for (n, (cell, width)) in row.iter().zip(&widths).enumerate() {
                // Numbers to the right, words to the left.
                let _ = if (2..6).contains(&n) {
                    write!(text, "| {cell:>width$} ")
                } else {
                    write!(text, "| {cell:<width$} ")
                };
            }
            text.push_str("|\n");
            if line == 0 {
                for width in &widths {
                    let _ = write!(text, "|{:-<1$}", "", width + 2);
                }
                text.push_str("|\n");
            }
        }
        for missing in &self.missing {
            let _ = write!(text, "\nNot measured: {missing}\n");
        }
        text
    }
}
