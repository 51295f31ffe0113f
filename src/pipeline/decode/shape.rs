//! Which shape an object is: by the keys that only that shape has (facts.md §1). Knows the shapes' marks, reads no value but
//! what tells an envelope.

use crate::lead::Format;

use super::{crm_row, https_json, object::Member};

/// What the keys of an object tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A key that only this shape has.
    Certain(Format),
    /// Keys that several shapes have, this one above all.
    Likely(Format),
    /// No key of any shape.
    Unknown,
}

/// The shape of an object with these members. An object without any is a lead without anything.
pub(super) fn of(members: &[Member<'_>]) -> Shape {
    let has = |name: &str| members.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    if has(https_json::USER_DETAILS) {
        return Shape::Certain(Format::HttpsJson);
    }
    if has("EventName") && (has("ResourceUri") || has("ResourceName") || has("ResourceChangeUtcDate")) {
        return Shape::Certain(Format::PartnerCenterWebhook);
    }
    if has("customerProfile") || has("engagementId") || has("status") && (has("qualification") || has("substatus")) {
        return Shape::Certain(Format::PartnerCenterReferral);
    }
    if has("CustomerInfo") || has("PartitionKey") || has("RowKey") || has("OfferDisplayName") {
        return Shape::Certain(Format::AzureTable);
    }
    if members.iter().any(|(key, _)| crm_row::is_mark(key)) {
        return Shape::Certain(Format::CrmRow);
    }
    if members.is_empty() || members.iter().any(|(key, _)| https_json::field(key).is_some()) {
        return Shape::Likely(Format::HttpsJson);
    }
    // Keys that tell less, alone: what has one is a lead all the same.
    let has_one_of = |names: &[&str]| names.iter().any(|name| has(name));
    if has_one_of(&["EventName", "ResourceUri", "ResourceChangeUtcDate"]) {
        return Shape::Likely(Format::PartnerCenterWebhook);
    }
    if has_one_of(&["qualification", "substatus", "referralSource", "callToAction", "consent", "details", "createdDateTime"]) {
        return Shape::Likely(Format::PartnerCenterReferral);
    }
    if has_one_of(&["ProductId", "CreatedTime", "PublisherDisplayName"]) {
        return Shape::Likely(Format::AzureTable);
    }
    if members.iter().any(|(key, _)| crm_row::is_known(key)) {
        return Shape::Likely(Format::CrmRow);
    }
    Shape::Unknown
}

/// Whether an object has at least one key of a shape that a header has named.
pub(super) fn has_a_key_of(format: Format, members: &[Member<'_>]) -> bool {
    let any = |known: fn(&str) -> bool| members.iter().any(|(key, _)| known(key));
    let among = |names: &[&str]| members.iter().any(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)));
    match format {
        Format::HttpsJson => any(|key| https_json::field(key).is_some()) || among(&[https_json::USER_DETAILS]),
        Format::AzureTable => {
            any(|key| https_json::field(key).is_some() || https_json::customer_field(key).is_some())
                || among(&["CustomerInfo", "PartitionKey", "RowKey", "OfferDisplayName", "ProductId", "CreatedTime", "Timestamp"])
        }
        Format::SalesforceForm | Format::CrmRow => any(crm_row::is_known),
        Format::PartnerCenterReferral => {
            among(&["id", "engagementId", "customerProfile", "status", "substatus", "qualification", "type", "details", "consent"])
        }
        Format::PartnerCenterWebhook => among(&["EventName", "ResourceUri", "ResourceName"]),
        Format::RawLead => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::decode::object::members;

    #[test]
    fn keys_tell_the_shape() {
        for (object, wanted) in [
            (r#"{"userDetails":{},"x":1}"#, Shape::Certain(Format::HttpsJson)),
            (r#"{"UserDetails":{},"PartitionKey":1}"#, Shape::Certain(Format::HttpsJson)),
            (r#"{"LeadSource":"","CustomerInfo":""}"#, Shape::Certain(Format::AzureTable)),
            (r#"{"RowKey":"r"}"#, Shape::Certain(Format::AzureTable)),
            (r#"{"eventname":"a","resourceuri":"b"}"#, Shape::Certain(Format::PartnerCenterWebhook)),
            (r#"{"id":"1","customerProfile":null}"#, Shape::Certain(Format::PartnerCenterReferral)),
            (r#"{"id":"1","status":"New","qualification":"Direct"}"#, Shape::Certain(Format::PartnerCenterReferral)),
            (r#"{"emailaddress1":"a"}"#, Shape::Certain(Format::CrmRow)),
            (r#"{"First Name":"a","Lead Source":"b"}"#, Shape::Certain(Format::CrmRow)),
            (r#"{"LeadSource":"a","Title":"b"}"#, Shape::Likely(Format::HttpsJson)),
            ("{}", Shape::Likely(Format::HttpsJson)),
            (r#"{"status":"ok"}"#, Shape::Unknown),
        ] {
            assert_eq!(of(&members(object).expect("an object")), wanted, "{object}");
        }
    }
}
