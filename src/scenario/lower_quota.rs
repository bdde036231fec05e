//! Lowers quotas.
//!
//! A part of [`super::lower`].

use super::file_quota::{Quota, QuotaGrowth, QuotaWindow, RetryAfter};
use super::lower::Lowering;
use super::setting::Allowance;
use crate::model;
use crate::time::SimDuration;

impl Lowering<'_> {
    /// All quotas, in order of name.
    pub(super) fn quotas(&mut self) -> Option<Vec<model::Quota>> {
        let file = self.file;
        let mut quotas: Vec<Option<model::Quota>> = vec![];
        for (name, quota) in &file.quota {
            quotas.push(self.quota(name, quota));
        }
        quotas.into_iter().collect()
    }

    fn quota(&mut self, name: &str, quota: &Quota) -> Option<model::Quota> {
        let path = format!("quota.{name}");
        let providers = self.labelled(&quota.on, &format!("{path}.on"), "quota");
        if quota.requests.is_none() && quota.tokens.is_none() && self.findings.sound(&path) {
            let message = format!("`{path}` limits nothing");
            self.problem(&path, message, "add, for example: requests = \"500/min\"");
        }
        let is_bucket = quota.window == QuotaWindow::TokenBucket;
        if !is_bucket && self.findings.sound(&format!("{path}.window")) {
            self.without_effect(&path, &["burst"], "only a token bucket holds anything");
            if quota.counts_refused && quota.tokens.is_none() {
                let why = "with this window, what is turned away finds nothing left to take";
                self.without_effect(&path, &["counts_refused"], why);
            }
        }
        if let Some(burst) = &quota.burst {
            self.holds_one(&quota.requests, burst.value, &path, "requests");
            self.holds_one(&quota.tokens, burst.value, &path, "tokens");
        }
        self.has_tokens(quota, &format!("{path}.tokens"));
        let growth = quota.growth.as_ref().map(|growth| self.quota_growth(growth, &path));
        let start = self.file.clock.as_ref().map_or(SimDuration::ZERO, |c| c.value.since_midnight());
        Some(model::Quota {
            requests: quota.requests.as_ref().map(|allowance| allowance.value),
            tokens: quota.tokens.as_ref().map(|allowance| allowance.value),
            window: match quota.window {
                QuotaWindow::TokenBucket => {
                    model::QuotaWindow::TokenBucket { burst: quota.burst.as_ref().map(|burst| burst.value) }
                }
                QuotaWindow::Fixed => model::QuotaWindow::Fixed,
                QuotaWindow::Calendar => model::QuotaWindow::Calendar { start },
            },
            growth,
            answer: quota.answer.value,
            retry_after: retry_after(&quota.retry_after),
            counts_refused: quota.counts_refused,
            probes: quota.probes,
            ..model::Quota::new(name, providers?)
        })
    }

    /// Tokens can be counted where requests have some.
    fn has_tokens(&mut self, quota: &Quota, path: &str) {
        let of = |class: &String, tokens: &str| self.is_written(&format!("traffic.class.{class}.{tokens}"));
        let mut classes = self.file.traffic.class.keys();
        let any = classes.any(|class| of(class, "input_tokens") || of(class, "output_tokens"));
        if quota.tokens.is_some() && !any && self.findings.sound(path) && self.findings.sound("traffic.class")
        {
            let message = format!("`{path}` counts nothing: no request has tokens");
            let help = "add what requests ask for, for example:\n[traffic.class.chat]\noutput_tokens = { lognormal = { p50 = 129, p99 = 601 } }";
            self.problem(path, message, help);
        }
    }

    /// A bucket has to hold at least one, or nothing ever passes.
    pub(super) fn holds_one(
        &mut self,
        limit: &Option<Allowance>,
        burst: SimDuration,
        path: &str,
        what: &str,
    ) {
        let Some(Allowance { value: model::Allowance { amount, period }, .. }) = limit else { return };
        let of_burst = format!("{path}.burst");
        let holds_one = u128::from(*amount) * u128::from(burst.as_nanos()) >= u128::from(period.as_nanos());
        let sound = self.findings.sound(&of_burst) && self.findings.sound(&format!("{path}.{what}"));
        if !holds_one && sound {
            let one = SimDuration::from_nanos(period.as_nanos().div_ceil(*amount));
            let message =
                format!("`{of_burst}` is {burst}, in which less than one of `{what}` comes: nothing passes");
            self.problem(&of_burst, message, format!("use at least \"{one}\""));
        }
    }

    fn quota_growth(&mut self, growth: &QuotaGrowth, path: &str) -> model::QuotaGrowth {
        let (over, every) = (growth.over.value, growth.every.value);
        let (of_over, of_every) = (format!("{path}.growth.over"), format!("{path}.growth.every"));
        let sound = self.findings.sound(&of_over) && self.findings.sound(&of_every);
        if over.as_nanos() % every.as_nanos() != 0 && sound {
            let message = format!("`{of_over}` is {over}, no whole multiple of `every`, {every}");
            let help = format!("use a multiple of {every}, or another `every`");
            self.problem(&of_over, message, help);
        }
        model::QuotaGrowth { factor: growth.factor.value, over, every }
    }
}

pub(super) fn retry_after(retry_after: &RetryAfter) -> model::RetryAfter {
    match retry_after {
        RetryAfter::Never => model::RetryAfter::Never,
        RetryAfter::UntilReset => model::RetryAfter::UntilReset,
        RetryAfter::After(after) => model::RetryAfter::After(after.value),
    }
}
