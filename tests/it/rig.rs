//! One provider with a passive detector, and what goes wrong with it.

use crate::play::{Log, model};

/// Provider `a` with a detector, a fault on it, and `b` beside it.
pub struct Rig<'a> {
    pub seconds: u32,
    pub traffic: &'a str,
    pub a: &'a str,
    pub fault: &'a str,
    pub detector: &'a str,
    pub gateway: &'a str,
}

impl Default for Rig<'_> {
    fn default() -> Self {
        let (a, fault) = (r#"latency = { constant = "0s" }"#, "");
        Rig { seconds: 60, traffic: "{ constant = \"1/s\" }", a, fault, detector: "", gateway: "" }
    }
}

impl Rig<'_> {
    pub fn toml(&self) -> String {
        let Rig { seconds, traffic, a, fault, detector, gateway } = self;
        format!(
            r#"
            duration = "{seconds}s"
            traffic.arrivals = {traffic}
            provider.a = {{ {a} }}
            provider.b.latency = {{ constant = "0s" }}
            gateway.route = {{ prefer = ["a", "b"] }}
            {gateway}
            [gateway.detector.d]
            {detector}
            {fault}
            "#
        )
    }

    /// What one run reports.
    pub fn log(&self, run: u64) -> Log {
        Log::of(&self.toml(), run)
    }

    /// Runs 0 to `runs`.
    pub fn logs(&self, runs: u64) -> Vec<Log> {
        let model = model(&self.toml());
        (0..runs).map(|run| Log::of_model(&model, run)).collect()
    }
}

/// A fault of `a` that its probes do not notice.
pub fn fault(name: &str, at: &str, lasts: &str, requests: &str) -> String {
    format!(
        "[fault.{name}]\non = {{ name = \"a\" }}\nat = \"{at}\"\nlasts = \"{lasts}\"\nrequests = {requests}\nprobes = \"unaffected\"\n"
    )
}

pub const STATUS: &str = "{ status = 503 }";
pub const HANG: &str = "\"hang\"";
