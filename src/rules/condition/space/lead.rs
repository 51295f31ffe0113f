//! A lead made of a model: facts, class and judgement as the rows say, and what they do not say as an ordinary lead has it. What is
//! made is shown to conditions before anything is told of it, so a slip here costs an example and never a wrong word.

use std::sync::Arc;

use super::{
    Model, Space,
    draft::Draft,
    unlisted,
    values::Known,
    variables::{Of, Variable, name_of_reason, standing},
};
use crate::{
    lead::{
        Action, Audience, Campaign, Channel, Classified, Confidence, Consent, ConsentFacts, Contact, EmailKind, Facts, Flag, Flags, Format,
        Identity, Listing, OfferFacts, Origin, Partition, Position, Qualified, Region, Score, Seniority, Stage, Storefront, Timestamp,
        Verdict,
    },
    rules::{
        Subject,
        condition::{
            evaluate,
            fields::Value,
            tree::{Literal, Node},
        },
    },
    tables::{Offer, TableForm, TableVersions, Tables},
};

const DOMAIN: &str = "company.example";

static NO_TABLES: TableVersions = TableVersions::new();

/// A storefront lead that can be reached, and no more.
fn ordinary(now: Timestamp) -> Facts<'static> {
    let contact = Contact {
        first_name: None,
        last_name: None,
        email: Some("kim@company.example".into()),
        email_domain: Some(DOMAIN.into()),
        email_kind: EmailKind::Business,
        phone_raw: None,
        phone_e164: None,
        country: None,
        country_raw: None,
        region: Region::Unknown,
        company: None,
        title: None,
        seniority: Seniority::Unknown,
    };
    Facts {
        at: Position { partition: Partition { topic: Arc::from("leads.raw"), number: 0 }, offset: 0 },
        index: 0,
        format: Format::HttpsJson,
        received_at: now,
        event_time: now,
        lead_id: Identity::from_digest(&[0; 32]),
        person_key: None,
        origin: Origin::Storefront,
        source_raw: None,
        action_raw: None,
        contact,
        offer: OfferFacts::default(),
        account: None,
        consent: ConsentFacts { contact: Consent::Granted, share: Consent::Granted, marketing: Consent::Unknown },
        referral: None,
        is_test: false,
        is_spam: false,
        needs_hydration: false,
        suppressed_by: None,
        note: None,
        attribution: Vec::new(),
        extra: Vec::new(),
        flags: Flags::default(),
        tables: &NO_TABLES,
    }
}

impl<'r> Space<'r> {
    /// Gives each variable the row that an ordinary lead has in it.
    pub(super) fn settle_usual_rows(&mut self) {
        let rows: Vec<usize> = self.with_lead(&Model::default(), |subject| {
            self.variables.iter().map(|variable| row_of(variable, subject).unwrap_or(variable.usual)).collect()
        });
        for (variable, row) in self.variables.iter_mut().zip(rows) {
            variable.usual = row;
        }
    }

    /// Shows the lead of this model.
    pub(super) fn with_lead<R>(&self, model: &Model, show: impl FnOnce(&Subject<'_>) -> R) -> R {
        let mut draft = self.draft(model);
        let mut tables = Tables::default();
        if let Some(mut account) = draft.account.take() {
            let domain = draft.facts.contact.email_domain.as_deref().unwrap_or(DOMAIN).to_owned();
            account.insert("domain".to_owned(), domain);
            // A row that the table refuses is no row, which the conditions will see.
            _ = tables.add("accounts", TableForm::Ndjson, &serde_json::json!(account).to_string());
        }
        let offer = draft.offer.take();
        let mut facts: Facts<'_> = draft.facts;
        facts.account = facts.contact.email_domain.as_deref().and_then(|domain| tables.account(domain));
        facts.offer.row = offer.as_ref();
        let [fit, intent] = match draft.halves {
            [Some(fit), Some(intent)] => [fit, intent],
            [Some(fit), None] => [fit, draft.total - fit],
            [None, Some(intent)] => [draft.total - intent, intent],
            [None, None] => [draft.total, 0],
        };
        let score = Score { total: draft.total, fit, intent, parts: Vec::new(), grade: self.rules.scoring.grade(draft.total) };
        let qualified = Qualified { score, verdict: draft.verdict, reasons: draft.reasons, redacted: false };
        show(&Subject {
            facts: &facts,
            class: &draft.class,
            policy: &self.rules.policy,
            qualified: Some(&qualified),
            marketing_campaign: draft.campaign.as_deref(),
        })
    }

    fn draft(&self, model: &Model) -> Draft<'r> {
        let facts = ordinary(self.now);
        let mut draft = Draft {
            class: self.class(0, &facts),
            facts,
            total: 0,
            halves: [None; 2],
            verdict: Verdict::Qualified,
            reasons: Vec::new(),
            campaign: None,
            account: None,
            offer: None,
        };
        let class = self.variables.iter().position(|variable| matches!(variable.of, Of::Class));
        self.classify(&mut draft, class.map_or(0, |at| self.row(at, model)));
        let rows = model.rows.iter().filter_map(|(at, row)| Some((*at, self.variables.get(*at)?, *row)));
        for (at, variable, row) in rows {
            for (column, name) in variable.columns.iter().enumerate() {
                match variable.value(row, column) {
                    Some(Known::Unlisted) => {
                        let text = unlisted::text_with(&self.features(at, &model.features));
                        self.set(&mut draft, variable, name, &Known::Text(text.into()));
                    }
                    Some(value) => self.set(&mut draft, variable, name, value),
                    None => {}
                }
            }
        }
        self.add_up(&mut draft, model);
        self.mend(&mut draft, model);
        draft
    }

    fn class(&self, row: usize, facts: &Facts<'_>) -> Classified {
        let mut class = Classified {
            storefront: Storefront::Unknown,
            channel: Channel::Unknown,
            campaign: Campaign::Unclassified,
            audience: Audience::Unknown,
            listing: Listing::Unknown,
            action: Action::Unknown,
            stage: Stage::Unknown,
            confidence: Confidence::Low,
            consent: facts.consent,
            flags: Flags::default(),
        };
        if let Some(row) = self.classes.get(row) {
            class.storefront = row.storefront;
            class.channel = row.channel;
            class.campaign = row.campaign;
            class.audience = row.audience;
            class.listing = row.listing;
            class.action = row.action;
            class.stage = row.stage;
            class.confidence = row.confidence;
            class.consent.contact = row.consent;
            class.flags.set(Flag::StorefrontInferred, row.is_inferred());
            class.flags.set(Flag::StorefrontUnresolved, row.is_unresolved());
        }
        class
    }

    fn classify(&self, draft: &mut Draft<'r>, row: usize) {
        draft.class = self.class(row, &draft.facts);
        let Some(class) = self.classes.get(row) else { return };
        draft.facts.origin = class.origin;
        draft.facts.consent.contact = class.consent;
        draft.offer = class.offer.map(|(offer_type, listing_option)| Offer {
            publisher_id: "acme".to_owned(),
            offer_id: "planner".to_owned(),
            offer_type,
            listing_option,
            ..Offer::default()
        });
    }

    fn set(&self, draft: &mut Draft<'r>, variable: &Variable<'_>, name: &str, value: &Known) {
        match (&variable.of, value) {
            (Of::Term(Node::Column(..)), Known::Text(text)) => draft.set_column(name, text),
            (Of::Term(Node::Entry(map, key)), Known::Text(text)) => {
                if let (Node::Field(map), Node::Literal(Literal::Text(key))) = (&**map, &**key) {
                    draft.set_entry(map.path, key, text);
                }
            }
            (Of::Key(map, key), Known::Text(text)) => draft.set_entry(map.path, key, text),
            (Of::Flag(flag), Known::Bool(truth)) => draft.facts.flags.set(*flag, *truth),
            (Of::Itself, Known::Bool(true)) => draft.reasons.extend(self.rules.reasons().filter(|reason| name_of_reason(reason) == name)),
            (Of::Campaign, Known::Text(text)) => draft.campaign = Some(text.to_string()),
            (Of::Pair(left, right), Known::Int(standing)) => draft.set_pair(left, right, *standing),
            (Of::Total | Of::Place | Of::Term(Node::Field(_)), _) => draft.set(name, value, &self.rules.policy),
            _ => {}
        }
    }
}

/// The row of a variable in which a lead is, if its values are among those that are told apart.
pub(super) fn row_of(variable: &Variable<'_>, subject: &Subject<'_>) -> Option<usize> {
    let value = match variable.of {
        Of::Term(node) => evaluate::with_value(node, subject, Known::of),
        Of::Pair(left, right) => {
            evaluate::with_value(left, subject, |left| evaluate::with_value(right, subject, |right| standing(left, right)))
        }
        Of::Place => Known::of(subject.facts.contact.country.map_or(Value::Null, Value::Text)),
        Of::Total => Known::Int(subject.qualified.map_or(0, |qualified| qualified.score.total)),
        Of::Campaign => Known::of(subject.marketing_campaign.map_or(Value::Null, Value::Text)),
        Of::Flag(flag) => Known::Bool(subject.facts.flags.contains(flag)),
        Of::Key(map, key) => match (map.read)(subject) {
            Value::Map(entries) => {
                entries.iter().find(|(known, _)| **known == *key).map_or(Known::Error, |(_, text)| Known::Text((**text).into()))
            }
            _ => Known::Error,
        },
        Of::Class | Of::Itself => return None,
    };
    variable.row_with(&value)
}

impl Variable<'_> {
    /// The row of this value, or of one that no test tells from it.
    pub(super) fn row_with(&self, value: &Known) -> Option<usize> {
        let same = |known: &Known| match (known, value) {
            (Known::Word(word), Known::Text(text)) => **word == **text,
            (known, value) => known == value,
        };
        let exact = self.rows.iter().position(|row| row.first().is_some_and(same));
        exact.or_else(|| match value {
            Known::Text(_) => self.unlisted,
            number => {
                let rank = number.rank()?;
                let ranked = || self.rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.first()?.rank()?)));
                // The greatest that is not above it lies between the same numbers; below all of them the least does.
                let below = ranked().filter(|(_, known)| *known <= rank).max_by_key(|(_, known)| *known);
                below.or_else(|| ranked().min_by_key(|(_, known)| *known)).map(|(at, _)| at)
            }
        })
    }
}
