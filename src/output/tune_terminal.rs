//! The answer of `tune` as a person reads it. 80 columns at most.

use super::terminal::{Screen, Text, plain, short, thousands};
use crate::experiment::tune::judge::Verdict;
use crate::experiment::tune::report::{
    Choice, Difference, Ends, GuessEffect, Judged, Measured, Report, Setting, Step, Tied,
};
use std::fmt::Write;
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Of what cannot be told apart, and of a front, more rows than anybody reads; the table of candidates has them all.
const ROWS: usize = 12;

/// The whole answer; `out` is the folder that files were written into.
pub fn tune_summary(report: &Report, out: Option<&Path>, screen: Screen) -> String {
    let mut text = Text::new(screen);
    head(&mut text, report);
    match &report.recommended {
        Some(recommended) => {
            recommendation(&mut text, report, recommended);
            tied(&mut text, report);
            other_views(&mut text, report, recommended);
            combinations(&mut text, report);
            constraint_costs(&mut text, report);
            steps(&mut text, report);
            guesses(&mut text, report);
        }
        None => front(&mut text, report),
    }
    effort(&mut text, report, out);
    text.finish()
}

fn head(text: &mut Text, report: &Report) {
    text.wrapped(&plain(&report.question), 0);
    text.line("");
    let counted = report.mix.iter().filter(|weighted| weighted.weight > 0.0);
    let weighted = |w: &crate::experiment::tune::report::Weighted| match w.weight {
        1.0 => w.scenario.clone(),
        weight => format!("{} x {weight}", w.scenario),
    };
    let mix: Vec<String> = counted.map(weighted).collect();
    let objectives = report.objectives.join(" and ");
    text.wrapped(&format!("{:<12}{objectives}", report.direction.name()), 12);
    for (nth, constraint) in report.constraints.iter().enumerate() {
        let label = if nth == 0 { "subject to" } else { "" };
        text.wrapped(&format!("{label:<12}{constraint}"), 12);
    }
    text.wrapped(&format!("{:<12}{}", "over", mix.join(", ")), 12);
    let runs = thousands(report.runs as f64);
    text.wrapped(&format!("{:<12}{runs} of each thing named here, seed {}", "runs", report.seed), 12);
}

fn title(text: &mut Text, words: &str) {
    text.line("");
    text.title(words);
}

fn recommendation(text: &mut Text, report: &Report, choice: &Choice) {
    title(text, "recommended");
    let width = choice.settings.iter().map(|setting| setting.path.width()).max().unwrap_or(0);
    for setting in &choice.settings {
        let between = report.between.iter().find(|between| between.path == setting.path);
        let told = between.filter(|between| between.low != between.high).map(|between| {
            format!("   (the best lies between {} and {})", bare(&between.low), bare(&between.high))
        });
        let words =
            format!("  {:<width$}  {}{}", setting.path, bare(&setting.value), told.unwrap_or_default());
        text.wrapped(&words, width + 4);
    }
    text.line("");
    text.wrapped(&format!("  {:<30}{:>10}{:>19}{:>19}", "", "", "95% CI", "95% of runs"), 4);
    for measured in &choice.objectives {
        row(text, &measured.target, measured);
        for scenario in &choice.scenarios {
            if let Some(own) = scenario.measured.iter().find(|own| own.target == measured.target)
                && choice.scenarios.len() > 1
            {
                row(text, &format!("  {}", scenario.scenario), own);
            }
        }
    }
    for judged in &choice.constraints {
        text.wrapped(&format!("  {}", constraint_words(judged)), 4);
    }
    if let Some(certain) = &report.certain {
        let value = certain.objectives[0].value.map_or_else(|| "-".to_owned(), short);
        let settings = settings_words(&certain.settings);
        let words = format!("  the best that meets them by its whole intervals: {settings}: {value}");
        text.wrapped(&words, 4);
    }
    for scenario in calm(report, choice) {
        let cost = |name: &str| scenario.measured.iter().find(|measured| measured.target == name);
        let value = |name: &str| cost(name).and_then(|m| m.value).map_or_else(|| "-".to_owned(), short);
        let words = format!(
            "  on {}: {} probes and {} false ejections a day",
            scenario.scenario,
            value("probe_per_day"),
            value("false_ejection_per_day")
        );
        text.wrapped(&words, 4);
    }
}

/// Scenarios that do not count are there for what they cost; without one, the first one tells it.
fn calm<'a>(report: &Report, choice: &'a Choice) -> Vec<&'a crate::experiment::tune::report::InScenario> {
    let is_free = |name: &str| report.mix.iter().any(|w| w.scenario == name && w.weight == 0.0);
    let free: Vec<_> = choice.scenarios.iter().filter(|scenario| is_free(&scenario.scenario)).collect();
    if free.is_empty() { choice.scenarios.iter().take(1).collect() } else { free }
}

fn row(text: &mut Text, label: &str, measured: &Measured) {
    let value = measured.value.map_or_else(|| "-".to_owned(), short);
    let figures = format!("{value:>10}{:>19}{:>19}", ends(measured.ci95), ends(measured.pi95));
    let label = format!("  {label:<30}");
    if label.width() <= 32 {
        text.wrapped(&format!("{label}{figures}"), 4);
    } else {
        text.wrapped(&label, 4);
        text.wrapped(&format!("{:32}{figures}", ""), 4);
    }
}

fn ends(ends: Ends) -> String {
    ends.0.map_or_else(|| "-".to_owned(), |ends| format!("{} to {}", short(ends.low), short(ends.high)))
}

fn constraint_words(judged: &Judged) -> String {
    let value = judged.value.map_or_else(|| "no value".to_owned(), short);
    let standing = match (judged.verdict, judged.met) {
        (Verdict::Met, _) => "met",
        (Verdict::Missed, _) => "missed",
        (Verdict::Unclear, true) => "met by the estimate, but its interval has the bound in it",
        (Verdict::Unclear, false) => "missed by the estimate, but its interval has the bound in it",
    };
    format!("{}: {value} ({}), {standing}", judged.expect, ends(judged.ci95))
}

/// Without the quotes of a text.
fn bare(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// What an axis is called beside others: the last step of its path.
fn short_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Settings in one line, by the last step of their paths.
fn settings_words(settings: &[Setting]) -> String {
    let word = |setting: &Setting| format!("{} {}", short_name(&setting.path), bare(&setting.value));
    settings.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A table of candidates: a column for each axis, and then a text. Further rows are only counted.
fn settings_table<'a>(
    text: &mut Text,
    head: &str,
    choices: impl Iterator<Item = (&'a Choice, String)> + Clone,
) {
    let count = choices.clone().count();
    let Some((first, _)) = choices.clone().next() else { return };
    let width = |nth: usize| {
        let values = choices.clone().take(ROWS).map(|(choice, _)| bare(&choice.settings[nth].value).width());
        values.chain([short_name(&first.settings[nth].path).width()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..first.settings.len()).map(width).collect();
    let row = |cells: Vec<&str>, rest: &str| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
        let cells: String = cells.collect();
        format!("  {cells}{rest}")
    };
    text.wrapped(&row(first.settings.iter().map(|setting| short_name(&setting.path)).collect(), head), 6);
    for (choice, words) in choices.take(ROWS) {
        text.wrapped(&row(choice.settings.iter().map(|setting| bare(&setting.value)).collect(), &words), 6);
    }
    further(text, count);
}

fn further(text: &mut Text, count: usize) {
    if count > ROWS {
        let more = thousands((count - ROWS) as f64);
        text.wrapped(&format!("  and {more} more, which `--out` writes into a table of candidates"), 4);
    }
}

fn difference_words(difference: &Difference) -> String {
    let interval = match difference.ci95.0 {
        Some(ends) if ends.low < ends.high => format!(" ({} to {})", signed(ends.low), signed(ends.high)),
        _ => String::new(),
    };
    format!("{}{interval}", signed(difference.value))
}

fn signed(value: f64) -> String {
    let number = short(value);
    if value > 0.0 && number != "0" && number != "0.00" { format!("+{number}") } else { number }
}

fn objective(report: &Report) -> &str {
    report.objectives.first().map_or("", String::as_str)
}

fn tied(text: &mut Text, report: &Report) {
    title(text, "cannot be told from it, in the order of the axes");
    if report.tied.is_empty() {
        text.wrapped("  nothing that was played", 2);
        return;
    }
    let row = |tied: &'_ Tied| {
        let constraints = &tied.choice.constraints;
        let missed = constraints.iter().find(|judged| !judged.met);
        let unclear = constraints.iter().find(|judged| judged.verdict == Verdict::Unclear);
        let unclear = match (missed, unclear) {
            (Some(missed), _) => format!("; misses {}, by the estimate", missed.expect),
            (None, Some(unclear)) => format!("; {} is unclear", unclear.expect),
            (None, None) => String::new(),
        };
        tied.difference.as_ref().map(difference_words).unwrap_or_default() + &unclear
    };
    let head = format!("{} (95% CI)", objective(report));
    settings_table(text, &head, report.tied.iter().map(|tied| (&tied.choice, row(tied))));
}

fn rows(text: &mut Text, rows: impl Iterator<Item = String>, count: usize) {
    for row in rows.take(ROWS) {
        text.wrapped(&row, 6);
    }
    further(text, count);
}

/// What somebody who fears the worst, or hindsight, would choose.
fn other_views(text: &mut Text, report: &Report, recommended: &Choice) {
    let (Some(worst), Some(regret)) = (&report.by_worst_case, &report.by_regret) else { return };
    title(text, "nobody knows which comes next");
    let view = |label: &str, choice: &Choice| {
        let settings = match choice.candidate == recommended.candidate {
            true => "the recommended".to_owned(),
            false => settings_words(&choice.settings),
        };
        let worst = choice.worst_case.as_ref().map(|at| format!("{} in {}", short(at.value), at.scenario));
        let regret = choice.max_regret.as_ref().map(|at| format!("{} in {}", short(at.value), at.scenario));
        format!(
            "  {label:<14}{settings}: {} over the mix, worst {}, regret {}",
            choice.objectives[0].value.map_or_else(|| "-".to_owned(), short),
            worst.unwrap_or_else(|| "-".to_owned()),
            regret.unwrap_or_else(|| "-".to_owned()),
        )
    };
    for (label, choice) in [("by the mean", recommended), ("by worst case", worst), ("by regret", regret)] {
        text.wrapped(&view(label, choice), 16);
    }
    text.wrapped("  regret: how much worse than what is best for that scenario alone", 2);
}

fn combinations(text: &mut Text, report: &Report) {
    if report.combinations.is_empty() {
        return;
    }
    title(text, "the best of each combination of the other axes");
    let held =
        |judged: &Judged| judged.value.map_or_else(|| "-".to_owned(), short) + " " + &ends(judged.ci95);
    let row = |choice: &Choice| choice.constraints.iter().map(held).collect::<Vec<_>>().join("; ");
    let head = report.constraints.join("; ");
    settings_table(text, &head, report.combinations.iter().map(|choice| (choice, row(choice))));
}

fn constraint_costs(text: &mut Text, report: &Report) {
    if report.constraint_costs.is_empty() {
        return;
    }
    title(text, "what each constraint costs");
    for cost in &report.constraint_costs {
        let words = match (&cost.without, &cost.cost) {
            (Some(without), Some(difference)) => format!(
                "  {}: {} of {}; without it {}",
                cost.expect,
                difference_words(difference),
                objective(report),
                settings_words(&without.settings)
            ),
            _ => format!("  {}: nothing", cost.expect),
        };
        text.wrapped(&words, 4);
    }
}

fn steps(text: &mut Text, report: &Report) {
    if report.steps.is_empty() {
        return;
    }
    title(text, &format!("a step away: more {}", objective(report)));
    let row = |step: &Step| {
        let misses = match step.misses.as_slice() {
            [] => String::new(),
            missed => format!("; misses {}", missed.join(" and ")),
        };
        let moved = format!("{} {} -> {}", short_name(&step.path), bare(&step.from), bare(&step.to));
        format!("  {moved:<34}  {}{misses}", difference_words(&step.difference))
    };
    rows(text, report.steps.iter().map(row), report.steps.len());
}

fn guesses(text: &mut Text, report: &Report) {
    if report.guesses.is_empty() {
        return;
    }
    title(text, &format!("if a guess was wrong: {}", objective(report)));
    let row = |effect: &GuessEffect| {
        let Some(value) = effect.value else {
            return format!("  {:<28}is no valid scenario, or has no value", effect.guess);
        };
        let difference = effect.difference.as_ref().map(difference_words).unwrap_or_default();
        let mut words = format!("  {:<28}{:>9}  {difference}", effect.guess, short(value));
        if !effect.misses.is_empty() {
            write!(words, "; misses {}", effect.misses.join(" and ")).expect("a string grows");
        }
        match &effect.instead {
            Some(settings) => write!(words, "; better: {}", settings_words(settings)),
            None => write!(words, "; stays recommended"),
        }
        .expect("a string grows");
        words
    };
    rows(text, report.guesses.iter().map(row), report.guesses.len());
}

fn front(text: &mut Text, report: &Report) {
    title(text, "no other beats these in everything, in the order of the axes");
    let measured =
        |m: &Measured| format!("{} ({})", m.value.map_or_else(|| "-".to_owned(), short), ends(m.ci95));
    let row = |choice: &Choice| choice.objectives.iter().map(measured).collect::<Vec<_>>().join(", ");
    let head = format!("{} (95% CI)", report.objectives.join(", "));
    settings_table(text, &head, report.front.iter().map(|choice| (choice, row(choice))));
    if !report.tied.is_empty() {
        let count = thousands(report.tied.len() as f64);
        text.wrapped(
            &format!("  {count} more cannot be told from the front; the table of candidates has them"),
            2,
        );
    }
}

fn effort(text: &mut Text, report: &Report, out: Option<&Path>) {
    title(text, "effort");
    let effort = &report.effort;
    let share = effort.grid_runs / effort.runs.max(1) as f64;
    let saved = match share {
        1.5.. => format!(
            "; a grid as fine would have taken {}, {} times as many",
            thousands(effort.grid_runs),
            thousands(share)
        ),
        _ => String::new(),
    };
    let words = format!(
        "  {} runs of {} candidates{saved}; {} more for the guesses",
        thousands(effort.runs as f64),
        thousands(effort.candidates as f64),
        thousands(effort.guess_runs as f64)
    );
    text.wrapped(&words, 2);
    if effort.budget_spent {
        text.wrapped("  the budget was spent before all was known: `--budget` can be higher", 2);
    }
    if let Some(out) = out {
        let what = match report.recommended {
            Some(_) => "candidates, and best.toml",
            None => "candidates; no best.toml, as none of the front is better than the others",
        };
        text.wrapped(&format!("  in {}: {what}", out.display()), 2);
    }
}
