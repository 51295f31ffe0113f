//! A kind of lead to a verdict: all gates, then the score against its threshold. The rules are the ruleset's; the order and
//! the sums are here.

use crate::{
    lead::{Classified, Facts, Flag, Part, Qualified, Score, ScorePart, Verdict},
    rules::{LOW_SCORE, Ruleset, Subject},
};

use super::Trace;

/// Qualifies.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn qualify<'a, T: Trace>(facts: &'a Facts<'a>, class: &Classified, rules: &'a Ruleset, trace: &mut T) -> Qualified<'a> {
    let subject = Subject { facts, class, policy: &rules.policy, qualified: None, marketing_campaign: None };
    let mut reasons: Vec<&'a str> = Vec::new();
    rules.gates.ask_each(&subject, T::OF_EVERY_RULE, |gate| {
        let held = gate.holds(&subject);
        trace.gate(&gate.id, &gate.reason, held, || gate.weigh(&subject));
        if held && !reasons.contains(&gate.reason.as_str()) {
            reasons.push(&gate.reason);
        }
    });
    let score = score(&subject, rules, trace);
    if reasons.is_empty() && score.total < rules.scoring.threshold(class.storefront) {
        reasons.push(LOW_SCORE);
    }
    let verdict = if reasons.is_empty() { Verdict::Qualified } else { Verdict::Unqualified };
    let redacted = reasons.iter().any(|reason| rules.policy.redacts(reason));
    if redacted {
        trace.flag(Flag::Redacted);
    }
    Qualified { score, verdict, reasons, redacted }
}

/// Computed for every lead, qualified or not.
fn score<'a, T: Trace>(subject: &Subject<'_>, rules: &'a Ruleset, trace: &mut T) -> Score<'a> {
    let (mut fit, mut intent) = (0_i64, 0_i64);
    // More hold of hardly any lead.
    let mut parts = Vec::with_capacity(8);
    rules.scoring.rules.ask_each(subject, T::OF_EVERY_RULE, |rule| {
        let part = ScorePart { rule: &rule.id, part: rule.part, points: rule.points };
        let held = rule.holds(subject);
        trace.score(&part, held, || rule.weigh(subject));
        if held {
            let half = match rule.part {
                Part::Fit => &mut fit,
                Part::Intent => &mut intent,
            };
            *half = half.saturating_add(rule.points);
            parts.push(part);
        }
    });
    let total = fit.saturating_add(intent);
    Score { total, fit, intent, parts, grade: rules.scoring.grade(total) }
}

#[cfg(test)]
mod tests {
    use crate::{
        lead::{Consent, EmailKind, Facts, Grade, ListingOption, Referral, Seniority, Timestamp, Verdict},
        pipeline::{NoTrace, decide},
        rules::{Ruleset, sample},
        tables::Offer,
    };

    /// Reasons, total, and whether the event is redacted.
    fn judged(facts: &Facts<'_>) -> (Vec<String>, i64, bool) {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let qualified = decide(facts, &rules, &mut NoTrace).qualified;
        assert_eq!(qualified.verdict == Verdict::Qualified, qualified.reasons.is_empty());
        assert_eq!(qualified.score.total, qualified.score.parts.iter().map(|part| part.points).sum::<i64>());
        (qualified.reasons.iter().map(|&reason| reason.to_owned()).collect(), qualified.score.total, qualified.redacted)
    }

    fn lead(source: &'static str) -> Facts<'static> {
        let mut facts = sample::facts();
        facts.source_raw = Some(source.into());
        facts
    }

    /// What makes the ordinary lead another one.
    type Change = fn(&mut Facts<'static>);

    #[test]
    fn every_default_gate_closes() {
        let cases: [(&str, Change); 11] = [
            ("", |_| {}),
            ("test_lead", |facts| facts.is_test = true),
            ("do_not_contact", |facts| facts.action_raw = Some("DNC".into())),
            ("no_contact", |facts| facts.contact.email_domain = None),
            ("consent_denied", |facts| facts.consent.contact = Consent::Denied),
            ("spam", |facts| facts.is_spam = true),
            ("suppressed", |facts| facts.suppressed_by = Some("domain")),
            ("closed", |facts| facts.referral = Some(Referral { status: Some("Closed".into()), ..Default::default() })),
            ("expired", |facts| {
                let expires_at = Some(sample::noon());
                facts.referral = Some(Referral { status: Some("New".into()), expires_at, ..Default::default() });
            }),
            ("", |facts| {
                let expires_at = Timestamp::parse("2026-12-01T00:00:00Z");
                facts.referral = Some(Referral { status: Some("New".into()), expires_at, ..Default::default() });
            }),
            ("needs_hydration", |facts| {
                facts.needs_hydration = true;
                facts.contact.email_domain = None;
            }),
        ];
        for (reason, change) in cases {
            let mut facts = lead("SPZA-INS");
            change(&mut facts);
            let (reasons, _, redacted) = judged(&facts);
            assert_eq!(reasons.join(" "), reason);
            assert_eq!(redacted, ["do_not_contact", "consent_denied", "suppressed"].contains(&reason), "{reason}");
        }
    }

    #[test]
    fn all_gates_that_hold_are_told_in_order_and_low_score_only_without_them() {
        let mut facts = sample::facts();
        facts.contact.email_kind = EmailKind::FreeMail;
        assert_eq!(judged(&facts).0, ["low_score"]);
        facts.is_spam = true;
        facts.is_test = true;
        assert_eq!(judged(&facts).0, ["test_lead", "spam"]);
    }

    #[test]
    fn a_phone_alone_is_contact_enough() {
        let mut facts = lead("SPZA-PLT");
        facts.contact.email_domain = None;
        facts.contact.email_kind = EmailKind::Unknown;
        facts.contact.phone_raw = Some("14255550123".into());
        assert_eq!(judged(&facts).0, [""; 0]);
    }

    #[test]
    fn free_mail_or_an_unknown_action_alone_does_not_disqualify_and_both_do() {
        let mut facts = lead("SPZA-PLT");
        facts.contact.email_kind = EmailKind::FreeMail;
        assert_eq!(judged(&facts), (Vec::new(), 5, false));
        let mut unknown = lead("SPZA-Frob");
        assert_eq!(judged(&unknown), (Vec::new(), 10, false));
        unknown.contact.email_kind = EmailKind::FreeMail;
        assert_eq!(judged(&unknown), (vec!["low_score".to_owned()], -20, false));
    }

    #[test]
    fn points_follow_the_default_table() {
        let points = |source: &'static str, change: Change| {
            let mut facts = lead(source);
            facts.contact.email_kind = EmailKind::Tenant;
            change(&mut facts);
            judged(&facts).1
        };
        let same: Change = |_| {};
        let intents: Vec<i64> = ["AzurePortal-Create", "SPZA-INS", "TestDrive-StartTestDrive", "SPZA-PLT", "SPZA-DNC", "SPZA"]
            .map(|source| points(source, same))
            .into();
        assert_eq!(intents, [40, 30, 30, 25, 0, 0]);
        assert_eq!(points("SPZA-PLT", |facts| facts.note = Some("200 seats".into())), 35);
        assert_eq!(points("SPZA-INS", |facts| facts.note = Some("200 seats".into())), 30);
        let seniorities = [Seniority::CLevel, Seniority::Vp, Seniority::Director, Seniority::Manager, Seniority::Staff, Seniority::Unknown];
        let fits = seniorities.map(|seniority| {
            let mut facts = lead("SPZA");
            facts.contact.email_kind = EmailKind::Edu;
            facts.contact.seniority = seniority;
            judged(&facts).1
        });
        assert_eq!(fits, [15, 15, 10, 5, 0, 0]);
        assert_eq!(points("SPZA", |facts| facts.contact.email_kind = EmailKind::Disposable), -20);
        let offer = Offer { listing_option: Some(ListingOption::Transact), ..Default::default() };
        let mut facts = lead("SPZA-INS");
        facts.offer.row = Some(&offer);
        assert_eq!(judged(&facts).1, 50);
    }

    #[test]
    fn own_domains_and_all_beneath_them_are_gated() {
        let text = crate::rules::DEFAULT.replace("own_domains = []", "own_domains = [\"Acme.example\"]");
        let rules = Ruleset::parse(&text).expect("a ruleset");
        for (domain, own) in [("acme.example", true), ("eu.acme.example", true), ("notacme.example", false), ("example", false)] {
            let mut facts = lead("SPZA-INS");
            facts.contact.email_domain = Some(domain.into());
            let decision = decide(&facts, &rules, &mut NoTrace);
            assert_eq!(decision.qualified.reasons == ["own_domain"], own, "{domain}");
        }
    }

    #[test]
    fn thresholds_are_the_storefronts_and_grades_fall_at_their_bounds() {
        let rules = Ruleset::parse(
            "[ruleset]\nname='a'\nversion='1'\n[source.x]\nstorefront='APP_SOURCE'\n[score]\nthreshold=5\nthreshold_by_storefront={APP_SOURCE=40}\n\
             grades={A=50,B=39,C=0}\n[[score.rule]]\nid='a'\npart='fit'\nwhen='true'\npoints=39\n[[score.rule]]\nid='b'\npart='intent'\n\
             when='has(note)'\npoints=11\n",
        )
        .expect("a ruleset");
        let judge = |source: &'static str, note: Option<&'static str>| {
            let mut facts = lead(source);
            facts.note = note.map(Into::into);
            let qualified = decide(&facts, &rules, &mut NoTrace).qualified;
            (qualified.verdict, qualified.score.grade, qualified.score.fit, qualified.score.intent)
        };
        assert_eq!(judge("x", None), (Verdict::Unqualified, Grade::B, 39, 0));
        assert_eq!(judge("y", None), (Verdict::Qualified, Grade::B, 39, 0));
        assert_eq!(judge("x", Some("n")), (Verdict::Qualified, Grade::A, 39, 11));
    }
}
