//! Sales regions: which countries buy from AMER, which from APAC, which from nowhere. Names and codes of countries are a data
//! file (`data/countries.txt`).

/// The Americas: region AMER. Sorted.
pub(super) const AMER: &[&str] = &[
    "AG", "AI", "AR", "AW", "BB", "BL", "BM", "BO", "BQ", "BR", "BS", "BZ", "CA", "CL", "CO", "CR", "CU", "CW", "DM", "DO", "EC", "FK",
    "GD", "GF", "GL", "GP", "GS", "GT", "GY", "HN", "HT", "JM", "KN", "KY", "LC", "MF", "MQ", "MS", "MX", "NI", "PA", "PE", "PM", "PR",
    "PY", "SR", "SV", "SX", "TC", "TT", "UM", "US", "UY", "VC", "VE", "VG", "VI",
];

/// Asia east and south of Iran, and Oceania: region APAC. Sorted.
pub(super) const APAC: &[&str] = &[
    "AF", "AS", "AU", "BD", "BN", "BT", "CC", "CK", "CN", "CX", "FJ", "FM", "GU", "HK", "ID", "IN", "IO", "JP", "KH", "KI", "KP", "KR",
    "LA", "LK", "MH", "MM", "MN", "MO", "MP", "MV", "MY", "NC", "NF", "NP", "NR", "NU", "NZ", "PF", "PG", "PH", "PK", "PN", "PW", "SB",
    "SG", "TH", "TK", "TL", "TO", "TV", "TW", "VN", "VU", "WF", "WS",
];

/// Where nobody buys: no region. All others are EMEA. Sorted.
pub(super) const NOWHERE: &[&str] = &["AQ", "BV", "HM", "TF"];
