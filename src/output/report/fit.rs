//! A page that people send around: what is left out where there is no room.

use super::document::ReportDocument;
use super::html::html;
use super::sweep::{SweepReport, list};
use crate::output::terminal::thousands;

/// What a page may take, in bytes, with all that draws it.
const PAGE_MAX: usize = 2_000_000;
/// What all points may take of a page, in bytes: it stays below two megabytes with its charts.
const BYTES_MAX: usize = 900_000;

/// Takes out close-ups until the page is small enough: the last scenarios' first, then that of what is held against the
/// baseline, then the baseline's own.
pub(super) fn fit_closeups(report: &mut ReportDocument) {
    let mut gone = 0;
    while html(report).len() > PAGE_MAX {
        let with_closeup = (0..report.scenarios.len()).filter(|nth| report.scenarios[*nth].closeup.is_some());
        let last = with_closeup.max_by_key(|nth| match report.scenarios[*nth].role {
            "baseline" => (0, *nth),
            "compared" => (1, *nth),
            _ => (2, *nth),
        });
        let Some(last) = last else { break };
        report.scenarios[last].closeup = None;
        gone += 1;
    }
    if gone > 0 {
        let scenarios = if gone == 1 { "one scenario".to_owned() } else { format!("{gone} scenarios") };
        report.left_out.push(format!(
            "There was no room in this page for close-ups of {scenarios}: run fewer of them side by side to see them."
        ));
    }
}

/// Makes the points small enough for a page: first ranges, then metrics, then digits go, those that matter least first.
pub(super) fn fit(report: &mut SweepReport) {
    let size = |report: &SweepReport| serde_json::to_string(report).map_or(0, |json| json.len());
    if size(report) <= BYTES_MAX {
        return;
    }
    let names = |report: &SweepReport, from: usize| -> Vec<&'static str> {
        report.metrics.iter().skip(from).map(|metric| metric.label).collect()
    };
    for (_, columns) in report.points.estimates.0.iter_mut().skip(1) {
        (columns.ci95_low, columns.ci95_high) = (None, None);
    }
    let mut gone = vec![];
    let what = "confidence intervals of metrics other than failed requests";
    let mut words = vec![what.to_owned()];
    while size(report) > BYTES_MAX && report.metrics.len() > 3 {
        gone.extend(names(report, report.metrics.len() - 1));
        report.metrics.pop();
        report.points.estimates.0.pop();
    }
    if size(report) > BYTES_MAX {
        for (_, columns) in report.points.estimates.0.iter_mut().skip(1) {
            (columns.pi95_low, columns.pi95_high) = (None, None);
        }
        words.push("their ranges".to_owned());
    }
    if size(report) > BYTES_MAX {
        for (_, columns) in &mut report.points.estimates.0 {
            columns.mean.digits = 3;
            for column in
                [&mut columns.pi95_low, &mut columns.pi95_high, &mut columns.ci95_low, &mut columns.ci95_high]
            {
                column.iter_mut().for_each(|column| column.digits = 3);
            }
        }
        words.push("the fourth digit of numbers".to_owned());
    }
    while size(report) > BYTES_MAX && report.metrics.len() > 1 {
        gone.extend(names(report, report.metrics.len() - 1));
        report.metrics.pop();
        report.points.estimates.0.pop();
    }
    if size(report) > BYTES_MAX
        && let Some((_, columns)) = report.points.estimates.0.first_mut()
    {
        (columns.ci95_low, columns.ci95_high) = (None, None);
        words.push("the confidence intervals of failed requests".to_owned());
    }
    gone.reverse();
    words.extend(gone.iter().map(|name| (*name).to_owned()));
    report.left_out.push(format!(
        "For {} points there was no room in this page for {}: the results' table `points` has them.",
        thousands(report.points.point.len() as f64),
        list(&words)
    ));
}
