//! What `sweep` and `merge` print of the folder that they wrote.

use super::Failure;
use super::print::{Format, PrintArgs, print_out, printed};
use crate::job::Swept;
use crate::output::{FileError, SweepDocument, point_lines};
use std::fs::File;
use std::io;

/// Says what is in the folder, or prints it, and which points failed.
pub(super) fn print_swept(swept: &Swept, print: &PrintArgs, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(swept)?,
        Format::Csv => print_csv(swept)?,
        _ => print.summary(&format!("{}\n", swept.summary()))?,
    }
    swept.failed().map_or(Ok(()), Err)
}

fn print_json(swept: &Swept) -> Result<(), Failure> {
    let (plan, tally) = (swept.plan(), swept.tally());
    let (folder, runs) = (swept.out().display().to_string(), (tally.fewest.min(tally.most), tally.most));
    print_out(&SweepDocument::new(folder, plan, tally.failed, runs, swept.files()).begin())?;
    let mut are_first = true;
    swept.write(&plan.points(), |points| {
        let lines = point_lines(plan, points, are_first);
        are_first &= points.is_empty();
        print_out(&lines)
    })?;
    print_out(SweepDocument::END)
}

/// The table of points as it was just written.
fn print_csv(swept: &Swept) -> Result<(), Failure> {
    let path = swept.out().join("points.csv");
    let mut file = File::open(&path).map_err(|error| FileError::Read { path, error })?;
    printed(io::copy(&mut file, &mut io::stdout().lock()).map(drop))
}
