//! Records made from others by chance that can be repeated: bytes changed, values moved and retyped, envelopes put around,
//! headers that tell the truth or lie. What must hold for them is `invariants`'.

use serde_json::{Map, Value, json};

/// Reproducible chance (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// The same for the same seed and number, whatever was thrown before.
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to before `end`; 0 where that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a small number");
        usize::try_from(self.next() % end).expect("a small number")
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn of_all<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// A record that was changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutant {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
}

const FORMATS: [&str; 8] =
    ["https_json", "azure_table", "salesforce_form", "partner_center_referral", "partner_center_webhook", "crm_row", "raw_lead", "zq"];

const CONTENT_TYPES: [&str; 8] = [
    "application/json",
    "application/x-www-form-urlencoded; charset=Shift_JIS",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json; charset=\"utf-8\"",
    "text/plain",
    "application/avro",
    ";=;charset",
];

/// Keys that mean something somewhere.
const KEYS: [&str; 44] = [
    "userDetails",
    "UserDetails",
    "firstName",
    "lastName",
    "email",
    "phone",
    "country",
    "company",
    "title",
    "leadSource",
    "actionCode",
    "offerTitle",
    "description",
    "CustomerInfo",
    "PartitionKey",
    "RowKey",
    "Timestamp",
    "CreatedTime",
    "ProductId",
    "customerProfile",
    "team",
    "consent",
    "consentToContact",
    "details",
    "notes",
    "dealValue",
    "status",
    "substatus",
    "qualification",
    "type",
    "expirationDateTime",
    "createdDateTime",
    "EventName",
    "ResourceUri",
    "specversion",
    "source",
    "data",
    "data_base64",
    "value",
    "items",
    "leadsourcecode",
    "emailaddress1",
    "utm_source",
    "mktcmpid",
];

/// Texts that mean something somewhere, or are hard to read.
const TEXTS: [&str; 40] = [
    "",
    " ",
    "SPZA-DNC|contoso.app",
    "AzurePortal-Create|a.b",
    "|",
    "-",
    "a-b-c|d|e",
    "MSFT_TEST_1",
    "jane.doe@adatum.example",
    "a@b",
    "@",
    "jane@xn--",
    "JANE@MÜLLER-BAU.DE",
    "+1 425 555 0123",
    "0049 30 901820",
    "1234567890",
    "US",
    "Deutschland",
    "日本",
    "true",
    "false",
    "Closed",
    "Shared",
    "MarketingQualified",
    "referral-created",
    "9/28/2018 6:24:18 PM",
    "9999-12-31T23:59:59Z",
    "0001-01-01",
    "636737558587117715",
    "-9223372036854775808",
    "1e999",
    "/Date(1538159058711)/",
    "Campaigns: a, b",
    "utm_source=x&mktcmpid=7",
    "{\"mktcmpid\":\"7\"}",
    "[",
    "\u{0}\u{1}",
    "\u{feff}",
    "e\u{301}\u{202e}x",
    "%E4%BD%A0%ZZ%",
];

const BYTES: &[u8] = b"\0\x01\t\n\r \"'\\/{}[],:%+&=|-@.;#<0n\x7f\x80\xbf\xc3\xe2\xed\xf0\xff";

/// One record, from one or two of `seeds`.
pub(crate) fn mutant(dice: &mut Dice, seeds: &[Vec<u8>]) -> Mutant {
    let mut value = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        value = match parsed(&value) {
            Some(tree) if !dice.one_in(4) => structure(dice, tree, seeds),
            None if !dice.one_in(3) && value.contains(&b'=') => form(dice, &value),
            _ => bytes(dice, value, seeds),
        };
    }
    if dice.one_in(5) {
        value = envelope(dice, &value);
    }
    if dice.one_in(8) {
        value = bytes(dice, value, seeds);
    }
    let key = dice.one_in(2).then(|| (0..dice.below(9)).map(|_| BYTES[dice.below(BYTES.len())]).collect());
    Mutant { key, value: (!dice.one_in(500)).then_some(value), headers: headers(dice) }
}

/// The tree of a value that is JSON. As deep as it may be, and deeper, it stays text.
fn parsed(value: &[u8]) -> Option<Value> {
    serde_json::from_slice(value).ok().filter(|tree: &Value| tree.is_object() || tree.is_array())
}

fn headers(dice: &mut Dice) -> Vec<(&'static str, Vec<u8>)> {
    let mut headers = Vec::new();
    if dice.one_in(3) {
        headers.push(("lead-format", dice.of_all(&FORMATS).as_bytes().to_vec()));
    }
    if dice.one_in(3) {
        headers.push(("Content-Type", dice.of_all(&CONTENT_TYPES).as_bytes().to_vec()));
    }
    if dice.one_in(8) {
        headers.push(("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_vec()));
    }
    if dice.one_in(8) {
        headers.push(("dlq-code", vec![0xff]));
    }
    if dice.one_in(8) {
        let (name, mut wrong) = (["lead-format", "content-type", "x"][dice.below(3)], dice.of_all(&TEXTS).as_bytes().to_vec());
        wrong.push(BYTES[dice.below(BYTES.len())]);
        headers.push((name, wrong));
    }
    headers
}

/// Changes a few bytes, whatever they mean.
fn bytes(dice: &mut Dice, mut value: Vec<u8>, seeds: &[Vec<u8>]) -> Vec<u8> {
    let at = dice.below(value.len() + 1);
    let end = (at + 1 + dice.below(40)).min(value.len());
    let put: Vec<u8> = match dice.below(9) {
        0 => vec![BYTES[dice.below(BYTES.len())]],
        1 => vec![u8::try_from(dice.below(256)).expect("a byte")],
        2 => Vec::new(),
        3 => value[at..end].repeat(2),
        4 => dice.of_all(&TEXTS).as_bytes().to_vec(),
        5 => dice.of_all(&KEYS).as_bytes().to_vec(),
        6 => {
            value.truncate(at);
            return value;
        }
        7 => {
            // The beginning of one and the end of another.
            let other = &seeds[dice.below(seeds.len())];
            value.truncate(at);
            value.extend_from_slice(&other[dice.below(other.len() + 1)..]);
            return value;
        }
        _ => {
            // Seldom much: most of what goes wrong with much goes wrong with a little.
            let most = if dice.one_in(20) { 100_000 } else { 2_000 };
            let times = 1 + dice.below(most / (end - at).max(1));
            value[at..end].repeat(times)
        }
    };
    value.splice(at..end, put);
    value
}

/// Changes the text of a form by its own grammar.
fn form(dice: &mut Dice, value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value).into_owned();
    let mut pairs: Vec<String> = text.split('&').map(str::to_owned).collect();
    let at = dice.below(pairs.len());
    match dice.below(8) {
        0 => drop(pairs.remove(at)),
        1 => pairs.insert(at, pairs[dice.below(pairs.len())].clone()),
        2 => pairs[at] = format!("{}={}", dice.of_all(&KEYS), dice.of_all(&TEXTS)),
        3 => pairs[at] = pairs[at].replacen('=', ["", "==", "=%3D", " = ", "=&="][dice.below(5)], 1),
        4 => {
            let mangled = ["%", "%2", "%%", "%zz", "%u20AC", "%00", "%FF%FE", "+%2B+"][dice.below(8)];
            pairs[at] = pairs[at].replacen(['%', '+', 'a', 'e'], mangled, 1 + dice.below(3));
        }
        5 => pairs.push(format!("encoding={}", ["Shift_JIS", "UTF-16", "windows-1251", "utf-7", "replacement", "%00"][dice.below(6)])),
        6 => return format!("{text}{}{text}", ["\n", "\r\n", "&", "\n\n"][dice.below(4)]).into_bytes(),
        _ => return pairs.join([";", "\n", "&&", "\r"][dice.below(4)]).into_bytes(),
    }
    pairs.join("&").into_bytes()
}

/// Puts an envelope around a value, its own or another's.
fn envelope(dice: &mut Dice, value: &[u8]) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = String::from_utf8_lossy(value).into_owned();
    let raw = if parsed(value).is_some() { text.clone() } else { Value::from(text.as_str()).to_string() };
    let event = |data: String| format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-10-30T10:00:00Z",{data}}}"#);
    match dice.below(9) {
        0 => format!("[{raw}]"),
        1 => format!("[{raw},{raw},{}]", dice.of_all(&["{}", "null", "7", "\"x\"", "[]", "{\"x\":1}"])),
        2 => format!("{{\"value\":[{raw}],\"@odata.nextLink\":\"n\"}}"),
        3 => format!("{text}\n{text}\r\n\n{}", dice.of_all(&["", "{", "{}", "x", "[]"])),
        4 => event(format!("\"data\":{raw}")),
        5 => event(format!("\"data\":{}", Value::from(text.as_str()))),
        6 => event(format!("\"data_base64\":\"{}\"", STANDARD.encode(value))),
        7 => format!("[{}]", vec![raw; 1 + dice.below(60)].join(",")),
        _ => format!("{}{raw}{}", "[".repeat(dice.below(130)), "]".repeat(dice.below(130))),
    }
    .into_bytes()
}

/// Stands for a second key of the same name until the text is written.
const AGAIN: &str = "\u{1}again";

/// Changes one node of a tree, and writes it.
fn structure(dice: &mut Dice, mut tree: Value, seeds: &[Vec<u8>]) -> Vec<u8> {
    let count = nodes(&tree);
    let (one, other) = (dice.below(count), dice.below(count));
    match dice.below(11) {
        0 => {
            let copy = node(&mut tree, other).clone();
            let before = std::mem::replace(node(&mut tree, one), copy);
            // The first may have gone with the second.
            if other < nodes(&tree) {
                *node(&mut tree, other) = before;
            }
        }
        1 => {
            let (key, value) = (dice.of_all(&KEYS).to_owned(), scalar(dice));
            if let Value::Object(members) = node(&mut tree, one) {
                members.insert(key, value);
            }
        }
        2 => {
            let value = scalar(dice);
            members(&mut tree, one, |name, _| Some(format!("{name}{AGAIN}")), &value);
        }
        3 => {
            let (upper, known) = (dice.one_in(2), dice.of_all(&KEYS));
            members(&mut tree, one, |name, _| Some(if upper { name.to_uppercase() } else { known.to_owned() }), &Value::Null);
        }
        4 => *node(&mut tree, one) = scalar(dice),
        5 => {
            let place = node(&mut tree, one);
            let old = place.take();
            *place = match dice.below(5) {
                0 => json!([old]),
                1 => json!([old.clone(), old]),
                2 => Value::from(old.to_string()),
                3 => json!({ dice.of_all(&KEYS): old }),
                _ => json!({"_": old, "$": "Edm.String"}),
            };
        }
        6 => {
            let place = node(&mut tree, one);
            let levels = dice.below(40);
            *place = (0..levels).fold(place.take(), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) });
        }
        7 => {
            let most = if dice.one_in(20) { 100_000 } else { 1_000 };
            match node(&mut tree, one) {
                Value::String(text) => *text = text.repeat(1 + dice.below(most / text.len().max(1))),
                Value::Array(items) if !items.is_empty() => *items = items.iter().cycle().take(dice.below(200)).cloned().collect(),
                Value::Object(members) => members.extend((0..dice.below(300)).map(|n| (format!("k{n}"), json!(n)))),
                _ => {}
            }
        }
        8 => {
            let mut foreign = parsed(&seeds[dice.below(seeds.len())]).unwrap_or(Value::Null);
            let count = nodes(&foreign);
            *node(&mut tree, one) = node(&mut foreign, dice.below(count)).take();
        }
        9 => {
            // Letters of two, three and four bytes, wherever something may be cut.
            if let Value::String(text) = leaf(&mut tree, one) {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let letters = dice.of_all(&["é", "日", "😀", "\u{301}", "İ", "ß", "\u{ff20}"]);
                text.insert_str(places[dice.below(places.len().min(12))], letters);
            }
        }
        _ => {
            if let Value::Object(members) = node(&mut tree, one) {
                let place = dice.below(members.len());
                let name = members.keys().nth(place).cloned().unwrap_or_default();
                members.remove(&name);
            }
        }
    }
    tree.to_string().replace("\\u0001again", "").into_bytes()
}

/// Adds the first member of an object again, under the name that `rename` makes of its own.
fn members(tree: &mut Value, place: usize, rename: impl Fn(&str, &Value) -> Option<String>, value: &Value) {
    let Value::Object(members) = node(tree, place) else { return };
    let renamed =
        members.iter().next().and_then(|(name, old)| Some((rename(name, old)?, if value.is_null() { old } else { value }.clone())));
    members.extend(renamed);
}

/// The node of this number, or the first text after it.
fn leaf(tree: &mut Value, number: usize) -> &mut Value {
    let count = nodes(tree);
    let text = (number..count).find(|number| node(tree, *number).is_string()).unwrap_or(number);
    node(tree, text)
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => json!(dice.one_in(2)),
        2 => json!(dice.next()),
        3 => json!(-1.5e300),
        4 => json!({}),
        5 => json!([]),
        _ => json!(dice.of_all(&TEXTS)),
    }
}

/// How many nodes a tree has, itself too.
fn nodes(tree: &Value) -> usize {
    let mut count = 0;
    let mut left = vec![tree];
    while let Some(tree) = left.pop() {
        count += 1;
        match tree {
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    count
}

/// The node of this number, in the order in which they are counted.
fn node(tree: &mut Value, number: usize) -> &mut Value {
    let mut left = vec![tree];
    for _ in 0..number {
        match left.pop().expect("a smaller number") {
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(Map::values_mut(members)),
            _ => {}
        }
    }
    left.pop().expect("a smaller number")
}
