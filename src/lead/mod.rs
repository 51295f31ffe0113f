//! What a lead is: the raw record it came in, the words of its domain, the facts read from it and the decision about it.
//! Pure values: no Kafka, clock, file, environment, thread, random number, log or metric. What happens to them is in
//! `pipeline`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod code;
mod decision;
mod facts;
mod key_hash;
mod lead_source;
mod record;
mod small_text;
mod vocabulary;

pub use code::{DeadLetterCode, DeadLetterStage, Flag, Flags, Rejection, UnkeptValue};
pub use decision::{Classified, Decision, Outcome, Qualified, Route, Score, ScorePart};
pub use facts::{ConsentFacts, Contact, Facts, Identity, OfferFacts, Referral};
pub use key_hash::key_hash;
pub use lead_source::{LeadSource, fold};
pub use record::{HeaderSpan, Headers, NextOffset, Partition, Position, Record, Timestamp};
pub use small_text::SmallText;
pub use vocabulary::{
    Action, Audience, Campaign, Channel, Confidence, Consent, EmailKind, Format, Grade, Listing, ListingOption, OfferType, Origin, Part,
    Region, Seniority, Stage, Storefront, Verdict, Vocabulary,
};
