//! What decides in a running service: the pipeline, and beside it the rulesets on trial, a canary that decides its share of
//! the leads and shadows that decide nothing. Whose a lead is, its `lead_id` alone tells; how long it takes nobody asks here.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Pipeline;
use crate::{
    lead::Facts,
    rules::{Condition, Ruleset},
};

/// A share of all leads, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// No lead.
    pub const NONE: Self = Self(0);
    /// Every lead.
    pub const ALL: Self = Self(MILLION);

    /// From a number between 0 and 1; what lies outside is taken for the nearer of the two.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // held between 0 and a million
    pub fn of(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * f64::from(MILLION)).round() as u32)
    }

    /// As a number between 0 and 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }

    /// Whether a lead is among this share of those that are split for `split`. A lead that is in a share is in every larger one.
    #[must_use]
    pub fn holds(self, split: Split, facts: &Facts<'_>) -> bool {
        match self {
            Self::NONE => false,
            Self::ALL => true,
            Self(millionths) => place(split, facts.lead_id.as_str()) < millionths,
        }
    }
}

const MILLION: u32 = 1_000_000;

/// What leads are split for. Each splits in a way of its own, so that one share tells nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Whether the canary decides a lead.
    Canary,
    /// Whether shadows decide a lead too.
    Shadow,
}

/// Where a lead stands among a million places: the first eight bytes of the SHA-256 of `canary/LEAD_ID` or `shadow/LEAD_ID` as
/// one number, its last six decimal digits. Whoever has the events can tell it again, in any language, in any version.
fn place(split: Split, lead_id: &str) -> u32 {
    let name = match split {
        Split::Canary => "canary/",
        Split::Shadow => "shadow/",
    };
    let digest: [u8; 32] = Sha256::new().chain_update(name).chain_update(lead_id).finalize().into();
    let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    u32::try_from(u64::from_be_bytes(*first) % u64::from(MILLION)).unwrap_or(MILLION)
}

/// A ruleset that truly decides a share of the leads.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Its rules.
    pub rules: Arc<Ruleset>,
    /// Of all leads, unless it is stopped.
    pub share: Share,
    /// Why it decides no lead any more, for a person.
    pub stopped: Option<String>,
}

impl Canary {
    /// Whether this lead is the canary's.
    #[must_use]
    pub fn takes(&self, facts: &Facts<'_>) -> bool {
        self.stopped.is_none() && self.share.holds(Split::Canary, facts)
    }
}

/// The rulesets that are tried beside the one that decides.
#[derive(Clone, Debug, Default)]
pub struct Trials {
    /// What decides a share of the leads in its place.
    pub canary: Option<Canary>,
    /// What decides its leads once more, for comparison alone.
    pub shadows: Vec<Arc<Ruleset>>,
}

/// One snapshot of all that decides in a running service: a batch is decided by one of them.
#[derive(Clone, Debug)]
pub struct Live {
    /// What decides every lead that is not the canary's.
    pub pipeline: Arc<Pipeline>,
    /// What is tried beside it.
    pub trials: Trials,
    /// Of a replay: of the decided leads, those for which it holds are published. `None`: all.
    pub only: Option<Arc<Condition>>,
}

impl Live {
    /// A pipeline and what is tried beside it.
    #[must_use]
    pub fn new(pipeline: Pipeline, trials: Trials) -> Self {
        Self { pipeline: Arc::new(pipeline), trials, only: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lead::Identity, rules::sample};

    fn facts(number: u32) -> Facts<'static> {
        let digest: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
        Facts { lead_id: Identity::from_digest(&digest), ..sample::facts() }
    }

    #[test]
    fn a_leads_place_is_what_anybody_computes_from_its_id() {
        // printf 'canary/0123456789abcdef0123456789abcdef' | sha256sum
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!([place(Split::Canary, id), place(Split::Shadow, id)], [921_111, 300_703]);
    }

    #[test]
    fn a_share_is_of_all_leads_and_grows_by_adding_leads() {
        let leads: Vec<_> = (0..20_000).map(facts).collect();
        let mut before = 0;
        for percent in [0.0, 1.0, 20.0, 50.0, 100.0] {
            let share = Share::of(percent / 100.0);
            let held = leads.iter().filter(|lead| share.holds(Split::Canary, lead)).count();
            let expected = 20_000.0 * percent / 100.0;
            assert!((f64::from(u32::try_from(held).expect("few")) - expected).abs() <= 300.0, "{held} at {percent} %");
            let larger = Share::of(percent / 100.0 + 0.1);
            assert!(leads.iter().all(|lead| !share.holds(Split::Canary, lead) || larger.holds(Split::Canary, lead)));
            assert!(held >= before);
            before = held;
        }
    }

    #[test]
    fn the_two_splits_tell_nothing_of_each_other() {
        let half = Share::of(0.5);
        let leads: Vec<_> = (0..20_000).map(facts).collect();
        let both = leads.iter().filter(|lead| half.holds(Split::Canary, lead) && half.holds(Split::Shadow, lead)).count();
        assert!((4_700..5_300).contains(&both), "{both} of 20000 are in both halves");
    }

    #[test]
    fn shares_are_kept_within_their_bounds() {
        assert_eq!([-1.0, 0.0, f64::NAN].map(Share::of), [Share::NONE; 3]);
        assert_eq!([1.0, 7.0].map(Share::of), [Share::ALL; 2]);
        assert!((Share::of(0.005).as_f64() - 0.005).abs() < 1e-9);
    }
}
