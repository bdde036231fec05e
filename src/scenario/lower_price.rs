//! Lowers what things cost.
//!
//! A part of [`super::lower`].

use super::file_price::{Billing, Fee, OfAnswers, OfErrors, Price, ProbeTokens};
use super::file_route::Route;
use super::lower::Lowering;
use crate::model::{self, Probability};
use std::sync::Arc;

impl Lowering<'_> {
    /// Says which settings change no cost, as something is missing that they go with. What a part brings along is no
    /// mistake: it is written for other scenarios, too; nor is a price that nobody asks for, which is a fact of a provider.
    pub(super) fn money(&mut self) {
        if !["provider", "traffic", "gateway"].into_iter().all(|table| self.findings.sound(table)) {
            return;
        }
        let file = self.file;
        let mut of_money = vec!["gateway.fee".to_owned(), "gateway.health_check.tokens".to_owned()];
        of_money.extend(file.provider.keys().map(|name| format!("provider.{name}.billing")));
        let classes: Vec<String> =
            file.traffic.class.keys().map(|name| format!("traffic.class.{name}")).collect();
        let shares: Vec<String> = classes.iter().map(|class| format!("{class}.cached_share")).collect();
        let caches: Vec<String> =
            file.provider.keys().map(|name| format!("provider.{name}.prompt_cache")).collect();
        let talks = vec!["traffic.conversations".to_owned()];
        of_money.extend([&shares, &caches, &talks].into_iter().flatten().cloned());
        let mut routes = file.gateway.route.iter().chain(file.gateway.group.values());
        if let Some((why, remedy)) = self.why_no_bills() {
            self.written_for_nothing(&of_money, &why, Some(remedy));
        } else {
            let has_shares =
                file.traffic.class.values().any(|class| class.cached_share.value > Probability::ZERO);
            let has_caches = file.provider.values().any(|provider| provider.prompt_cache.is_some());
            for (is_missing, others, why) in [
                (
                    file.traffic.conversations.is_none(),
                    [&shares, &caches],
                    "there are no `traffic.conversations`",
                ),
                (!has_shares, [&talks, &caches], "no class has a `cached_share`"),
                (!has_caches, [&talks, &shares], "no provider has a `prompt_cache`"),
            ] {
                if is_missing {
                    let others: Vec<String> = others.into_iter().flatten().cloned().collect();
                    self.written_for_nothing(&others, why, None);
                    break;
                }
            }
        }
        if !routes.any(|route| matches!(route, Route::CostMinimization(_))) {
            let patience: Vec<String> = classes.iter().map(|class| format!("{class}.max_latency")).collect();
            self.written_for_nothing(&patience, "no route is a `cost_minimization`", None);
        }
    }

    /// Why nobody knows what a run costs, if so, and what to do about it: [`model::Model::has_bills`] in words.
    fn why_no_bills(&self) -> Option<(String, &'static str)> {
        let providers = &self.file.provider;
        let has_no_price = providers.iter().find(|(_, provider)| provider.price.is_none());
        if let Some((name, _)) = has_no_price {
            let remedy =
                "give that one a price in USD for a million tokens: price = { input = 2.5, output = 10.0 }";
            return Some((format!("`provider.{name}` has no `price`"), remedy));
        }
        let of_tokens = |price: &Price| price.input.value > 0.0 || price.output.value > 0.0;
        let has_classes = !self.file.traffic.class.is_empty();
        let asks = providers.iter().find(|(_, provider)| provider.price.as_ref().is_some_and(of_tokens));
        let (name, _) = asks.filter(|_| !has_classes)?;
        let why =
            format!("requests have no tokens for `provider.{name}.price`, as there is no `traffic.class`");
        Some((
            why,
            "add what requests ask for, for example:\n[traffic.class.chat]\ninput_tokens = { constant = 1000 }\noutput_tokens = { constant = 200 }",
        ))
    }

    /// Of these settings, those that this very file has are problems; the remedy is what may be meant instead.
    fn written_for_nothing(&mut self, paths: &[String], why: &str, remedy: Option<&str>) {
        for path in paths {
            let Some(node) = self.root.at(&path.split('.').collect::<Vec<_>>()) else { continue };
            let source = &node.key.source;
            if Arc::ptr_eq(source, &self.root.place.source) || !source.is_file {
                let remedy = remedy.map(|remedy| format!(", or {remedy}")).unwrap_or_default();
                let setting = path.rsplit('.').next().unwrap_or(path);
                self.has_no_effect(path, why, format!("remove `{setting}`{remedy}"));
            }
        }
    }
}

pub(super) fn price(price: &Price) -> model::Price {
    model::Price {
        input: price.input.value,
        output: price.output.value,
        cached_input: price.cached_input.as_ref().unwrap_or(&price.input).value,
        request: price.request.value,
    }
}

pub(super) fn billing(billing: &Billing) -> model::Billing {
    let of_answers = |share| match share {
        OfAnswers::Nothing => model::Share::Nothing,
        OfAnswers::Input => model::Share::Input,
        OfAnswers::Delivered => model::Share::Delivered,
        OfAnswers::All => model::Share::All,
    };
    model::Billing {
        errors: match billing.errors {
            OfErrors::Nothing => model::Share::Nothing,
            OfErrors::Input => model::Share::Input,
            OfErrors::All => model::Share::All,
        },
        cut: of_answers(billing.cut),
        abandoned: of_answers(billing.abandoned),
    }
}

pub(super) fn fee(fee: &Fee) -> model::Fee {
    model::Fee { markup: fee.markup.value, request: fee.request.value, month: fee.month.value }
}

pub(super) fn probe_tokens(tokens: &ProbeTokens) -> model::ProbeTokens {
    model::ProbeTokens { input: tokens.input.value, output: tokens.output.value }
}
