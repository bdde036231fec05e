//! The fidelity table for programs.

use super::fidelity::{Cell, RowResult, Verdict, left_out};
use super::report::{Report, mark};
use super::rows::LeftOut;
use serde::Serialize;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FidelityDocument {
    /// Runs of each row.
    pub runs: u64,
    /// Rows that count.
    pub row_count: usize,
    /// Rows left out, as the machine that measured was held up.
    pub left_out_host_stall_count: usize,
    /// Rows left out, as the gateway was saturated.
    pub left_out_saturated_count: usize,
    /// Whether every gateway reaches every bar.
    pub holds: bool,
    /// The bars.
    pub gateways: Vec<GatewayDocument>,
    /// The table.
    pub cells: Vec<CellDocument>,
}

/// One gateway's bars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GatewayDocument {
    /// The gateway.
    pub gateway: &'static str,
    /// Whether it reaches all of them.
    pub holds: bool,
    /// Rows judged.
    pub row_count: u64,
    /// Those inside their intervals.
    pub inside_count: u64,
    /// The probability of so few inside, or fewer, were the intervals right.
    pub coverage_p: f64,
    /// Cells judged.
    pub cell_count: usize,
    /// Those whose means are close.
    pub close_cell_count: usize,
    /// Those whose means are not, which cannot be chance.
    pub off_cell_count: usize,
    /// Rows whose times are determined.
    pub timed_row_count: usize,
    /// Those whose time to detect is close.
    pub detected_close_count: usize,
    /// Those whose time to recover is.
    pub recovered_close_count: usize,
}

/// One config in one kind of outage; also a row of the CSV file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellDocument {
    /// The gateway.
    pub gateway: &'static str,
    /// Its config.
    pub config: String,
    /// The kind of outage.
    pub outage: String,
    /// Measured outages.
    pub row_count: usize,
    /// Failed requests as measured, on average.
    pub measured_failed_mean: f64,
    /// As predicted.
    pub predicted_failed_mean: f64,
    /// The 2.5th percentile of predicted runs.
    pub predicted_failed_pi95_low: f64,
    /// The 97.5th.
    pub predicted_failed_pi95_high: f64,
    /// The share of rows inside their own intervals.
    pub inside_ratio: f64,
    /// The difference of the means in standard errors.
    pub z: f64,
    /// The median row's predicted less measured time to detect, in seconds.
    pub detect_error_s_p50: Option<f64>,
    /// The same for the recovery.
    pub recover_error_s_p50: Option<f64>,
    /// `close`, `scatter` (maybe by chance), `miss`, or `exempt`.
    pub verdict: String,
}

impl FidelityDocument {
    /// What the report says.
    pub fn of(report: &Report) -> Self {
        let gateway = |v: &Verdict| GatewayDocument {
            gateway: v.gateway,
            holds: v.holds(),
            row_count: v.coverage.0,
            inside_count: v.coverage.1,
            coverage_p: v.coverage_p,
            cell_count: v.means.0,
            close_cell_count: v.means.1,
            off_cell_count: v.means.2,
            timed_row_count: v.detection.0,
            detected_close_count: v.detection.1,
            recovered_close_count: v.recovery.1,
        };
        FidelityDocument {
            runs: report.runs,
            row_count: report.counted(),
            left_out_host_stall_count: left_out(report.compared, LeftOut::HostStall),
            left_out_saturated_count: left_out(report.compared, LeftOut::Saturated),
            holds: report.holds(),
            gateways: report.verdicts.iter().map(gateway).collect(),
            cells: report.cells.iter().map(CellDocument::of).collect(),
        }
    }
}

impl CellDocument {
    /// One cell.
    pub fn of(cell: &Cell) -> Self {
        let verdict = if mark(cell).is_empty() { "close" } else { mark(cell) };
        CellDocument {
            gateway: cell.gateway,
            config: cell.config.to_owned(),
            outage: cell.outage.clone(),
            row_count: cell.rows.len(),
            measured_failed_mean: cell.measured(),
            predicted_failed_mean: cell.predicted(),
            predicted_failed_pi95_low: cell.pi95.0,
            predicted_failed_pi95_high: cell.pi95.1,
            inside_ratio: cell.inside() as f64 / cell.rows.len() as f64,
            z: cell.z(),
            detect_error_s_p50: cell.time_error(RowResult::detect_error),
            recover_error_s_p50: cell.time_error(RowResult::recover_error),
            verdict: verdict.to_lowercase(),
        }
    }
}
