//! The floor: what the same leads cost whoever only parses them into a struct that borrows and serialises that struct to as many
//! bytes, both with `serde_json`. Nothing is checked, cleaned, looked up or decided.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A lead in any JSON shape: its fields, by whatever name they have in one of them.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Plain<'a> {
    #[serde(borrow, alias = "userDetails", alias = "UserDetails")]
    user_details: Option<PlainCustomer<'a>>,
    #[serde(borrow, alias = "customerProfile")]
    customer_profile: Option<PlainProfile<'a>>,
    #[serde(borrow)]
    data: Option<Box<Plain<'a>>>,
    #[serde(borrow, alias = "CustomerInfo")]
    customer_info: Cow<'a, str>,
    #[serde(borrow, alias = "leadSource", alias = "LeadSource", alias = "subject")]
    lead_source: Cow<'a, str>,
    #[serde(borrow, alias = "actionCode", alias = "ActionCode")]
    action_code: Cow<'a, str>,
    #[serde(borrow, alias = "offerTitle", alias = "OfferTitle", alias = "OfferDisplayName")]
    offer_title: Cow<'a, str>,
    #[serde(borrow, alias = "ProductId")]
    product_id: Cow<'a, str>,
    #[serde(borrow, alias = "Description")]
    description: Cow<'a, str>,
    #[serde(borrow, alias = "createdon", alias = "CreatedTime", alias = "createdDateTime")]
    created: Cow<'a, str>,
    #[serde(borrow, alias = "firstname")]
    first_name: Cow<'a, str>,
    #[serde(borrow, alias = "lastname")]
    last_name: Cow<'a, str>,
    #[serde(borrow, alias = "emailaddress1")]
    email: Cow<'a, str>,
    #[serde(borrow, alias = "telephone1")]
    phone: Cow<'a, str>,
    #[serde(borrow, alias = "companyname")]
    company: Cow<'a, str>,
    #[serde(borrow, alias = "jobtitle")]
    title: Cow<'a, str>,
    #[serde(borrow, alias = "address1_country")]
    country: Cow<'a, str>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct PlainCustomer<'a> {
    #[serde(borrow, alias = "firstName", alias = "FirstName")]
    first_name: Cow<'a, str>,
    #[serde(borrow, alias = "lastName", alias = "LastName")]
    last_name: Cow<'a, str>,
    #[serde(borrow, alias = "Email")]
    email: Cow<'a, str>,
    #[serde(borrow, alias = "Phone", alias = "phoneNumber")]
    phone: Cow<'a, str>,
    #[serde(borrow, alias = "Country")]
    country: Cow<'a, str>,
    #[serde(borrow, alias = "Company")]
    company: Cow<'a, str>,
    #[serde(borrow, alias = "Title")]
    title: Cow<'a, str>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct PlainProfile<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    address: PlainAddress<'a>,
    #[serde(borrow)]
    team: Vec<PlainCustomer<'a>>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct PlainAddress<'a> {
    #[serde(borrow)]
    country: Cow<'a, str>,
}

/// Parses each value and writes as many bytes as `due` says the pipeline writes for all of them; what a struct has too many, the
/// next has less.
pub(crate) fn pass(values: &[Vec<u8>], due: usize, out: &mut Vec<u8>) {
    let mut written = 0;
    for (place, value) in values.iter().enumerate() {
        let end = due * (place + 1) / values.len();
        out.clear();
        match parse(value) {
            Some(plain) => {
                while written + out.len() < end {
                    serde_json::to_writer(&mut *out, &plain).expect("memory");
                }
            }
            // What is no JSON is written as it is.
            None => out.extend_from_slice(value),
        }
        written += out.len();
    }
    assert!(written >= due);
}

/// The lead of a value, if that is JSON.
fn parse(value: &[u8]) -> Option<Plain<'_>> {
    let mut plain: Plain<'_> = serde_json::from_slice(value).ok()?;
    if let Cow::Owned(customer) = &plain.customer_info {
        // As an owned text cannot be borrowed from and kept, it is parsed for the sake of what that costs.
        let customer: Option<PlainCustomer<'_>> = serde_json::from_str(customer).ok();
        plain.product_id = Cow::Owned(customer.map(|customer| customer.email.into_owned()).unwrap_or_default());
    }
    Some(plain)
}
