//! The list as an aligned table.

use super::view::CallView;

const COLUMNS: [&str; 7] = [
    "CREATED", "STATE", "PRICE", "TOOL", "CALLER", "PAYMENT", "CALL",
];
/// The column whose values line up on the right.
const PRICE: usize = 2;

/// One line a call under a heading, or a word that there are none.
pub(super) fn table(views: &[CallView]) -> String {
    if views.is_empty() {
        return "No such calls are on record.\n".to_owned();
    }
    let rows: Vec<[String; COLUMNS.len()]> = std::iter::once(COLUMNS.map(str::to_owned))
        .chain(views.iter().map(row))
        .collect();
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    });
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn row(view: &CallView) -> [String; COLUMNS.len()] {
    [
        view.created_at.clone(),
        view.state.to_owned(),
        view.price.to_string(),
        view.tool.clone(),
        view.caller.clone(),
        format!("{}…", view.payment.id_prefix),
        view.call.clone(),
    ]
}

fn line(row: &[String; COLUMNS.len()], widths: &[usize; COLUMNS.len()]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded: Vec<String> = cells
        .map(|(column, (cell, width))| match column {
            PRICE => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        })
        .collect();
    format!("{}\n", padded.join("  ").trim_end())
}
