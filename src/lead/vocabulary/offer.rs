//! The shape a lead came in and the offer it is about. Names only; nothing is decided here.

use serde::{Serialize, Serializer};

use super::Vocabulary;

/// The shape a lead was read from.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `https_json`: the HTTPS endpoint's JSON.
    #[default]
    HttpsJson,
    /// `azure_table`: a row of the Azure table.
    AzureTable,
    /// `salesforce_form`: a web-to-lead form post.
    SalesforceForm,
    /// `partner_center_referral`: a referral resource.
    PartnerCenterReferral,
    /// `partner_center_webhook`: a thin webhook event.
    PartnerCenterWebhook,
    /// `crm_row`: a row exported from a CRM.
    CrmRow,
    /// `raw_lead`: leadstream's own Avro record.
    RawLead,
}

impl Vocabulary for Format {
    const ALL: &'static [Self] = &[
        Self::HttpsJson,
        Self::AzureTable,
        Self::SalesforceForm,
        Self::PartnerCenterReferral,
        Self::PartnerCenterWebhook,
        Self::CrmRow,
        Self::RawLead,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::HttpsJson => "https_json",
            Self::AzureTable => "azure_table",
            Self::SalesforceForm => "salesforce_form",
            Self::PartnerCenterReferral => "partner_center_referral",
            Self::PartnerCenterWebhook => "partner_center_webhook",
            Self::CrmRow => "crm_row",
            Self::RawLead => "raw_lead",
        }
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The type of a marketplace offer (facts.md §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfferType {
    /// `virtual_machine`
    VirtualMachine,
    /// `azure_application`
    AzureApplication,
    /// `container`
    Container,
    /// `iot_edge_module`
    IotEdgeModule,
    /// `managed_service`
    ManagedService,
    /// `consulting_service`
    ConsultingService,
    /// `saas`
    Saas,
    /// `microsoft_365`
    Microsoft365,
    /// `dynamics_365`
    Dynamics365,
    /// `power_platform`
    PowerPlatform,
}

impl Vocabulary for OfferType {
    const ALL: &'static [Self] = &[
        Self::VirtualMachine,
        Self::AzureApplication,
        Self::Container,
        Self::IotEdgeModule,
        Self::ManagedService,
        Self::ConsultingService,
        Self::Saas,
        Self::Microsoft365,
        Self::Dynamics365,
        Self::PowerPlatform,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::VirtualMachine => "virtual_machine",
            Self::AzureApplication => "azure_application",
            Self::Container => "container",
            Self::IotEdgeModule => "iot_edge_module",
            Self::ManagedService => "managed_service",
            Self::ConsultingService => "consulting_service",
            Self::Saas => "saas",
            Self::Microsoft365 => "microsoft_365",
            Self::Dynamics365 => "dynamics_365",
            Self::PowerPlatform => "power_platform",
        }
    }
}

impl Serialize for OfferType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How an offer can be taken (contract, reference tables).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListingOption {
    /// `contact_me`
    ContactMe,
    /// `get_it_now`
    GetItNow,
    /// `free_trial`
    FreeTrial,
    /// `transact`
    Transact,
    /// `list`
    List,
}

impl Vocabulary for ListingOption {
    const ALL: &'static [Self] = &[Self::ContactMe, Self::GetItNow, Self::FreeTrial, Self::Transact, Self::List];

    fn name(self) -> &'static str {
        match self {
            Self::ContactMe => "contact_me",
            Self::GetItNow => "get_it_now",
            Self::FreeTrial => "free_trial",
            Self::Transact => "transact",
            Self::List => "list",
        }
    }
}

impl Serialize for ListingOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
