//! What kind of lead it is: origin, storefront, campaign, action and what follows from them. Names only; nothing is decided here.

use serde::{Serialize, Serializer};

use super::Vocabulary;

/// Where the lead comes from (readings Q5, Q20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// `STOREFRONT`: a storefront's own lead delivery.
    Storefront,
    /// `PARTNER_CENTER_DIRECT`: a customer's enquiry through the partner directory.
    PartnerCenterDirect,
    /// `MICROSOFT_MARKETING_QUALIFIED`: qualified by Microsoft's marketing.
    MicrosoftMarketingQualified,
    /// `MICROSOFT_SALES_QUALIFIED`: passed on by a Microsoft seller.
    MicrosoftSalesQualified,
    /// `CO_SELL`: a deal shared with Microsoft or another partner.
    CoSell,
    /// `UNKNOWN`: not told.
    Unknown,
}

impl Vocabulary for Origin {
    const ALL: &'static [Self] = &[
        Self::Storefront,
        Self::PartnerCenterDirect,
        Self::MicrosoftMarketingQualified,
        Self::MicrosoftSalesQualified,
        Self::CoSell,
        Self::Unknown,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Storefront => "STOREFRONT",
            Self::PartnerCenterDirect => "PARTNER_CENTER_DIRECT",
            Self::MicrosoftMarketingQualified => "MICROSOFT_MARKETING_QUALIFIED",
            Self::MicrosoftSalesQualified => "MICROSOFT_SALES_QUALIFIED",
            Self::CoSell => "CO_SELL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The store the customer stood in (facts.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storefront {
    /// `APP_SOURCE`: AppSource; its code name is SPZA.
    AppSource,
    /// `AZURE_MARKETPLACE`: Azure Marketplace, web or portal.
    AzureMarketplace,
    /// `UNKNOWN`: not told and not inferred.
    Unknown,
}

impl Vocabulary for Storefront {
    const ALL: &'static [Self] = &[Self::AppSource, Self::AzureMarketplace, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::AppSource => "APP_SOURCE",
            Self::AzureMarketplace => "AZURE_MARKETPLACE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Storefront {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How the customer came (facts.md §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// `WEB`: the storefront's web site.
    Web,
    /// `AZURE_PORTAL`: the marketplace inside the Azure portal.
    AzurePortal,
    /// `TEST_DRIVE`: the test-drive service, used by both stores.
    TestDrive,
    /// `PARTNER_CENTER`: a Partner Center referral.
    PartnerCenter,
    /// `UNKNOWN`: not told.
    Unknown,
}

impl Vocabulary for Channel {
    const ALL: &'static [Self] = &[Self::Web, Self::AzurePortal, Self::TestDrive, Self::PartnerCenter, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::Web => "WEB",
            Self::AzurePortal => "AZURE_PORTAL",
            Self::TestDrive => "TEST_DRIVE",
            Self::PartnerCenter => "PARTNER_CENTER",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The storefront's campaign (readings Q3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Campaign {
    /// `NURTURE`: AppSource.
    Nurture,
    /// `DEMAND_GENERATION`: Azure Marketplace.
    DemandGeneration,
    /// `UNCLASSIFIED`: no storefront.
    Unclassified,
}

impl Vocabulary for Campaign {
    const ALL: &'static [Self] = &[Self::Nurture, Self::DemandGeneration, Self::Unclassified];

    fn name(self) -> &'static str {
        match self {
            Self::Nurture => "NURTURE",
            Self::DemandGeneration => "DEMAND_GENERATION",
            Self::Unclassified => "UNCLASSIFIED",
        }
    }
}

impl Serialize for Campaign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Whom the storefront addresses (readings Q2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// `BUSINESS_CUSTOMERS`: AppSource.
    BusinessCustomers,
    /// `ALL_CUSTOMERS`: Azure Marketplace.
    AllCustomers,
    /// `UNKNOWN`: no storefront.
    Unknown,
}

impl Vocabulary for Audience {
    const ALL: &'static [Self] = &[Self::BusinessCustomers, Self::AllCustomers, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::BusinessCustomers => "BUSINESS_CUSTOMERS",
            Self::AllCustomers => "ALL_CUSTOMERS",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What kind of listing the offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// `APP`: an app.
    App,
    /// `CONSULTING_SERVICE`: a consulting service.
    ConsultingService,
    /// `OFFER`: an Azure Marketplace offer.
    Offer,
    /// `TECHNOLOGY`: technology.
    Technology,
    /// `UNKNOWN`: the offer's type is not known.
    Unknown,
}

impl Vocabulary for Listing {
    const ALL: &'static [Self] = &[Self::App, Self::ConsultingService, Self::Offer, Self::Technology, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::App => "APP",
            Self::ConsultingService => "CONSULTING_SERVICE",
            Self::Offer => "OFFER",
            Self::Technology => "TECHNOLOGY",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the customer did (facts.md §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// `INSTALL`: `INS`: got, bought or installed it.
    Install,
    /// `CONTACT_ME`: `PLT`: pressed Contact me.
    ContactMe,
    /// `DO_NOT_CONTACT`: `DNC`: a heads-up without licence to contact.
    DoNotContact,
    /// `CREATE`: `Create`: deployed from the Azure portal.
    Create,
    /// `START_TEST_DRIVE`: `StartTestDrive`.
    StartTestDrive,
    /// `UNKNOWN`: no code, or one that no rule knows.
    Unknown,
}

impl Vocabulary for Action {
    const ALL: &'static [Self] = &[Self::Install, Self::ContactMe, Self::DoNotContact, Self::Create, Self::StartTestDrive, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::Install => "INSTALL",
            Self::ContactMe => "CONTACT_ME",
            Self::DoNotContact => "DO_NOT_CONTACT",
            Self::Create => "CREATE",
            Self::StartTestDrive => "START_TEST_DRIVE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How far the customer has gone (readings Q4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// `INITIAL_INTEREST`: asks.
    InitialInterest,
    /// `TRIAL`: tries.
    Trial,
    /// `ACTIVE`: uses or buys.
    Active,
    /// `INFORMATIONAL`: a heads-up only.
    Informational,
    /// `UNKNOWN`: not told.
    Unknown,
}

impl Vocabulary for Stage {
    const ALL: &'static [Self] = &[Self::InitialInterest, Self::Trial, Self::Active, Self::Informational, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::InitialInterest => "INITIAL_INTEREST",
            Self::Trial => "TRIAL",
            Self::Active => "ACTIVE",
            Self::Informational => "INFORMATIONAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How sure the storefront is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// `HIGH`: stated by the source token.
    High,
    /// `MEDIUM`: inferred from the offer or the action.
    Medium,
    /// `LOW`: neither.
    Low,
}

impl Vocabulary for Confidence {
    const ALL: &'static [Self] = &[Self::High, Self::Medium, Self::Low];

    fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

impl Serialize for Confidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
