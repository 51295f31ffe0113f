//! A kind of lead to a verdict: all gates, then the score against its threshold. The rules are the ruleset's; the order and
//! the sums are here.

use crate::{
    lead::{Classified, Facts, Part, Qualified, Score, ScorePart, Verdict},
    rules::{LOW_SCORE, Ruleset, Subject},
};

use super::Trace;

/// Qualifies.
pub(super) fn qualify<'a>(facts: &'a Facts<'a>, class: &Classified, rules: &'a Ruleset, trace: &mut impl Trace) -> Qualified<'a> {
    let subject = Subject { facts, class, policy: &rules.policy, qualified: None, marketing_campaign: None };
    let mut reasons: Vec<&'a str> = Vec::new();
    for gate in &rules.gates {
        let held = gate.holds(&subject);
        trace.gate(&gate.id, &gate.reason, held);
        if held && !reasons.contains(&gate.reason.as_str()) {
            reasons.push(&gate.reason);
        }
    }
    let score = score(&subject, rules, trace);
    if reasons.is_empty() && score.total < rules.scoring.threshold(class.storefront) {
        reasons.push(LOW_SCORE);
    }
    let verdict = if reasons.is_empty() { Verdict::Qualified } else { Verdict::Unqualified };
    let redacted = reasons.iter().any(|reason| rules.policy.redacts(reason));
    Qualified { score, verdict, reasons, redacted }
}

/// Computed for every lead, qualified or not.
fn score<'a>(subject: &Subject<'_>, rules: &'a Ruleset, trace: &mut impl Trace) -> Score<'a> {
    let (mut fit, mut intent) = (0_i64, 0_i64);
    let mut parts = Vec::new();
    for rule in &rules.scoring.rules {
        let part = ScorePart { rule: &rule.id, part: rule.part, points: rule.points };
        let held = rule.holds(subject);
        trace.score(&part, held);
        if held {
            let half = match rule.part {
                Part::Fit => &mut fit,
                Part::Intent => &mut intent,
            };
            *half = half.saturating_add(rule.points);
            parts.push(part);
        }
    }
    let total = fit.saturating_add(intent);
    Score { total, fit, intent, parts, grade: rules.scoring.grade(total) }
}
