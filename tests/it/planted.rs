//! Made-up people whose every word is marked, in every place of every shape in which leads come, and in places where it does
//! not belong. Shared with `tests/kafka`; what must become of the marks, the tests judge.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// What every mark begins with; nothing else in a test does.
pub(crate) const MARK: &str = "zq";

/// The customer's number, as it may be written.
const NUMBERS: [&str; 4] = ["5550173", "555-0173", "555 0173", "555.0173"];

/// Marks of what no redacted event may tell: names, address, number, note, and what nobody has looked at.
const HIDDEN: [&str; 5] = ["zqfirst", "zqlast", "zqmail", "zqnote", "zqother"];

/// The marks in a text that must hold none at all.
pub(crate) fn marks(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    std::iter::once(MARK).chain(NUMBERS).filter(|mark| text.contains(mark)).collect()
}

/// The marks in a text that may name the company, the offer and the mail domain, and not the person.
pub(crate) fn hidden_marks(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    HIDDEN.into_iter().chain(NUMBERS).filter(|mark| text.contains(mark)).collect()
}

/// What must become of a planted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// Events that carry the person's data.
    Open,
    /// Events that do not.
    Redacted,
    /// A dead letter.
    DeadLetter,
}

/// One record with marks in it.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) becomes: Becomes,
}

const MAIL: &str = "zqmail.box@zqdomain-labs.example";

/// The mail domain of all of them, to be suppressed.
pub(crate) const MAIL_DOMAIN: &str = "zqdomain-labs.example";

fn customer() -> Value {
    json!({
        "FirstName": "Zqfirst", "LastName": "Zqlast", "Email": MAIL, "Phone": "+1 (425) 555-0173", "Country": "US",
        "Company": "Zqcompany Labs", "Title": "Zqtitle Director", "Zqother": "zqother",
    })
}

/// `leadSource` of a lead that is to be approached, or not.
fn source(refused: bool) -> &'static str {
    if refused { "SPZA-DNC|zqpub.zqoffer" } else { "SPZA-PLT|zqpub.zqoffer" }
}

fn https_json(refused: bool) -> Value {
    json!({
        "userDetails": customer(), "leadSource": source(refused), "offerTitle": "Zqproduct", "description": "zqnote, ring me",
        "Zqother": {"mail": "zqother@zqother.example", "more": ["zqother"]},
    })
}

fn azure_table(refused: bool) -> Value {
    json!({
        "PartitionKey": "10:2F30:2F2026", "RowKey": "zqother", "Timestamp": "2026-11-01T08:00:00Z",
        "CustomerInfo": customer().to_string(), "LeadSource": source(refused), "OfferDisplayName": "Zqproduct",
        "Description": "zqnote, ring me", "ProductId": "zqpub.zqsecond", "Zqother": "zqother",
    })
}

fn referral(refused: bool) -> Value {
    json!({
        "id": "zqother", "engagementId": "zqother", "name": "zqother", "createdDateTime": "2026-10-30T10:00:00Z", "status": "New",
        "substatus": "Received", "type": "Independent", "qualification": "Direct",
        "customerProfile": {
            "name": "Zqcompany Labs", "size": "zqother", "address": {"city": "zqother", "country": "US"},
            "team": [
                {"firstName": "zqother"},
                {"firstName": "Zqfirst", "lastName": "Zqlast", "email": MAIL, "phoneNumber": "4255550173", "title": "Zqtitle", "x": "zqother"},
                {"firstName": "zqother", "email": "zqother@zqother.example"},
            ],
        },
        "consent": {"consentToContact": !refused}, "details": {"notes": "zqnote, ring me", "requirements": "zqother"},
    })
}

fn dynamics_row(refused: bool) -> Value {
    json!({
        "leadid": "zqother", "firstname": "Zqfirst", "lastname": "Zqlast", "emailaddress1": MAIL, "telephone1": "425 555 0173",
        "mobilephone": "425.555.0173", "companyname": "Zqcompany Labs", "jobtitle": "Zqtitle", "address1_country": "US",
        "address1_city": "zqother", "description": "zqnote, ring me", "subject": source(refused), "createdon": "2026-10-30T10:00:00Z",
    })
}

fn salesforce_row(refused: bool) -> Value {
    json!({
        "Id": "zqother", "FirstName": "Zqfirst", "LastName": "Zqlast", "Email": MAIL, "Phone": "425-555-0173", "Company": "Zqcompany Labs",
        "Title": "Zqtitle", "Country": "US", "LeadSource": source(refused), "Description": "zqnote, ring me", "OwnerId": "zqother",
    })
}

fn webhook() -> Value {
    json!({"EventName": "referral-created", "ResourceUri": "https://partner.example/referrals/zqother", "ResourceName": "referral"})
}

fn form(refused: bool) -> String {
    let source = source(refused).replace('|', "%7C");
    format!(
        "oid=zqother&first_name=Zqfirst&last_name=Zqlast&email=zqmail.box%40{MAIL_DOMAIN}&phone=%2B1+425+555+0173&company=Zqcompany+Labs\
         &title=Zqtitle&country=US&lead_source={source}&description=zqnote%2C+ring+me&00N1=zqother"
    )
}

fn form_listing(refused: bool) -> String {
    let source = source(refused);
    format!(
        "first_name = Zqfirst\nlast_name = Zqlast\nemail = {MAIL}\nphone = 4255550173\ncountry = US\nlead_source = {source}\ndescription = zqnote\n"
    )
}

/// The same lead by itself and in each envelope.
fn enveloped(shape: &str, text: &str, is_json: bool) -> Vec<(String, Vec<u8>)> {
    let event =
        |data: &str| format!(r#"{{"specversion":"1.0","id":"zqother","source":"/zqother","type":"t","subject":"zqother {MAIL}",{data}}}"#);
    let quoted = json!(text).to_string();
    let base64 = STANDARD.encode(text);
    let element = if is_json { text } else { &quoted };
    let mut all = vec![
        ("bare", text.to_owned()),
        ("in an array", format!("[{element},{element}]")),
        ("in a list reply", format!(r#"{{"@odata.count":1,"value":[{element}],"zqother":"zqother"}}"#)),
        ("as a CloudEvent's text", event(&format!(r#""data":{quoted}"#))),
        ("as a CloudEvent's base64", event(&format!(r#""data_base64":"{base64}""#))),
    ];
    if is_json {
        all.push(("in lines", format!("{text}\n{text}\n")));
        all.push(("as a CloudEvent's object", event(&format!(r#""data":{text}"#))));
        all.push(("in a CloudEvent's array", event(&format!(r#""data":[{text}]"#))));
    }
    all.into_iter().map(|(envelope, text)| (format!("{shape} {envelope}"), text.into_bytes())).collect()
}

/// Every shape in every envelope, to be approached and not to be approached.
pub(crate) fn shapes() -> Vec<Planted> {
    let mut all = Vec::new();
    for refused in [false, true] {
        let mut texts = vec![
            ("https_json", https_json(refused).to_string(), true),
            ("azure_table", azure_table(refused).to_string(), true),
            ("partner_center_referral", referral(refused).to_string(), true),
            ("crm_row of Dynamics", dynamics_row(refused).to_string(), true),
            ("crm_row of Salesforce", salesforce_row(refused).to_string(), true),
            ("salesforce_form", form(refused), false),
            ("salesforce_form as a listing", form_listing(refused), false),
        ];
        if !refused {
            texts.push(("partner_center_webhook", webhook().to_string(), true));
        }
        let becomes = if refused { Becomes::Redacted } else { Becomes::Open };
        for (name, value) in texts.iter().flat_map(|(shape, text, is_json)| enveloped(shape, text, *is_json)) {
            all.push(Planted { name, value, headers: Vec::new(), becomes });
        }
    }
    all
}

/// Leads of people who are not to be approached, with their data where they do not belong.
pub(crate) fn lies() -> Vec<Planted> {
    let mut all = Vec::new();
    let mut lie = |name: &str, base: Value, changes: Value| {
        let mut lead = base;
        for (pointer, value) in changes.as_object().expect("changes by place") {
            let (parent, key) = pointer.rsplit_once('/').expect("a place");
            lead.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").insert(key.to_owned(), value.clone());
        }
        all.push(Planted { name: name.to_owned(), value: lead.to_string().into_bytes(), headers: Vec::new(), becomes: Becomes::Redacted });
    };
    for (name, changes) in [
        ("a name after the pipe", json!({"/leadSource": "SPZA-DNC|zqfirst.zqlast"})),
        ("an address after the pipe", json!({"/leadSource": format!("SPZA-DNC|{MAIL}")})),
        ("an escaped address after the pipe", json!({"/leadSource": "SPZA-DNC|zqmail.box%40zqdomain-labs.example"})),
        ("a name for a source", json!({"/leadSource": "Zqfirst Zqlast", "/actionCode": "DNC"})),
        ("a name for an action", json!({"/actionCode": "ZQFIRST"})),
        ("a name in the offer's title", json!({"/offerTitle": "Made for Zqfirst Zqlast"})),
        ("the note as the offer's title", json!({"/offerTitle": "zqnote, ring me"})),
        ("a name in the job title", json!({"/userDetails/Title": "Zqlast, Zqfirst (CTO)"})),
        ("an address for a country", json!({"/userDetails/Country": MAIL})),
        ("a company named after its owner", json!({"/userDetails/Company": "Zqlast & Sons"})),
        ("a number in the job title", json!({"/userDetails/Title": "CTO, (425) 555-0173"})),
        ("a note as JSON", json!({"/description": r#"{"comment":"zqnote","who":"zqother","tel":"425 555 0173"}"#})),
        (
            "a person in a URL",
            json!({"/description": "?utm_content=zqfirst-zqlast&mktcmpid=14255550173&utm_term=zqmail.box%40x.example&who=zqother"}),
        ),
        ("a name in one word", json!({"/description": "?utm_content=zqfirstzqlast&utm_term=zqlastzqfirst"})),
        ("the address without its domain", json!({"/description": "?utm_content=zqmail.box"})),
        ("a name as a parameter's name", json!({"/description": r#"{"utm_zqfirst":"1","utm_source":"fair"}"#})),
        ("a person in the campaigns", json!({"/description": "Campaigns: Zqfirst, Zqlast"})),
        ("campaign parameters beside the customer", json!({"/utm_source": "Zqlast", "/userDetails/utm_medium": "425 555 0173"})),
        ("a customer who is a text", json!({"/userDetails": format!("Zqfirst Zqlast <{MAIL}>")})),
        ("two customers", json!({"/userDetails": [customer(), customer()]})),
        ("an address in a list", json!({"/userDetails/Email": [MAIL]})),
        ("a name for a number", json!({"/userDetails/Phone": "ask for zqother", "/offerTitle": "Ask for zqother!"})),
        ("a number in words", json!({"/userDetails/Phone": "zqother", "/offerTitle": "zqother"})),
        ("an address for a name", json!({"/userDetails/FirstName": MAIL, "/userDetails/Email": "", "/offerTitle": MAIL})),
        ("an address that is none", json!({"/userDetails/Email": "zqmail at zqdomain", "/leadSource": "SPZA-DNC|zqmail at zqdomain"})),
        (
            "a whole name in one field",
            json!({"/userDetails/FirstName": "Zqfirst Zqlast", "/userDetails/LastName": "", "/offerTitle": "Zqlast's"}),
        ),
        ("a second value", json!({"/userDetails/FIRSTNAME": "zqother", "/userDetails/phone": "zqother", "/DESCRIPTION": "zqother"})),
    ] {
        lie(name, https_json(true), changes);
    }
    lie("a name for a product", azure_table(true), json!({"/ProductId": "zqfirst.zqlast", "/LeadSource": "SPZA-DNC"}));
    lie("a customer who is an object", azure_table(true), json!({"/CustomerInfo": customer()}));
    lie("a customer in quotes in quotes", azure_table(true), json!({"/CustomerInfo": json!(customer().to_string()).to_string()}));
    lie("customers in a list", azure_table(true), json!({"/CustomerInfo": json!([customer(), customer()])}));
    let states = json!({
        "/status": "Zqlast", "/substatus": "zqfirst", "/details/currency": MAIL, "/details/dealValue": "zqother", "/campaignId": MAIL,
        "/referralSource": "Zqfirst Zqlast", "/callToAction": "zqlast", "/expirationDateTime": "zqother", "/type": "zqother",
    });
    lie("a person in the states of a referral", referral(true), states);
    lie("a profile that is a text", referral(true), json!({"/customerProfile": format!("Zqfirst Zqlast {MAIL}")}));
    lie(
        "a name for a subject",
        dynamics_row(true),
        json!({"/subject": "Zqfirst", "/leadsourcecode": "Zqlast | zqfirst", "/actioncode": "DNC"}),
    );
    all
}

/// A `CloudEvent` with this data.
fn cloud_event(data: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"zqother","source":"/zqother","type":"zqother",{data}}}"#)
}

/// Records that are no leads, broken in the middle of somebody's data.
pub(crate) fn broken() -> Vec<Planted> {
    let mut all = Vec::new();
    let mut bad = |name: &str, value: Vec<u8>, headers: &[(&'static str, &'static str)]| {
        all.push(Planted { name: name.to_owned(), value, headers: headers.to_vec(), becomes: Becomes::DeadLetter });
    };
    let whole = https_json(false).to_string();
    let within = |from: &str, to: &str| whole.replacen(from, to, 1).into_bytes();
    for at in ["qfirst", "qlast\"", "qmail", "(425)", "qnote", "qother"] {
        let end = whole.find(at).expect("it is there");
        bad(&format!("cut off before {at:?}"), whole.as_bytes()[..end].to_vec(), &[]);
    }
    bad("a comma left out", within(",\"LastName\"", " \"LastName\""), &[]);
    bad("a quote in a name", within("Zqlast", "Zq\"last"), &[]);
    bad("a control character in a name", within("Zqlast", "Zq\u{1}last"), &[]);
    bad("a line break in the note", within("zqnote", "zq\nnote"), &[]);
    bad("an escape there is not", within("Zqlast", "Zq\\last"), &[]);
    bad("half an escape", within("Zqlast", "Zq\\u12zq"), &[]);
    bad("a name without quotes", within("\"Zqfirst\"", "Zqfirst"), &[]);
    bad("a number with letters", within("\"+1 (425) 555-0173\"", "4255550173zq"), &[]);
    bad("a key without quotes", within("\"FirstName\"", "Zqfirst"), &[]);
    bad("something after the end", format!("{whole} zqfirst").into_bytes(), &[]);
    bad("bytes that are no text", within("Zqlast", "Zq\u{0}last").iter().map(|byte| if *byte == 0 { 0xff } else { *byte }).collect(), &[]);
    bad("no JSON", format!("Zqfirst Zqlast <{MAIL}>").into_bytes(), &[]);
    bad("a bare text", json!(format!("Zqfirst Zqlast {MAIL}")).to_string().into_bytes(), &[]);
    bad("an object of no shape", br#"{"zqfirst":"zqlast","zqmail":"4255550173"}"#.to_vec(), &[]);
    bad("an array with a text", format!(r#"[{whole},"zqfirst"]"#).into_bytes(), &[]);
    bad("an array with another object", format!(r#"[{whole},{{"zqfirst":1}}]"#).into_bytes(), &[]);
    bad("an array that does not end", format!("[{whole},{{\"zqfirst\":").into_bytes(), &[]);
    bad("a broken line", format!("{whole}\n{{\"zqfirst\":zqlast}}\n").into_bytes(), &[]);
    bad("a line that is no object", format!("{whole}\n\"zqfirst\"\n").into_bytes(), &[]);
    bad("a list reply of texts", br#"{"value":["zqfirst zqlast"]}"#.to_vec(), &[]);
    bad("too deep", within("\"zqother\"]", &format!("{}\"zqother\"{}]", "[".repeat(99), "]".repeat(99))), &[]);
    bad("too large", format!("{whole}{}", " ".repeat(2 << 20)).into_bytes(), &[]);
    bad("too many", format!("[{}{whole}]", "{\"leadSource\":\"zqfirst\"},".repeat(10_001)).into_bytes(), &[]);
    bad("a test lead that is broken", within(",\"LastName\"", " \"MSFT_TEST\""), &[]);
    let row = |customer: &str| {
        let mut row = azure_table(false);
        row["CustomerInfo"] = json!(customer);
        row.to_string().into_bytes()
    };
    bad("a customer who is no JSON", row(&format!("Zqfirst Zqlast <{MAIL}>")), &[]);
    bad("a customer who is broken", row(r#"{"FirstName":"Zqfirst","LastName":zqlast}"#), &[]);
    bad("a customer who is cut off", row(r#"{"FirstName":"Zqfirst","LastName":"Zql"#), &[]);
    bad("a customer nested too deep", row(&format!("{{\"zqfirst\":{}", "[".repeat(99))), &[]);
    for (name, data) in [
        ("a CloudEvent without data", "\"zqfirst\":\"zqlast\"".to_owned()),
        ("a CloudEvent with a text", "\"data\":\"Zqfirst Zqlast\"".to_owned()),
        ("a CloudEvent with broken text", "\"data\":\"{\\\"zqfirst\\\":zqlast}\"".to_owned()),
        ("a CloudEvent with another object", "\"data\":{\"zqfirst\":\"zqlast\"}".to_owned()),
        ("bad base64", format!("\"data_base64\":\"zqfirst*{}\"", STANDARD.encode(MAIL))),
        ("base64 of bytes that are no text", format!("\"data_base64\":\"{}\"", STANDARD.encode(b"{\"zqfirst\":\"zq\xfflast\"}"))),
        ("base64 of another text", format!("\"data_base64\":\"{}\"", STANDARD.encode("zqfirst zqlast"))),
    ] {
        bad(name, cloud_event(&data).into_bytes(), &[]);
    }
    bad("an event about something else", br#"{"EventName":"zqfirst","ResourceName":"zqlast","ResourceUri":"zqother"}"#.to_vec(), &[]);
    bad("a format there is not", whole.clone().into_bytes(), &[("lead-format", "zqfirst")]);
    bad("a content type that is not read", whole.clone().into_bytes(), &[("content-type", "application/zqfirst+xml; charset=zqlast")]);
    bad("another format's name", whole.clone().into_bytes(), &[("lead-format", "azure_table")]);
    bad("a form of other fields", b"zqfirst=zqlast&zqmail=4255550173".to_vec(), &[("content-type", "application/x-www-form-urlencoded")]);
    bad("a form that is said to be JSON", form(false).into_bytes(), &[("content-type", "application/json")]);
    all
}

/// All of them.
pub(crate) fn all() -> Vec<Planted> {
    shapes().into_iter().chain(lies()).chain(broken()).collect()
}
