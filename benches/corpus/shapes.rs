//! A made-up customer, and her lead in each shape it may come in: mostly what Microsoft's HTTPS endpoint sends, then the rows of
//! tables and CRMs, forms, referrals, webhook events, Avro, envelopes, and a few that are no leads. Nobody in here exists.

use leadstream::schemas::RecordKind;
use serde_json::{Value, json};

use super::{Dice, Phones};

const FIRST: [&str; 16] =
    ["Ada", "Bao", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana", "Ilse", "Jun", "Kofi", "Lena", "Mikkel", "Noémie", "Óscar", "Łucja"];
const LAST: [&str; 16] = [
    "Adeyemi",
    "Brandt",
    "Castro",
    "Dubois",
    "Eriksen",
    "Farkas",
    "Gupta",
    "Haddad",
    "Ito",
    "Jensen",
    "Kowalska",
    "Lindqvist",
    "Müller",
    "Novák",
    "O'Brien",
    "Peña",
];
const COMPANIES: [&str; 12] = [
    "Alpine Tools",
    "Blue Harbor Ltd",
    "Cedar Labs GmbH",
    "Delta Freight, Inc.",
    "Elm Health",
    "Fjord Foods AS",
    "Granite Bank plc",
    "Hazel Retail",
    "Iris Media S.A.",
    "Juniper Works",
    "Krüger & Söhne",
    "Larch Energy",
];
/// As it is written, its calling code, the digits of a number there.
const COUNTRIES: [(&str, &str, &str); 12] = [
    ("US", "1", "20255XXXXX"),
    ("US", "1", "42555XXXXX"),
    ("USA", "1", "21255XXXXX"),
    ("United States", "1", "31255XXXXX"),
    ("GB", "44", "2079XXXXXX"),
    ("DE", "49", "3090XXXXXX"),
    ("Germany", "49", "8990XXXXXX"),
    ("FR", "33", "14020XXXX"),
    ("CA", "1", "41655XXXXX"),
    ("NL", "31", "2055XXXXX"),
    ("SE", "46", "850XXXXXX"),
    ("JP", "81", "332XXXXXX"),
];
const TITLES: [&str; 14] = [
    "CTO",
    "VP Engineering",
    "Director of IT",
    "Product Manager",
    "Developer",
    "Chief Information Officer",
    "Analyst",
    "",
    "IT-Leiter",
    "Head of Procurement",
    "Solution Architect",
    "Founder & CEO",
    "Consultant",
    "Senior Software Engineer",
];
const NOTES: [&str; 10] = [
    "",
    "",
    "",
    "Please call about a pilot for forty seats",
    "Campaigns: spring-fair",
    r#"{"mktcmpid":"fall-26","partnerid":"98765"}"#,
    "?utm_source=newsletter&utm_medium=email&utm_campaign=Spring",
    "We would like a quote for 250 users.\nOur tenant is in Europe.",
    "",
    "Interested in a demo, mornings are best",
];
/// The publisher's part of the source, and the title.
const OFFERS: [(&str, &str); 6] = [
    ("cedar.fleet-planner", "Fleet Planner"),
    ("cedar.invoice-reader", "Invoice Reader"),
    ("cedar.3701c77e-1cfa-4c56-91e6-3ed0b622145a", "Shelf Watch"),
    ("cedar.cold-chain", "Cold Chain for Microsoft 365"),
    ("cedar.rota", "Rota"),
    ("cedar.check-point-10sg-byol", "Check Point"),
];
const SOURCES: [(&str, &str); 14] = [
    ("SPZA", "INS"),
    ("SPZA", "INS"),
    ("SPZA", "PLT"),
    ("SPZA", "PLT"),
    ("AzureMarketplace", "INS"),
    ("AzureMarketplace", "INS"),
    ("AzureMarketplace", "INS"),
    ("AzurePortal", "Create"),
    ("AzurePortal", "Create"),
    ("AppSource (SPZA)", "PLT"),
    ("TestDrive", "StartTestDrive"),
    ("SPZA", "DNC"),
    ("AzureMarketplace", "INS"),
    ("SPZA", "INS"),
];

/// One lead, before it has a shape.
pub(super) struct Customer {
    dice: Dice,
    number: usize,
    first: &'static str,
    last: &'static str,
    email: String,
    phone: String,
    country: &'static str,
    company: &'static str,
    title: &'static str,
    source: String,
    action: &'static str,
    offer: &'static str,
    offer_title: &'static str,
    note: &'static str,
}

impl Customer {
    pub(super) fn new(seed: u64, number: usize, phones: Phones) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x0001_0000_0001_0001).wrapping_add(number as u64));
        let (first, last, company) = (dice.pick(&FIRST), dice.pick(&LAST), dice.pick(&COMPANIES));
        let email = email(number, first, last, company, &mut dice);
        // Which of the numbers there are, so that a pool has each again.
        let which = if phones == Phones::SeenBefore { dice.below(2_000) } else { number };
        let (country, code, pattern) = COUNTRIES[which % COUNTRIES.len()];
        let phone = phone(which, code, pattern);
        let ((token, action), (offer, offer_title)) = (dice.pick(&SOURCES), dice.pick(&OFFERS));
        // Mostly the action stands within the source; some send it beside a bare one.
        let bare = dice.below(8) == 0;
        let source = if bare { token.to_owned() } else { format!("{token}-{action}|{offer}") };
        let (title, note) = (dice.pick(&TITLES), dice.pick(&NOTES));
        Self { dice, number, first, last, email, phone, country, company, title, source, action, offer, offer_title, note }
    }

    pub(super) fn key(&self) -> String {
        format!("{}.{}.{}", self.first, self.last, self.number)
    }

    /// The record's value, and the same as JSON where it is none.
    pub(super) fn record(&mut self) -> (Vec<u8>, Option<Vec<u8>>) {
        let shape = self.dice.below(1_000);
        let json = match shape {
            0..560 => self.https_json(),
            560..680 => self.https_json_in_capitals(),
            680..770 => self.azure_table_row(),
            770..850 => self.crm_row(),
            850..890 => self.referral(),
            890..910 => self.webhook_event(),
            910..920 => self.cloud_event(),
            920..950 => return (self.form().into_bytes(), Some(self.https_json().to_string().into_bytes())),
            950..985 => return (self.raw_lead(), Some(self.https_json().to_string().into_bytes())),
            // What a health check leaves behind, and the broken comma of a hand-written relay.
            985..992 => json!({"status": "ok", "check": self.number}),
            _ => return (self.https_json().to_string().replacen("\",\"", "\" \"", 1).into_bytes(), None),
        };
        (json.to_string().into_bytes(), None)
    }

    fn https_json(&self) -> Value {
        json!({
            "userDetails": {
                "firstName": self.first, "lastName": self.last, "email": self.email, "phone": self.phone, "country": self.country,
                "company": self.company, "title": self.title,
            },
            "leadSource": self.source, "actionCode": self.action, "offerTitle": self.offer_title, "description": self.note,
        })
    }

    fn https_json_in_capitals(&self) -> Value {
        json!({ "UserDetails": self.customer(), "LeadSource": self.source, "ActionCode": self.action, "OfferTitle": self.offer_title,
            "Description": self.note })
    }

    fn customer(&self) -> Value {
        json!({ "FirstName": self.first, "LastName": self.last, "Email": self.email, "Phone": self.phone, "Country": self.country,
            "Company": self.company, "Title": self.title })
    }

    fn azure_table_row(&self) -> Value {
        json!({
            "PartitionKey": "10:2F30:2F2026", "RowKey": format!("{:08x}", self.number), "Timestamp": "2026-10-30T10:00:05.123Z",
            "CreatedTime": "2026-10-30T10:00:00Z", "ActionCode": self.action, "CustomerInfo": self.customer().to_string(),
            "Description": self.note, "LeadSource": self.source, "OfferDisplayName": self.offer_title, "ProductId": self.offer,
        })
    }

    fn crm_row(&self) -> Value {
        json!({
            "leadid": format!("9c1d6f0e-0000-4000-8000-{:012x}", self.number), "firstname": self.first, "lastname": self.last,
            "emailaddress1": self.email, "telephone1": self.phone, "companyname": self.company, "jobtitle": self.title,
            "address1_country": self.country, "description": self.note, "subject": self.source, "leadsourcecode": 8,
            "createdon": "2026-10-30T10:00:00Z", "statecode": 0, "donotbulkemail": false,
        })
    }

    fn referral(&self) -> Value {
        json!({
            "id": format!("61c65491-2f2c-461a-84b4-{:012x}", self.number), "engagementId": "b1c40bb4-6d36-4eca-baa3-e1460cf2a454",
            "createdDateTime": "2026-10-30T10:00:00.4579542Z", "updatedDateTime": "2026-10-30T10:00:00.4579542Z",
            "expirationDateTime": "2026-11-13T00:00:00Z", "status": "New", "substatus": "Received", "qualification": "Direct",
            "type": "Independent", "direction": "Incoming", "eTag": "\"6900\"", "campaignId": "fair-26",
            "customerProfile": {
                "name": self.company, "size": "51to250employees",
                "address": {"country": self.country, "state": "WA", "city": "Redmond"},
                "team": [{"firstName": self.first, "lastName": self.last, "phoneNumber": self.phone, "email": self.email}], "ids": {},
            },
            "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true},
            "details": {"notes": self.note, "dealValue": 50_000, "currency": "USD"}, "team": [], "links": {},
        })
    }

    fn webhook_event(&self) -> Value {
        json!({
            "EventName": "referral-created", "ResourceName": "referral",
            "ResourceUri": format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/61c65491-{:012x}", self.number),
            "AuditUri": null, "ResourceChangeUtcDate": "2026-10-30T00:05:39.5485487+00:00",
        })
    }

    fn cloud_event(&self) -> Value {
        json!({
            "specversion": "1.0", "id": format!("e-{}", self.number), "source": "/functions/lead-intake", "type": "com.example.lead",
            "time": "2026-10-30T10:00:00Z", "datacontenttype": "application/json", "data": self.https_json(),
        })
    }

    fn form(&self) -> String {
        let fields = [
            ("oid", "00Do0000000ZHog"),
            ("encoding", "UTF-8"),
            ("first_name", self.first),
            ("last_name", self.last),
            ("email", &self.email),
            ("company", self.company),
            ("title", self.title),
            ("phone", &self.phone),
            ("country", self.country),
            ("description", self.note),
            ("lead_source", &self.source),
        ];
        fields.map(|(name, value)| format!("{name}={}", escaped(value))).join("&")
    }

    /// `RawLead` in single-object encoding, field by field as its schema has them.
    fn raw_lead(&self) -> Vec<u8> {
        let mut bytes = [&[0xc3, 0x01][..], &RecordKind::RawLead.latest().fingerprint].concat();
        let texts = [
            self.first,
            self.last,
            &self.email,
            &self.phone,
            self.country,
            self.company,
            self.title,
            &self.source,
            self.action,
            self.offer_title,
            self.offer,
            "",
            self.note,
            "",
        ];
        for text in texts {
            if text.is_empty() {
                bytes.push(0);
            } else {
                bytes.push(2);
                put_long(&mut bytes, text.len());
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        // No time, no word on marketing or spam, nothing beside.
        bytes.extend_from_slice(&[0, 0, 0, 0]);
        bytes
    }
}

fn email(number: usize, first: &str, last: &str, company: &str, dice: &mut Dice) -> String {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let name = format!("{}.{}{number}", plain(first), plain(last));
    let domain = plain(company);
    match dice.below(40) {
        0 => "not an address".to_owned(),
        1..=6 => format!("leadstream-demo-{number}@gmail.com"),
        7 => format!("{name}@{domain}.onmicrosoft.com"),
        8 => format!("{}.{}{number}@{domain}.example", first.to_uppercase(), last.to_uppercase()),
        // Every company has a domain, and some customers are their company's only one.
        9..=20 => format!("{name}@{domain}-{}.example", number % 9_000),
        _ => format!("{name}@{domain}.example"),
    }
}

fn phone(which: usize, code: &str, pattern: &str) -> String {
    let mut rest = which / COUNTRIES.len();
    let mut digits: Vec<char> = pattern.chars().collect();
    for digit in digits.iter_mut().rev().filter(|digit| **digit == 'X') {
        *digit = char::from(b'0' + u8::try_from(rest % 10).expect("a digit"));
        rest /= 10;
    }
    let national: String = digits.into_iter().collect();
    // Microsoft sends digits without the plus; people write as they like.
    match which % 5 {
        0 => format!("+{code} {national}"),
        _ => format!("{code}{national}"),
    }
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// A length as Avro writes it: zigzag, seven bits a byte.
fn put_long(bytes: &mut Vec<u8>, value: usize) {
    let mut rest = value << 1;
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
}
