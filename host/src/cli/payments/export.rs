//! `coinop payments export`: the whole ledger, a row a call, for books and audits.
//!
//! It goes through the ledger in pages, in no order of time, beside whatever host is running. What redeems a payment is
//! never in it.

mod row;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use coinop_core::Millis;

use self::row::{COLUMNS, Row, guarded, shown};
pub(in crate::cli) use self::row::{RECEIPT, contradictions, is_heading};
use super::PaymentsError;
use crate::cli::moment::moment;
use crate::clock::rfc3339;
use crate::ledger::{Audited, Ledger};

/// Calls read at a time.
const PAGE: u32 = 500;

/// What to export, where to.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The form of the rows
    #[arg(long, value_name = "FORMAT")]
    pub format: Format,
    /// Only calls created at or after this time, such as 2026-11-20 (UTC) or 2026-11-20T10:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Millis>,
    /// Only calls created before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Millis>,
    /// Only calls paid into this account
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Write to this file, which is whole or not there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The form of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One array of objects, an object a line
    Json,
    /// A table with a heading, safe to open in a spreadsheet
    Csv,
}

/// Writes the rows that `args` ask for.
///
/// # Errors
/// The ledger's, or those of what is written to.
pub(in crate::cli) async fn export(
    args: &ExportArgs,
    ledger: &dyn Ledger,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    args.check()?;
    let Some(path) = &args.output else {
        return write(args, ledger, out).await.map(drop);
    };
    let mut part = beside(path)?;
    let count = write(args, ledger, &mut part).await?;
    part.as_file().sync_all()?;
    let kept = part.persist(path).map_err(|error| named(path, error.error));
    kept?;
    Ok(writeln!(
        out,
        "Exported {count} calls to {}.",
        path.display()
    )?)
}

/// A file in the folder of `path`, readable by its owner only, that takes the name when it is whole.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let made = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    // Its own words name the file that was never to be seen.
    made.map_err(|error| named(path, error.kind().into()))
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes the rows; how many.
async fn write(
    args: &ExportArgs,
    ledger: &dyn Ledger,
    out: &mut (dyn Write + Send),
) -> Result<u64, PaymentsError> {
    let mut rows = Rows::begin(args.format, out)?;
    let mut after = None;
    loop {
        let page = ledger.audit(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.call.id.clone());
        for audited in page.iter().filter(|audited| args.wants(audited)) {
            rows.write(audited)?;
        }
    }
    Ok(rows.end()?)
}

impl ExportArgs {
    fn check(&self) -> Result<(), PaymentsError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => Err(PaymentsError::Period {
                since: rfc3339(since),
                until: rfc3339(until),
            }),
            _ => Ok(()),
        }
    }

    fn wants(&self, audited: &Audited) -> bool {
        let call = &audited.record.call;
        let account = &call.quote.account;
        self.since.is_none_or(|since| call.created_at >= since)
            && self.until.is_none_or(|until| call.created_at < until)
            && self.account.as_ref().is_none_or(|wanted| wanted == account)
    }
}

/// The rows on their way out.
struct Rows<'a> {
    form: Form<'a>,
    count: u64,
}

enum Form<'a> {
    Json(BufWriter<&'a mut (dyn Write + Send)>),
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
}

impl<'a> Rows<'a> {
    fn begin(format: Format, out: &'a mut (dyn Write + Send)) -> io::Result<Self> {
        let form = match format {
            Format::Json => {
                let mut out = BufWriter::new(out);
                out.write_all(b"[")?;
                Form::Json(out)
            }
            Format::Csv => {
                // The heading is there without a row, too.
                let mut writer = csv::WriterBuilder::new()
                    .has_headers(false)
                    .from_writer(out);
                writer.write_record(COLUMNS)?;
                Form::Csv(Box::new(writer))
            }
        };
        Ok(Self { form, count: 0 })
    }

    fn write(&mut self, audited: &Audited) -> io::Result<()> {
        match &mut self.form {
            Form::Json(out) => {
                out.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(out, &Row::of(audited, shown))?;
            }
            Form::Csv(writer) => {
                writer.serialize(Row::of(audited, |text| guarded(&shown(text))))?
            }
        }
        self.count += 1;
        Ok(())
    }

    fn end(self) -> io::Result<u64> {
        match self.form {
            Form::Json(mut out) => {
                out.write_all(b"\n]\n")?;
                out.flush()?;
            }
            Form::Csv(mut writer) => writer.flush()?,
        }
        Ok(self.count)
    }
}
