//! What came of a backtest, for programs as one object and for people as a page of text. The page to look at is made by `page`
//! from the same object.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    input::Gone,
    percent,
    tally::{DIMENSIONS, Group, Sample, Scores, Tally},
};
use crate::{
    lead::{Verdict, Vocabulary as _},
    rules::Ruleset,
};

/// Kinds of one dimension that programs are told.
const MOST_KINDS: usize = 1000;
/// Kinds of one dimension that people are told.
const MOST_SHOWN: usize = 8;
/// What a lead is classified as, in samples.
const CLASS: [&str; 5] = ["storefront", "campaign", "action", "stage", "marketing_campaign"];
/// How a destination follows up, in samples.
const FOLLOW_UP: [&str; 7] = ["queue", "owner", "priority", "first_touch_due", "accept_due", "hot_until", "late_delivery"];
/// What stands for a destination where there is none.
const NOWHERE: &str = "none";

/// Which rules.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
    name: String,
    version: String,
    hash: String,
}

impl Named {
    fn of(rules: &Ruleset) -> Self {
        Self { name: rules.name.clone(), version: rules.version.clone(), hash: rules.hash.clone() }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) leads: u64,
    pub(super) changed: u64,
    pub(super) records: u64,
    pub(super) rejected: u64,
    pub(super) rescored: u64,
    /// Where retention may have deleted the beginning of the range.
    pub(super) gone: Gone,
    pub(super) baseline: Named,
    pub(super) candidate: Named,
    pub(super) before: BTreeMap<&'static str, u64>,
    pub(super) after: BTreeMap<&'static str, u64>,
    /// Flips alone: `QUALIFIED->UNQUALIFIED`.
    pub(super) verdicts: BTreeMap<String, u64>,
    /// Destinations that a lead goes to no more, and those it goes to instead: `A->B`, `A->none`, `none->B`.
    pub(super) routes: BTreeMap<String, u64>,
    /// Destinations that stay, with another queue, owner, priority or clock.
    pub(super) follow_up: BTreeMap<String, u64>,
    pub(super) reasons: Reasons,
    pub(super) scores: ScoresReport,
    pub(super) by: BTreeMap<&'static str, BTreeMap<String, Group>>,
    pub(super) causes: Vec<CauseReport>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
pub(super) struct Reasons {
    pub(super) gained: BTreeMap<String, u64>,
    pub(super) lost: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScoresReport {
    pub(super) before: ScoreReport,
    pub(super) after: ScoreReport,
    /// Leads by how far their score moved, in steps of ten points away from zero.
    pub(super) moved: BTreeMap<i64, u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScoreReport {
    pub(super) mean: f64,
    /// Leads by score, in steps of ten points named by the least.
    pub(super) steps: BTreeMap<i64, u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct CauseReport {
    pub(super) rule: String,
    /// `new`, `gone` or `changed`.
    pub(super) how: &'static str,
    pub(super) leads: u64,
}

impl Report {
    pub(super) fn of(tally: &Tally, gone: Gone, baseline: &Ruleset, candidate: &Ruleset) -> Self {
        let side = |verdict: fn(&(Verdict, Verdict)) -> Verdict| {
            let mut counts: BTreeMap<&'static str, u64> = Verdict::ALL.iter().map(|verdict| (verdict.name(), 0)).collect();
            for (pair, leads) in &tally.verdicts {
                *counts.entry(verdict(pair).name()).or_default() += leads;
            }
            counts
        };
        let flips = tally.verdicts.iter().filter(|((before, after), _)| before != after);
        let named = |destination: &Option<String>| destination.as_deref().unwrap_or(NOWHERE).to_owned();
        let mut causes: Vec<_> = tally
            .causes
            .iter()
            .map(|(cause, leads)| CauseReport { rule: cause.rule.clone(), how: cause.how.name(), leads: *leads })
            .collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.leads));
        let mut samples: Vec<_> =
            tally.samples.iter().flat_map(|(cause, samples)| samples.values().map(move |sample| (cause, sample))).collect();
        samples.sort_by_key(|(cause, _)| std::cmp::Reverse(tally.causes.get(*cause).copied().unwrap_or_default()));
        Self {
            leads: tally.leads,
            changed: tally.changed,
            records: tally.records,
            rejected: tally.rejected,
            rescored: tally.rescored,
            gone,
            baseline: Named::of(baseline),
            candidate: Named::of(candidate),
            before: side(|(before, _)| *before),
            after: side(|(_, after)| *after),
            verdicts: flips.map(|((before, after), leads)| (format!("{}->{}", before.name(), after.name()), *leads)).collect(),
            routes: tally.routes.iter().map(|((before, after), leads)| (format!("{}->{}", named(before), named(after)), *leads)).collect(),
            follow_up: tally.follow_up.clone(),
            reasons: Reasons { gained: tally.gained.clone(), lost: tally.lost.clone() },
            scores: ScoresReport {
                before: scores(&tally.before, tally.leads),
                after: scores(&tally.after, tally.leads),
                moved: tally.moved.clone(),
            },
            by: DIMENSIONS.into_iter().zip(&tally.by).map(|(dimension, groups)| (dimension, most(groups, MOST_KINDS).collect())).collect(),
            causes,
            samples: samples.into_iter().map(|(_, sample)| sample.clone()).collect(),
        }
    }

    /// For people.
    pub(super) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { baseline, candidate, .. } = self;
        writeln!(out, "{}/{} -> {}/{}", baseline.name, baseline.version, candidate.name, candidate.version)?;
        writeln!(out, "{} leads compared ({} records, {} of them no leads)", self.leads, self.records, self.rejected)?;
        for (partition, first) in &self.gone {
            let why = "the topic's retention has deleted those before";
            writeln!(out, "{partition}: records of the range may be gone, the first that exists is at offset {first}: {why}")?;
        }
        writeln!(out, "{} would change: {:.2} %", self.changed, percent(self.changed, self.leads))?;
        let rate = |counts: &BTreeMap<&'static str, u64>| percent(counts.get("QUALIFIED").copied().unwrap_or_default(), self.leads);
        writeln!(out, "qualified        {:.2} % -> {:.2} %", rate(&self.before), rate(&self.after))?;
        writeln!(
            out,
            "mean score       {:.1} -> {:.1} ({} leads score otherwise)",
            self.scores.before.mean, self.scores.after.mean, self.rescored
        )?;
        let causes = self.causes.iter().map(|cause| (format!("{} ({})", cause.rule, cause.how), cause.leads));
        listed("because of", causes, out)?;
        let all = |counts: &BTreeMap<String, u64>| counts.clone().into_iter();
        listed("verdicts", all(&self.verdicts), out)?;
        listed("destinations", all(&self.routes), out)?;
        listed("other queue, owner, priority or clock", all(&self.follow_up), out)?;
        listed("reasons gained", all(&self.reasons.gained), out)?;
        listed("reasons lost", all(&self.reasons.lost), out)?;
        for (dimension, groups) in &self.by {
            group(dimension, groups, out)?;
        }
        for sample in &self.samples {
            writeln!(
                out,
                "\n{}  ({})\n  - {}\n  + {}",
                sample.source,
                sample.cause,
                side(&sample.before, &sample.after),
                side(&sample.after, &sample.before)
            )?;
        }
        Ok(())
    }
}

/// One decision in a line, with all in which it is not like the other.
fn side(decided: &Value, other: &Value) -> String {
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => NOWHERE.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let differing = |one: &Value, other: Option<&Value>, keys: &[&str]| -> Vec<String> {
        let differs = |key: &&&str| other.is_some_and(|other| one.get(**key) != other.get(**key));
        keys.iter().filter(differs).map(|key| format!("{} {}", key.replace('_', " "), text(one.get(*key)))).collect()
    };
    let routes = |side: &'_ Value| side.get("routes").and_then(Value::as_array).cloned().unwrap_or_default();
    let others = routes(other);
    let to: Vec<_> = routes(decided)
        .iter()
        .map(|route| {
            let same = others.iter().find(|other| other.get("destination") == route.get("destination"));
            let how = differing(route, same, &FOLLOW_UP).join(", ");
            let destination = text(route.get("destination"));
            if how.is_empty() { destination } else { format!("{destination} ({how})") }
        })
        .collect();
    let class: Vec<_> = differing(decided, Some(other), &CLASS).into_iter().map(|what| format!(", {what}")).collect();
    let class = class.concat();
    let to = if to.is_empty() { NOWHERE.to_owned() } else { to.join(", ") };
    let of = |key: &str| text(decided.get(key));
    format!("{} score {} {}{class} to {to}", of("verdict"), of("score"), of("reasons"))
}

fn group(dimension: &str, groups: &BTreeMap<String, Group>, out: &mut dyn Write) -> io::Result<()> {
    let mut changed: Vec<_> = groups.iter().filter(|(_, group)| group.changed > 0).collect();
    changed.sort_by_key(|(_, group)| std::cmp::Reverse(group.changed));
    if changed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:<36} {:>10} {:>10} {:>20}", format!("by {dimension}"), "leads", "changed", "qualified")?;
    for (kind, group) in changed.iter().take(MOST_SHOWN) {
        let rate = format!("{:.1} % -> {:.1} %", percent(group.qualified_before, group.leads), percent(group.qualified_after, group.leads));
        writeln!(out, "  {kind:<34} {:>10} {:>10} {rate:>20}", group.leads, group.changed)?;
    }
    if changed.len() > MOST_SHOWN {
        writeln!(out, "  … and {} more", changed.len() - MOST_SHOWN)?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // a mean for people
fn scores(scores: &Scores, leads: u64) -> ScoreReport {
    let mean = if leads == 0 { 0.0 } else { scores.sum as f64 / leads as f64 };
    ScoreReport { mean, steps: scores.steps.clone() }
}

/// Those with the most leads.
fn most(groups: &BTreeMap<String, Group>, most: usize) -> impl Iterator<Item = (String, Group)> {
    let mut all: Vec<_> = groups.iter().map(|(kind, group)| (kind.clone(), *group)).collect();
    all.sort_by_key(|(_, group)| std::cmp::Reverse((group.changed, group.leads)));
    all.truncate(most);
    all.into_iter()
}

fn listed(title: &str, counts: impl Iterator<Item = (String, u64)>, out: &mut dyn Write) -> io::Result<()> {
    let mut all: Vec<_> = counts.collect();
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by_key(|(_, leads)| std::cmp::Reverse(*leads));
    writeln!(out, "\n{title}")?;
    for (what, leads) in all.iter().take(2 * MOST_SHOWN) {
        writeln!(out, "  {what:<50} {leads:>12}")?;
    }
    if all.len() > 2 * MOST_SHOWN {
        writeln!(out, "  … and {} more", all.len() - 2 * MOST_SHOWN)?;
    }
    Ok(())
}
