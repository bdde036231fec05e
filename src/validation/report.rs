//! The fidelity table: for a terminal, as a Markdown document, and as CSV.

use super::Compared;
use super::document::CellDocument;
use super::fidelity::{
    COVERAGE_LEVEL, Cell, MEAN_REQUESTS, MEAN_SHARE, Prediction, RowResult, TIME_SECONDS, TIME_SHARE,
    TIMES_WITHIN, Verdict, left_out,
};
use super::rows::LeftOut;
use std::fmt::Write;

/// What was compared, and how.
#[derive(Debug)]
pub struct Report<'a> {
    /// The command that makes it again.
    pub command: &'a str,
    /// Runs of each row.
    pub runs: u64,
    /// All rows.
    pub compared: &'a [Compared],
    /// Their cells.
    pub cells: &'a [Cell<'a>],
    /// Their gateways.
    pub verdicts: &'a [Verdict],
}

/// A seconds' column: nothing where there is none.
fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.2}"))
}

fn yes(holds: bool) -> &'static str {
    if holds { "yes" } else { "NO" }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// What is to be said of a cell's mean.
pub(super) fn mark(cell: &Cell) -> &'static str {
    match (cell.is_judged(), cell.mean_is_close(), cell.may_be_chance()) {
        (false, ..) => "exempt",
        (_, true, _) => "",
        (_, _, true) => "scatter",
        (_, _, false) => "MISS",
    }
}

impl Report<'_> {
    pub(super) fn counted(&self) -> usize {
        self.cells.iter().map(|cell| cell.rows.len()).sum()
    }

    fn left_out(&self) -> String {
        let (stalled, saturated) =
            (left_out(self.compared, LeftOut::HostStall), left_out(self.compared, LeftOut::Saturated));
        format!("{stalled} for a stall of the machine that measured, {saturated} for a saturated gateway")
    }

    fn exempt_rows(&self) -> impl Iterator<Item = &RowResult<'_>> {
        self.cells.iter().flat_map(|cell| &cell.rows).filter(|row| !row.is_judged())
    }

    /// Whether every gateway reaches every bar.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(Verdict::holds)
    }

    /// For a terminal of 80 columns.
    pub fn terminal(&self) -> String {
        let mut text = String::new();
        let out = &mut text;
        line(out, &format!("{} rows counted, {} runs of each", self.counted(), self.runs));
        line(out, &format!("left out: {}\n", self.left_out()));
        line(out, "failed requests                       n   real   sim      pi95 in detect recover");
        for cell in self.cells {
            let pi95 = format!("{:.0}-{:.0}", cell.pi95.0, cell.pi95.1);
            let mark = match mark(cell) {
                "MISS" => "!",
                "scatter" => "~",
                "exempt" => "x",
                other => other,
            };
            line(
                out,
                &format!(
                    "{:<19} {:<14}{:>3}{:>8.1}{:>7.1}{:>10}{:>3}{:>7}{:>7} {mark}",
                    cell.config,
                    cell.outage,
                    cell.rows.len(),
                    cell.measured(),
                    cell.predicted(),
                    pi95,
                    cell.inside(),
                    seconds(cell.time_error(RowResult::detect_error)),
                    seconds(cell.time_error(RowResult::recover_error)),
                ),
            );
        }
        line(out, "\nin: rows inside their own 95% interval; detect, recover: seconds, sim less real");
        line(out, "! the means differ   ~ by more than 5%, maybe by chance   x shown and not judged\n");
        line(out, "gateway    rows inside pi95       p   means close  off   detected  recovered ok");
        for v in self.verdicts {
            let ((rows, inside), (cells, close, wrong)) = (v.coverage, v.means);
            let of = |part: u64, whole: u64| format!("{part}/{whole}");
            let times = |(all, close): (usize, usize)| of(close as u64, all as u64);
            line(
                out,
                &format!(
                    "{:<9}{:>9} {:>6.1}% {:>7.4} {:>13} {wrong:>4} {:>10} {:>10} {}",
                    v.gateway,
                    of(inside, rows),
                    percent(inside, rows),
                    v.coverage_p,
                    of(close as u64, cells as u64),
                    times(v.detection),
                    times(v.recovery),
                    yes(v.holds()),
                ),
            );
        }
        text
    }

    /// As a document for `docs/`.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let out = &mut text;
        line(out, "# Fidelity: predicted and measured outages of real gateways\n");
        line(out, &format!("Made by `{}`; do not edit.\n", self.command));
        line(out, INTRODUCTION);
        line(
            out,
            &format!(
                "{} rows count, each played {} times. Left out: {}.\n",
                self.counted(),
                self.runs,
                self.left_out()
            ),
        );
        self.markdown_bars(out);
        for verdict in self.verdicts {
            self.markdown_cells(verdict.gateway, out);
        }
        self.markdown_disagreements(out);
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn markdown_bars(&self, out: &mut String) {
        line(out, "## Bars\n");
        line(
            out,
            &format!(
                "- **Inside**: rows whose count of failed requests lies in the 95% prediction interval of their own runs. The \
                 bar is missed where an exact one-sided binomial test rejects 95% at {:.0}%.\n\
                 - **Means**: cells whose mean is within {:.0}% or {MEAN_REQUESTS} requests of the measured one. A cell is *off* \
                 if it is neither that nor, by a two-sided test at 1% with the scatter of its runs, within chance.\n\
                 - **Detected**, **recovered**: rows whose time is within {TIME_SECONDS} s or {:.0}% of the measured one, where the \
                 moment of the last probe is known and determines it; the bar is {:.0}%.\n",
                100.0 * COVERAGE_LEVEL,
                100.0 * MEAN_SHARE,
                100.0 * TIME_SHARE,
                100.0 * TIMES_WITHIN,
            ),
        );
        line(out, "| gateway | rows | inside | p | cells | means | off | detected | recovered | holds |");
        line(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|");
        for v in self.verdicts {
            let ((rows, inside), (cells, close, wrong)) = (v.coverage, v.means);
            let times = |(all, close): (usize, usize)| {
                if all == 0 { "-".to_owned() } else { format!("{close} of {all}") }
            };
            line(
                out,
                &format!(
                    "| {} | {rows} | {:.1}% | {:.4} | {cells} | {close} | {wrong} | {} | {} | {} |",
                    v.gateway,
                    percent(inside, rows),
                    v.coverage_p,
                    times(v.detection),
                    times(v.recovery),
                    yes(v.holds()),
                ),
            );
        }
        line(out, "");
    }

    fn markdown_cells(&self, gateway: &str, out: &mut String) {
        line(out, &format!("## {gateway}\n"));
        line(
            out,
            "| config | outage | rows | measured | predicted | pi95 | inside | detect, s | recover, s | |",
        );
        line(out, "|---|---|---:|---:|---:|---:|---:|---:|---:|---|");
        for cell in self.cells.iter().filter(|cell| cell.gateway == gateway) {
            line(
                out,
                &format!(
                    "| {} | {} | {} | {:.1} | {:.1} | {:.0} to {:.0} | {:.0}% | {} | {} | {} |",
                    cell.config,
                    cell.outage,
                    cell.rows.len(),
                    cell.measured(),
                    cell.predicted(),
                    cell.pi95.0,
                    cell.pi95.1,
                    percent(cell.inside() as u64, cell.rows.len() as u64),
                    seconds(cell.time_error(RowResult::detect_error)),
                    seconds(cell.time_error(RowResult::recover_error)),
                    mark(cell),
                ),
            );
        }
        line(out, "");
    }

    fn markdown_disagreements(&self, out: &mut String) {
        line(out, "## What disagrees\n");
        let judged = || self.cells.iter().filter(|cell| cell.is_judged());
        line(
            out,
            "Cells whose mean is further off than 5% and 3 requests, with the standard errors between the two:\n",
        );
        let far: Vec<&Cell> = judged().filter(|cell| !cell.mean_is_close()).collect();
        for cell in &far {
            let (measured, predicted, z) = (cell.measured(), cell.predicted(), cell.z());
            let word = if cell.may_be_chance() { "within chance" } else { "**off**" };
            line(
                out,
                &format!(
                    "- {} {}: measured {measured:.1}, predicted {predicted:.1}, z = {z:+.1}: {word}",
                    cell.config, cell.outage
                ),
            );
        }
        none(out, far.is_empty());
        line(out, "\nRows outside their interval:\n");
        let outside: Vec<&RowResult> =
            judged().flat_map(|cell| &cell.rows).filter(|row| !row.is_inside()).collect();
        for row in &outside {
            let Some(Prediction { failed_pi95: (low, high), .. }) = row.predicted else { continue };
            let run = &row.compared.prepared.run;
            line(
                out,
                &format!("- {}: {} measured, {low:.0} to {high:.0} predicted", run.id, run.measured.failed),
            );
        }
        none(out, outside.is_empty());
        line(out, "\nRows whose detection or recovery comes at another time, predicted less measured:\n");
        let timed = judged().flat_map(|cell| &cell.rows).filter(|row| row.times_are_determined());
        let late: Vec<&RowResult> =
            timed.filter(|row| !row.detects_in_time() || !row.recovers_in_time()).collect();
        for row in &late {
            let (detect, recover) = (seconds(row.detect_error()), seconds(row.recover_error()));
            line(
                out,
                &format!("- {}: detection {detect} s, recovery {recover} s", row.compared.prepared.run.id),
            );
        }
        none(out, late.is_empty());
        let mut reasons: Vec<&str> =
            self.exempt_rows().filter_map(|row| row.compared.prepared.setup.exempt).collect();
        reasons.dedup();
        for reason in reasons {
            let of_reason =
                self.exempt_rows().filter(|row| row.compared.prepared.setup.exempt == Some(reason));
            line(out, &format!("\nShown and not judged, {} rows: {reason}.", of_reason.count()));
        }
    }

    /// A row for each cell.
    pub fn cells_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for cell in self.cells {
            writer.serialize(CellDocument::of(cell)).expect("a vector grows");
        }
        text_of(writer)
    }

    /// A row for each measured run.
    pub fn rows_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = [
            "run_id",
            "gateway",
            "config",
            "outage",
            "left_out",
            "measured_failed_count",
            "predicted_failed_mean",
            "predicted_failed_pi95_low",
            "predicted_failed_pi95_high",
            "is_inside",
            "measured_detect_s",
            "predicted_detect_s_p50",
            "measured_recover_first_s",
            "predicted_recover_first_s_p50",
            "measured_recover_90_s",
            "predicted_recover_90_s_p50",
        ];
        let mut write = |cells: &[String]| writer.write_record(cells).expect("a vector grows");
        write(&header.map(str::to_owned));
        for compared in self.compared {
            let (run, predicted) = (&compared.prepared.run, Prediction::of(&compared.predicted));
            let row = RowResult { compared, predicted };
            let of = |get: fn(&Prediction) -> Option<f64>| number(predicted.as_ref().and_then(get));
            let why = match run.left_out {
                None => "",
                Some(LeftOut::HostStall) => "host_stall",
                Some(LeftOut::Saturated) => "saturated",
            };
            write(&[
                run.id.clone(),
                run.product.name.to_owned(),
                run.config.clone(),
                run.outage.name(),
                why.to_owned(),
                run.measured.failed.to_string(),
                of(|p| Some(p.failed_mean)),
                of(|p| Some(p.failed_pi95.0)),
                of(|p| Some(p.failed_pi95.1)),
                predicted.map(|_| row.is_inside().to_string()).unwrap_or_default(),
                number(run.measured.detect_s),
                of(|p| p.detect_s),
                number(run.measured.recover_first_s),
                of(|p| p.recover_first_s),
                number(run.measured.recover_90_s),
                of(|p| p.recover_90_s),
            ]);
        }
        text_of(writer)
    }
}

const INTRODUCTION: &str = "\
Real gateways ran between a client and two providers, the preferred of which broke for a while at a random moment. Each row
of the measurements is one such outage; `tests/real_gateways/README.md` describes them. For each row the gateway's own
config becomes a scenario, with the moment of the last health probe where it was measured, and what clients lose in many
runs of it is compared with what they lost. A count is of failed requests, a time is the median row's prediction less the
measurement.\n";

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end_matches(' ')).expect("a string grows");
}

fn none(out: &mut String, is_empty: bool) {
    if is_empty {
        line(out, "- none");
    }
}

fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:?}")).unwrap_or_default()
}

fn text_of(writer: csv::Writer<Vec<u8>>) -> String {
    let bytes = writer.into_inner().expect("a vector takes what it is given");
    String::from_utf8(bytes).expect("it was written from text")
}
