//! Made-up leads whose outcome a person can tell by looking. Nobody in here exists; what must not leak has words that occur
//! nowhere else.

use super::clients::Raw;

/// What must become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Qualified, with these destinations, sorted.
    Qualified(&'static [&'static str]),
    /// Unqualified for this one reason.
    Unqualified(&'static str),
    /// Rejected with this code.
    DeadLetter(&'static str),
}

const APP_SOURCE: Expected = Expected::Qualified(&["MICROSOFT_FIELD_SELLER_CRM", "PUBLISHER_CRM"]);
const AZURE_MARKETPLACE: Expected = Expected::Qualified(&["AZURE_MARKETPLACE", "MICROSOFT_FIELD_SELLER_CRM"]);

/// Words of a person that may stand in values, and nowhere else.
pub(crate) const PRIVATE: [&str; 5] = ["Zyxenia", "Quillfeather", "zyx.quillf", "5550142", "Please whisper"];

/// Value of made-up lead number `number`, and what must become of it. The numbers go through all kinds in turn.
pub(crate) fn lead(number: usize) -> (Vec<u8>, Expected) {
    let mail = format!("zyx.quillf{}@granite-bank.example.com", number % 500);
    match number % 8 {
        0 | 5 => (value(number, &mail, "SPZA-INS|demo.fleet-planner", "INS"), APP_SOURCE),
        1 | 4 => (value(number, &mail, "AzurePortal-Create|demo.cold-chain", "Create"), AZURE_MARKETPLACE),
        2 => (value(number, &mail, "SPZA-DNC|demo.fleet-planner", "DNC"), Expected::Unqualified("do_not_contact")),
        3 => (format!("{{\"status\":\"ok\",\"check\":{number}}}").into_bytes(), Expected::DeadLetter("unknown_format")),
        6 => {
            // The broken comma of a hand-written relay.
            let whole = String::from_utf8(value(number, &mail, "SPZA-INS|demo.rota", "INS")).expect("text");
            (whole.replacen("\",\"", "\" \"", 1).into_bytes(), Expected::DeadLetter("malformed_json"))
        }
        _ => {
            let nobody = format!("{{\"userDetails\":{{\"firstName\":\"Zyxenia {number}\"}},\"leadSource\":\"SPZA-PLT|demo.rota\"}}");
            (nobody.into_bytes(), Expected::Unqualified("no_contact"))
        }
    }
}

fn value(number: usize, mail: &str, source: &str, action: &str) -> Vec<u8> {
    let lead = serde_json::json!({
        "userDetails": {
            "firstName": "Zyxenia", "lastName": format!("Quillfeather {number}"), "email": mail, "phone": "+1 202 5550142",
            "country": "US", "company": "Granite Bank", "title": "Director of IT",
        },
        "leadSource": source, "actionCode": action, "offerTitle": "Fleet Planner", "description": "Please whisper",
    });
    lead.to_string().into_bytes()
}

/// So many characters that no compression makes small.
pub(crate) fn noise(number: usize, length: usize) -> String {
    let mut dice = Dice::new(number as u64);
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    (0..length).map(|_| char::from(letters[dice.below(64)])).collect()
}

/// A qualified lead with a note of so many characters that no compression makes small.
pub(crate) fn with_note(number: usize, length: usize) -> Vec<u8> {
    let note = noise(number, length);
    let lead = serde_json::json!({
        "userDetails": {
            "firstName": "Zyxenia", "email": format!("zyx.quillf{number}@granite-bank.example.com"), "country": "US",
            "company": "Granite Bank", "title": "Director of IT",
        },
        "leadSource": "SPZA-INS|demo.fleet-planner", "actionCode": "INS", "description": note,
    });
    lead.to_string().into_bytes()
}

/// Raw records of these leads, over the partitions in turn, with a key, all received at `timestamp` (ms since 1970).
pub(crate) fn records(numbers: std::ops::Range<usize>, partitions: usize, timestamp: i64) -> Vec<Raw> {
    let record = |number: usize| Raw {
        partition: i32::try_from(number % partitions).expect("a few"),
        key: Some(format!("key-{}", number % 97).into_bytes()),
        value: Some(lead(number).0),
        headers: Vec::new(),
        timestamp: Some(timestamp),
    };
    numbers.map(record).collect()
}

/// Reproducible chance (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From the environment, else new each time; the number makes a failure repeatable as far as timing allows.
    pub(crate) fn seed() -> u64 {
        let named = std::env::var("LEADSTREAM_SEED").ok();
        let fresh = || u64::from(std::process::id()) ^ super::service::now_millis().unsigned_abs();
        named.map_or_else(fresh, |seed| seed.parse().expect("LEADSTREAM_SEED is a number"))
    }

    /// From 0 to before `end`.
    pub(crate) fn below(&mut self, end: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("a small number")
    }
}
