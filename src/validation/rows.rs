//! Measured outages as the CSV file has them: one row for each, columns found by name.

use super::config::Complaint;
use super::measure::Measures;
use super::{PRODUCTS, Product};
use crate::scenario::{Problem, Problems, csv_line, one_of};
use crate::time::SimDuration;
use serde_json::{Map, Value};

/// One outage that a real gateway went through.
#[derive(Debug, Clone)]
pub struct MeasuredRun {
    /// The file and line.
    pub place: String,
    /// What the row is called, or its place.
    pub id: String,
    /// The gateway.
    pub product: &'static Product,
    /// The config's short name.
    pub config: String,
    /// The config itself, where it differs from the gateway's base config.
    pub settings: Map<String, Value>,
    /// What went wrong with provider A.
    pub outage: Outage,
    /// Requests in a second.
    pub rate_rps: f64,
    /// From the first request to the outage.
    pub warm: SimDuration,
    /// How long the outage lasted.
    pub lasts: SimDuration,
    /// From its end to the last request.
    pub cool: SimDuration,
    /// The median of the providers' latency.
    pub latency_median: SimDuration,
    /// The standard deviation of its logarithm.
    pub latency_sigma: f64,
    /// How long the client waited.
    pub client_timeout: SimDuration,
    /// From the start of one probe to the start of the next, where it was measured.
    pub probe_period: Option<SimDuration>,
    /// From the start of A's last probe to the outage, where it was measured.
    pub since_probe: Option<SimDuration>,
    /// How old LiteLLM's count of successes was when the outage began, where it was measured.
    pub window_age: Option<SimDuration>,
    /// What clients saw.
    pub measured: Measures,
    /// Why the row does not count; `None` if it does.
    pub left_out: Option<LeftOut>,
}

/// What went wrong with provider A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// The kind.
    pub kind: OutageKind,
    /// Whether its health endpoint failed too.
    pub health_follows: bool,
}

/// A kind of outage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutageKind {
    /// The listener is closed and open connections are reset.
    Refused,
    /// Connections and requests are taken and never answered.
    Blackhole,
    /// Every request gets this status at once.
    Error(u16),
    /// This share of requests gets a 503 at once.
    Brownout(f64),
}

impl Outage {
    /// Its name in tables: `error 429`, `grey blackhole`.
    pub fn name(&self) -> String {
        let kind = match self.kind {
            OutageKind::Refused => "refused".to_owned(),
            OutageKind::Blackhole => "blackhole".to_owned(),
            OutageKind::Error(503) => "error".to_owned(),
            OutageKind::Error(code) => format!("error {code}"),
            OutageKind::Brownout(0.5) => "brownout".to_owned(),
            OutageKind::Brownout(p) => format!("brownout {p}"),
        };
        if self.health_follows { kind } else { format!("grey {kind}") }
    }
}

/// Why a row does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// The process that measured was held up by its machine.
    HostStall,
    /// The gateway itself was too slow for the load.
    Saturated,
}

impl MeasuredRun {
    /// What the scenario made of it is called in messages.
    pub fn scenario_name(&self) -> String {
        format!("{} as a scenario", self.place)
    }
}

const HELP: &str = "the columns are described in tests/real_gateways/README.md";

/// Reads the rows of a CSV file that people call `name`.
///
/// # Errors
/// Everything that is wrong with the file or any row of it.
pub fn read(name: &str, text: &str) -> Result<Vec<MeasuredRun>, Problems> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| not_csv(name, text, &error))?.clone();
    if headers.is_empty() {
        return Err(Problem::new(format!("`{name}` is empty")).help(HELP).into());
    }
    let missing: Vec<&str> = REQUIRED.iter().copied().filter(|c| !headers.iter().any(|h| h == *c)).collect();
    if !missing.is_empty() {
        let all = one_of(missing).replace(" or ", " and ");
        return Err(Problem::new(format!("`{name}` lacks the columns {all}")).help(HELP).into());
    }
    let (mut runs, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(name, text, &error))?;
        let line = csv_line(text, record.position());
        let row = Row { headers: &headers, record: &record, place: format!("{name}:{line}") };
        match row.run() {
            Ok(run) => runs.push(run),
            Err(complaint) => problems.push(complaint.in_row(&row.place)),
        }
    }
    Problems::check(problems)?;
    if runs.is_empty() {
        return Err(Problem::new(format!("`{name}` has no rows")).help("one row is one outage").into());
    }
    Ok(runs)
}

fn not_csv(name: &str, text: &str, error: &csv::Error) -> Problems {
    let line = csv_line(text, error.position());
    let help =
        "every line needs the same number of cells, separated by commas, and text with commas in quotes";
    Problem::new(format!("{name}:{line}: this is no CSV file")).help(help).into()
}

/// Columns without which a row says nothing.
const REQUIRED: [&str; 18] = [
    "gateway",
    "config",
    "mode",
    "code",
    "brownout_p",
    "health_follows",
    "rate_rps",
    "warm_s",
    "outage_s",
    "cool_s",
    "lat_med_ms",
    "lat_sigma",
    "client_timeout_s",
    "config_json",
    "n_fail",
    "detect_s",
    "recover_first_a_s",
    "recover_90a_s",
];

struct Row<'a> {
    headers: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    place: String,
}

impl Row<'_> {
    fn run(&self) -> Result<MeasuredRun, Complaint> {
        let outage = Outage { kind: self.kind()?, health_follows: self.flag("health_follows")? };
        Ok(MeasuredRun {
            place: self.place.clone(),
            id: if self.cell("run_id").is_empty() {
                self.place.clone()
            } else {
                self.cell("run_id").to_owned()
            },
            product: self.product()?,
            config: self.cell("config").to_owned(),
            settings: self.settings()?,
            outage,
            rate_rps: self.needed("rate_rps", 1e-6..=1e6)?,
            warm: seconds(self.needed("warm_s", 0.0..=1e6)?),
            lasts: seconds(self.needed("outage_s", 1e-3..=1e6)?),
            cool: seconds(self.needed("cool_s", 0.0..=1e6)?),
            latency_median: seconds(self.needed("lat_med_ms", 1e-3..=1e6)? / 1e3),
            latency_sigma: self.needed("lat_sigma", 0.0..=5.0)?,
            client_timeout: seconds(self.needed("client_timeout_s", 1e-3..=1e6)?),
            probe_period: self.number("probe_period_s", 1e-3..=1e6)?.map(seconds),
            since_probe: self.number("phase_since_probe_s", 0.0..=1e6)?.map(seconds),
            window_age: self.number("window_age_s", 0.0..=1e6)?.map(seconds),
            measured: self.measures()?,
            left_out: self.left_out()?,
        })
    }

    fn measures(&self) -> Result<Measures, Complaint> {
        let time = |column| self.number(column, -1e6..=1e6);
        let failed = self.needed("n_fail", 0.0..=1e9)? as u64;
        Ok(Measures {
            failed,
            failed_first_burst: self.number("n_fail_first_burst", 0.0..=1e9)?.map_or(failed, |n| n as u64),
            detect_s: time("detect_s")?,
            last_fail_s: time("last_fail_s")?,
            recover_first_s: time("recover_first_a_s")?,
            recover_90_s: time("recover_90a_s")?,
        })
    }

    /// An absent column reads as empty.
    fn cell(&self, column: &str) -> &str {
        let index = self.headers.iter().position(|header| header == column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default().trim()
    }

    fn number(&self, column: &str, range: std::ops::RangeInclusive<f64>) -> Result<Option<f64>, Complaint> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Ok(None);
        }
        let number = cell.parse().ok().filter(|number| range.contains(number));
        let (low, high) = (range.start(), range.end());
        let complaint = || {
            Complaint::new(format!("`{column}` is `{cell}`"), format!("write a number from {low} to {high}"))
        };
        number.map(Some).ok_or_else(complaint)
    }

    fn needed(&self, column: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, Complaint> {
        let empty = || Complaint::new(format!("`{column}` is empty"), HELP);
        self.number(column, range)?.ok_or_else(empty)
    }

    fn flag(&self, column: &str) -> Result<bool, Complaint> {
        match self.cell(column) {
            "1" => Ok(true),
            "0" | "" => Ok(false),
            other => Err(Complaint::unknown(column, other, ["0", "1"])),
        }
    }

    fn product(&self) -> Result<&'static Product, Complaint> {
        let name = self.cell("gateway");
        let found = PRODUCTS.iter().find(|product| product.name == name).copied();
        found.ok_or_else(|| Complaint::unknown("gateway", name, PRODUCTS.map(|product| product.name)))
    }

    fn kind(&self) -> Result<OutageKind, Complaint> {
        Ok(match self.cell("mode") {
            "refused" => OutageKind::Refused,
            "blackhole" => OutageKind::Blackhole,
            "error" => OutageKind::Error(self.number("code", 400.0..=599.0)?.unwrap_or(503.0) as u16),
            "brownout" => OutageKind::Brownout(self.needed("brownout_p", 0.0..=1.0)?),
            other => {
                return Err(Complaint::unknown("mode", other, ["refused", "blackhole", "error", "brownout"]));
            }
        })
    }

    fn left_out(&self) -> Result<Option<LeftOut>, Complaint> {
        if self.flag("host_stall")? {
            return Ok(Some(LeftOut::HostStall));
        }
        match self.cell("caveat") {
            "" => Ok(None),
            "saturated" => Ok(Some(LeftOut::Saturated)),
            other => Err(Complaint::unknown("caveat", other, ["saturated"])),
        }
    }

    fn settings(&self) -> Result<Map<String, Value>, Complaint> {
        let help = "write the gateway's config as a JSON object";
        match serde_json::from_str(self.cell("config_json")) {
            Ok(Value::Object(settings)) => Ok(settings),
            Ok(_) => Err(Complaint::new("`config_json` is no object", help)),
            Err(error) => Err(Complaint::new(format!("`config_json` is no JSON: {error}"), help)),
        }
    }
}

/// Milliseconds are all that measured times have.
fn seconds(number: f64) -> SimDuration {
    SimDuration::from_nanos((number * 1e6).round() as u64 * 1_000)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The columns of these tests.
    const HEADER: &str = "run_id,gateway,config,mode,code,brownout_p,health_follows,rate_rps,warm_s,outage_s,cool_s,\
        lat_med_ms,lat_sigma,client_timeout_s,config_json,probe_period_s,phase_since_probe_s,n_fail,detect_s,\
        recover_first_a_s,recover_90a_s,window_age_s,host_stall,caveat";

    /// A row of a gateway with this config, whose outage is `mode,code,brownout_p,health_follows`.
    pub fn row(gateway: &str, outage: &str, config: &str, probes: &str) -> Result<MeasuredRun, String> {
        let config = config.replace('"', "\"\"");
        let text = format!(
            "{HEADER}\nx/1,{gateway},x,{outage},60,10.5,20.0,16.0,20.0,0.3,10.0,\"{config}\",{probes},5,0.1,2.0,1.9,,0,\n"
        );
        let runs = read("runs.csv", &text).map_err(|problems| problems.to_string())?;
        Ok(runs.into_iter().next().expect("one row"))
    }

    #[test]
    fn a_row_is_read_by_its_columns_names() {
        let run = row("haproxy", "brownout,503,0.5,0", "{}", "2.001,0.413").unwrap();
        assert_eq!(run.place, "runs.csv:2");
        assert_eq!(run.outage.name(), "grey brownout");
        assert_eq!(run.probe_period, Some(SimDuration::from_millis(2_001)));
        assert_eq!(run.warm, SimDuration::from_millis(10_500));
        assert_eq!((run.measured.failed, run.measured.detect_s), (5, Some(0.1)));
        assert_eq!(run.left_out, None);
    }

    #[test]
    fn what_is_not_known_is_told_with_its_line_and_what_is_known() {
        let complaint = |gateway, outage, config| row(gateway, outage, config, ",").unwrap_err();
        let text = complaint("pigeon", "refused,,,1", "{}");
        assert!(text.contains("runs.csv:2: `gateway` is `pigeon`") && text.contains("`haproxy`"), "{text}");
        let text = complaint("nginx", "flood,,,1", "{}");
        assert!(text.contains("`mode` is `flood`") && text.contains("`blackhole`"), "{text}");
        let text = complaint("nginx", "refused,,,1", "[]");
        assert!(text.contains("`config_json` is no object"), "{text}");
        let text = complaint("nginx", "brownout,503,1.5,1", "{}");
        assert!(text.contains("`brownout_p` is `1.5`"), "{text}");
    }

    #[test]
    fn a_line_has_the_number_that_editors_show_however_lines_end() {
        for end in ["\n", "\r\n"] {
            let row = "x/1,nginx,x,flood,,,1,60,10.5,20.0,16.0,20.0,0.3,10.0,{},,,5,0.1,2.0,1.9,,0,";
            let text = format!("{HEADER}{end}{row}{end}{row}{end}x/2,nginx{end}");
            let complaint = read("runs.csv", &text).unwrap_err().to_string();
            assert!(complaint.contains("runs.csv:4: this is no CSV file"), "{complaint}");
            let text = format!("{HEADER}{end}{row}{end}{row}{end}");
            let complaint = read("runs.csv", &text).unwrap_err().to_string();
            assert!(complaint.contains("runs.csv:2: `mode`") && complaint.contains(".csv:3:"), "{complaint}");
        }
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        let text = read("runs.csv", "").unwrap_err().to_string();
        assert!(text.contains("`runs.csv` is empty"), "{text}");
    }

    #[test]
    fn a_missing_column_is_named() {
        let text = read("runs.csv", "gateway,config\nnginx,x\n").unwrap_err().to_string();
        assert!(text.contains("lacks the columns `mode`"), "{text}");
    }
}
