//! Made-up leads by number: what a lead is (source, action, offer, title, country) repeats every `CYCLE` numbers, who it is does
//! not, so that no two leads are alike and all that is written for them is known by count and size. Nobody in here exists.

use std::fmt::Write as _;

/// After so many leads their kinds come again.
pub(crate) const CYCLE: u64 = 1024;

const FIRST: [&str; 16] =
    ["Ada", "Bruno", "Chidi", "Dana", "Elif", "Farah", "Goran", "Hana", "Ivo", "Jules", "Kenji", "Lena", "Maren", "Nuria", "Omar", "Petra"];
const LAST: [&str; 16] = [
    "Almquist",
    "Brandt",
    "Castell",
    "Dvorak",
    "Eriksen",
    "Falk",
    "Gruber",
    "Hollis",
    "Ishida",
    "Jansen",
    "Kovac",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
];
const PLACES: [&str; 24] = [
    "Amber", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kelp", "Larch", "Maple", "North",
    "Opal", "Prairie", "Quartz", "River", "Slate", "Tundra", "Umber", "Valley", "Willow", "Zephyr",
];
const TRADES: [&str; 12] =
    ["Analytics", "Builders", "Clinics", "Dairy", "Energy", "Foods", "Freight", "Labs", "Mills", "Optics", "Robotics", "Textiles"];
const TITLES: [&str; 8] = ["CTO", "VP", "Director", "Manager", "CEO", "Engineer", "Consultant", "Analyst"];
const COUNTRIES: [&str; 8] = ["US", "DE", "GB", "FR", "JP", "BR", "IN", "AU"];
const OFFERS: [(&str, &str); 6] = [
    ("fleet-planner", "Fleet Planner"),
    ("cold-chain", "Cold Chain Monitor"),
    ("rota", "Rota for Hospitals"),
    ("ledger-sync", "Ledger Sync"),
    ("shelf-eye", "Shelf Eye"),
    ("route-mind", "Route Mind"),
];
const NOTES: [&str; 4] = [
    "We look for a planner for about four hundred vehicles in three depots; the pilot should start in spring, please call before noon.",
    "Our current contract ends in the third quarter. Is there a \\\"starter\\\" edition, and can it run beside what we have now?",
    "Bitte um R\u{fc}ckruf: es geht um sechs Standorte, Anbindung an das vorhandene ERP und eine Schulung f\u{fc}r zwanzig Personen.",
    "Interested in a demo for the operations team, with offline use in the field and single sign-on; budget is approved for this year.",
];

/// What can be asked of the leads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Corpus {
    /// Each lead has a phone number of its own.
    pub(crate) fresh_phones: bool,
}

impl Corpus {
    /// The record's key: the number, in eight digits.
    pub(crate) fn key(number: u64, key: &mut String) {
        key.clear();
        let _ = write!(key, "{number:08}");
    }

    /// The record's value: the body that Microsoft's HTTPS endpoint sends.
    pub(crate) fn lead(self, number: u64, value: &mut String) {
        let kind = mixed(number % CYCLE);
        let (share, dice) = (kind % 100, kind >> 8);
        let who = mixed(number ^ 0x5bd1_e995);
        let pick = |from: &[&'static str], shift: u32| from[(who >> shift) as usize % from.len()];
        let (source, action) = match share {
            0..25 | 80..92 => ("SPZA-INS", "INS"),
            25..40 => ("AppSource-PLT", "PLT"),
            40..55 => ("AzurePortal-Create", "Create"),
            55..60 => ("AzureMarketplace-INS", "INS"),
            60..80 => ("SPZA-DNC", "DNC"),
            _ => ("SPZA-TRY", "TRY"),
        };
        let (is_test, has_free_mail) = ((80..92).contains(&share), share >= 92 || (share < 60 && dice % 8 == 0));
        let (first, last) = (pick(&FIRST, 0), pick(&LAST, 8));
        let (place, trade) = (pick(&PLACES, 16), pick(&TRADES, 24));
        let title = TITLES[(dice >> 4) as usize % TITLES.len()];
        let country = COUNTRIES[(dice >> 8) as usize % COUNTRIES.len()];
        let (offer, offer_title) = OFFERS[(dice >> 12) as usize % OFFERS.len()];
        let note = if matches!(share, 60..92) || dice >> 16 & 1 == 0 { "" } else { NOTES[(dice >> 17) as usize % NOTES.len()] };
        let name = format_args!("{}{first}", if is_test { "MSFT_TEST_" } else { "" }).to_string();
        let domain = if has_free_mail { "outlook.com".to_owned() } else { format!("{place}-{trade}.example").to_lowercase() };
        let (low, high) = (first.to_lowercase(), last.to_lowercase());
        let phone = if self.fresh_phones { 14_252_000_000 + who % 7_000_000 } else { 14_255_550_000 + number % CYCLE };
        value.clear();
        let _ = write!(
            value,
            "{{\"userDetails\":{{\"firstName\":\"{name}\",\"lastName\":\"{last}\",\"email\":\"{low}.{high}.{number:08}@{domain}\",\
             \"phone\":\"+{phone}\",\"country\":\"{country}\",\"company\":\"{place} {trade} {:04}\",\"title\":\"{title}\"}},\
             \"leadSource\":\"{source}|northwind-{:02}.{offer}\",\"actionCode\":\"{action}\",\"offerTitle\":\"{offer_title}\",\
             \"description\":\"{note}\"}}",
            who % 10_000,
            dice >> 20 & 63,
        );
    }
}

/// Well mixed bits of a number (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
