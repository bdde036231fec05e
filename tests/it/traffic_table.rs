//! `docs/traffic.md`: what generated traffic is like beside what was recorded.

use crate::play::model;
use failover_sim::engine::{Recorder, RequestEnd, simulate};
use failover_sim::model::{Arrivals, Model};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// When requests arrive, in seconds, in order of their arrival.
#[derive(Default)]
struct Times(Vec<f64>);

impl Recorder for Times {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.0.push(request.arrived.as_millis_f64() / 1e3);
    }
}

/// A row: what it is, how long the run is, and the traffic.
const ROWS: [(&str, &str, &str); 13] = [
    (
        "**Azure chat, as recorded**",
        "1h",
        "arrivals = { trace = { file = \"models/traffic/azure_llm_2023_conv.csv\" } }",
    ),
    ("`poisson`", "1h", "arrivals = { poisson = \"5.53/s\" }"),
    (
        "`trace` in blocks of 60 s",
        "1h",
        "arrivals = { trace = { file = \"models/traffic/azure_llm_2023_conv.csv\", bootstrap = \"60s\" } }",
    ),
    ("28 copies: `azure-chat.toml`", "1h", "from = \"models/traffic/azure-chat.toml\""),
    (
        "**Azure code, as recorded**",
        "1h",
        "arrivals = { trace = { file = \"models/traffic/azure_llm_2023_code.csv\" } }",
    ),
    ("`poisson`", "1h", "arrivals = { poisson = \"2.57/s\" }"),
    ("`renewal`, CV 13.2", "1h", "arrivals = { renewal = { rate = \"2.57/s\", cv = 13.2 } }"),
    (
        "`on_off`, 4 s and 36 s",
        "1h",
        "arrivals = { on_off = { rate = \"2.57/s\", on = \"4s\", off = \"36s\" } }",
    ),
    ("`trace` in blocks of 60 s: `azure-code.toml`", "1h", "from = \"models/traffic/azure-code.toml\""),
    (
        "**Mooncake chat, as recorded**, times rounded to 3 s",
        "1h",
        "arrivals = { trace = { file = \"models/traffic/mooncake_conversation.csv\" } }",
    ),
    (
        "spread over 3 s: `mooncake-conversation.toml`",
        "1h",
        "from = \"models/traffic/mooncake-conversation.toml\"",
    ),
    (
        "a day: `servegen-daily.toml` at 5/s",
        "24h",
        "from = \"models/traffic/servegen-daily.toml\"\narrivals = { poisson = \"5/s\" }",
    ),
    ("`renewal`, CV 3.45: `bursty-platform.toml`", "10m", "from = \"models/traffic/bursty-platform.toml\""),
];

/// The highest count of any window of this length over the mean count.
fn peak(times: &[f64], window: f64, span: f64) -> f64 {
    let windows = times.chunk_by(|one, other| (one / window).floor() == (other / window).floor());
    let most = windows.map(<[f64]>::len).max().unwrap_or_default();
    most as f64 / (times.len() as f64 * window / span)
}

fn tokens(model: &Model) -> String {
    let Arrivals::Trace(trace) = &model.traffic.arrivals else { return "-".to_owned() };
    let Some(both) = trace.tokens() else { return "-".to_owned() };
    let mean = |tokens: &[u32]| tokens.iter().map(|t| f64::from(*t)).sum::<f64>() / tokens.len() as f64;
    format!("{:.0} in, {:.0} out", mean(&both[0]), mean(&both[1]))
}

fn row(name: &str, duration: &str, traffic: &str) -> String {
    let model = model(&format!(
        "clock = \"00:00:00 UTC\"\nduration = \"{duration}\"\nprovider.a.latency = {{ constant = \"0s\" }}\n[traffic]\n{traffic}"
    ));
    let mut times = Times::default();
    simulate(&model, 1, 0, &mut times);
    let mut times = times.0;
    times.sort_by(f64::total_cmp);
    let n = times.len() as f64;
    // As many mean gaps as arrivals, as for a trace that goes round; a whole day is one.
    let span = (times[times.len() - 1] - times[0]) * n / (n - 1.0);
    let gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len() as f64;
    let (cv, second, minute) = (variance.sqrt() / mean, peak(&times, 1.0, span), peak(&times, 60.0, span));
    format!("| {name} | {:.2} | {cv:.2} | {second:.1} | {minute:.2} | {} |", n / span, tokens(&model))
}

#[test]
fn the_table_of_traffic_is_up_to_date() {
    let mut text = String::from(
        "# Traffic, generated and recorded

What `traffic.arrivals` makes beside real traces: the mean rate, the coefficient of variation of the gaps between requests, and
the busiest second and minute over the mean. A Poisson process has a CV of 1; real traffic is burstier, and how much decides what
queues and quotas see. Recorded rows are bold; the rest is run 0 of seed 1. `trace` in blocks is the block bootstrap. Peaks depend
on the rate: at more requests a second, a second is closer to the mean.

| traffic | requests/s | CV of gaps | 1 s peak / mean | 60 s peak / mean | mean tokens |
|---|---|---|---|---|---|
",
    );
    for (name, duration, traffic) in ROWS {
        writeln!(text, "{}", row(name, duration, traffic)).expect("a text takes all");
    }
    text.push_str(
        "
A Poisson process at the rate of the coding trace misses its bursts: the busiest second of the trace has 26 times the mean. A
renewal process with the trace's CV packs too much into single seconds, as each of its gaps knows nothing of the last; `on_off`
comes near with a CV and a busiest minute like the trace's, and only blocks of the trace itself have all of it. Mooncake's
CV and busiest second are an artefact of rounding; spread evenly, its seconds are too even instead.

Made by `UPDATE_DOCS=1 cargo test traffic_table`. Sources and licences: [models/README.md](../models/README.md#attribution).
",
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/traffic.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).expect("the file can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/traffic.md is out of step: run the tests with UPDATE_DOCS=1 and commit it"
    );
}
