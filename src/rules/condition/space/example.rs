//! The lead that shows a finding: made of a model, asked by the conditions themselves, and told by the fields they name. A lead of
//! which they do not say what the analysis says is not shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    Answer, Formula, Model, Space,
    question::{self, formula},
};
use crate::{
    lead::{Flag, Flags, Vocabulary},
    rules::{
        Subject,
        condition::{
            Condition, evaluate,
            fields::{self, FIELDS, Value},
            tree::{Comparison, Elements, Literal, Node},
        },
    },
};

/// What it takes to make a lead and to ask it, in steps.
const EXAMPLE: usize = 500;

/// Fields of a lead with their values.
pub(in crate::rules) type Example = serde_json::Map<String, Json>;

/// What is read of a lead to be shown.
#[derive(Clone, Copy)]
pub(super) enum Shown<'n> {
    Term(&'n Node),
    Field(&'static fields::Field),
}

/// What the expression names, by name.
pub(super) fn named<'n>(node: &'n Node, found: &mut BTreeMap<String, Shown<'n>>) {
    let mut list = |field: &'static fields::Field| _ = found.insert(field.path.to_owned(), Shown::Field(field));
    match node {
        Node::Field(field) | Node::InField(_, field) | Node::Loop { over: Elements::Field(field), .. } => list(field),
        Node::HasFlag(_) => fields::find("flags").into_iter().for_each(list),
        _ => {}
    }
    match node {
        Node::Column(..) => _ = found.insert(question::name(node), Shown::Term(node)),
        Node::Entry(map, key) if matches!((&**map, &**key), (Node::Field(_), Node::Literal(_))) => {
            found.insert(question::name(node), Shown::Term(node));
        }
        other => question::parts(other).into_iter().for_each(|part| named(part, found)),
    }
}

impl Condition {
    /// Names of the fields that it asks for.
    pub(in crate::rules) fn names(&self) -> BTreeSet<String> {
        let mut found = BTreeMap::new();
        named(&self.0, &mut found);
        found.into_keys().collect()
    }

    /// Texts that it asks for among the reasons.
    pub(in crate::rules) fn reasons(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            if let Node::InField(item, field) = node
                && let (Node::Literal(Literal::Text(reason)), fields::Type::Reasons) = (&**item, field.of)
            {
                found.push(&**reason);
            }
            open.extend(question::parts(node));
        }
        found
    }

    /// The largest whole number that it names.
    pub(in crate::rules) fn largest_number(&self) -> Option<i64> {
        let mut largest = None;
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            if let Node::Literal(Literal::Int(number)) = node {
                largest = largest.max(Some(*number));
            }
            open.extend(question::parts(node));
        }
        largest
    }

    /// Whether it asks for one of no elements.
    pub(in crate::rules) fn asks_an_empty_list(&self) -> bool {
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            if matches!(node, Node::InList(_, list) if list.is_empty()) {
                return true;
            }
            open.extend(question::parts(node));
        }
        false
    }

    /// Whether it asks for several things at once.
    pub(in crate::rules) fn has_parts(&self) -> bool {
        matches!(self.0, Node::All(_))
    }

    /// A text with a capital letter that it looks for in the field.
    pub(in crate::rules) fn capitals_of(&self, field: &str) -> Option<&str> {
        let is_it = |node: &Node| matches!(node, Node::Field(known) if known.path == field);
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            let asked: Vec<&Node> = match node {
                Node::Test(_, text, part) if is_it(text) => vec![part],
                Node::Compare(Comparison::Equal, one, other) if is_it(one) || is_it(other) => vec![one, other],
                Node::InList(item, list) if is_it(item) => list.iter().collect(),
                _ => Vec::new(),
            };
            let texts =
                asked.into_iter().filter_map(|node| if let Node::Literal(Literal::Text(text)) = node { Some(&**text) } else { None });
            if let Some(text) = texts.into_iter().find(|text| *text != text.to_lowercase()) {
                return Some(text);
            }
            open.extend(question::parts(node));
        }
        None
    }

    /// Whether one of its tests tells the one word of a field from the other.
    pub(in crate::rules) fn tells_apart(&self, field: &str, one: &str, other: &str) -> bool {
        question::tells_apart(&self.0, field, one, other)
    }
}

fn json(value: Value<'_>) -> Json {
    match value {
        Value::Error | Value::Null => Json::Null,
        Value::Bool(truth) => truth.into(),
        Value::Int(number) => number.into(),
        Value::Double(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Time(time) => time.to_string().into(),
        Value::Duration(micros) => micros.into(),
        Value::Row => true.into(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), Json::from(value.to_string()))).collect::<Example>().into(),
        Value::Flags(flags) => names_of(flags),
        Value::Reasons(reasons) => reasons.iter().map(|reason| Json::from(*reason)).collect(),
    }
}

fn names_of(flags: Flags) -> Json {
    flags.iter().map(Flag::name).map(Json::from).collect()
}

impl<'r> Space<'r> {
    /// The lead of the model as the fields `about` which these conditions (and `also`) ask, if `shows` is true of it.
    pub(in crate::rules) fn example(
        &self,
        model: &Model,
        about: &[&Condition],
        also: &[&str],
        shows: impl Fn(&Subject<'_>) -> bool,
    ) -> Option<Example> {
        self.spend(EXAMPLE);
        let mut names = BTreeMap::new();
        for condition in about {
            named(&condition.0, &mut names);
        }
        let also = if names.is_empty() && also.is_empty() { &["origin", "storefront", "action"] } else { also };
        let also = FIELDS.iter().filter(|field| also.contains(&field.path));
        names.extend(also.map(|field| (field.path.to_owned(), Shown::Field(field))));
        self.with_lead(model, |subject| {
            let value = |shown: Shown<'_>| match shown {
                Shown::Field(field) => json((field.read)(subject)),
                Shown::Term(node) => evaluate::with_value(node, subject, json),
            };
            shows(subject).then(|| names.into_iter().map(|(name, shown)| (name, value(shown))).collect())
        })
    }

    /// Of a condition that no lead meets: a lead that meets all of its parts but one, and what that one asks for.
    pub(in crate::rules) fn nearest(&self, condition: &'r Condition, with: &Formula, decided: bool) -> Option<(Example, Vec<String>)> {
        let Node::All(parts) = &condition.0 else { return None };
        let mut reader = super::Reader(self);
        let formulas: Vec<Formula> = parts.iter().map(|part| formula(part, &mut reader)).collect();
        for (at, failing) in parts.iter().enumerate().rev() {
            let others = formulas.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, formula)| formula);
            let needs: Vec<&Formula> = others.chain([with]).collect();
            let Answer::Possible(model) = self.can_hold(&needs, &[], decided) else { continue };
            let shows =
                |subject: &Subject<'_>| parts.iter().enumerate().all(|(other, part)| evaluate::holds(part, subject) == (other != at));
            let Some(example) = self.example(&model, &[condition], &[], shows) else { continue };
            let mut names = BTreeMap::new();
            named(failing, &mut names);
            return Some((example, names.into_keys().collect()));
        }
        None
    }
}
