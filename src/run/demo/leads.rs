//! Made-up leads for the demo, in the shape Microsoft's HTTPS endpoint sends: the usual ones, and of each kind of trouble a
//! few. The same number gives the same lead. Nobody in here exists: companies live under `.example`.

const FIRST: [&str; 12] = ["Ada", "Bao", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana", "Ilse", "Jun", "Kofi", "Lena"];
const LAST: [&str; 12] =
    ["Adeyemi", "Brandt", "Castro", "Dubois", "Eriksen", "Farkas", "Gupta", "Haddad", "Ito", "Jensen", "Kowalska", "Lindqvist"];
const COMPANIES: [&str; 10] = [
    "alpine-tools",
    "blue-harbor",
    "cedar-labs",
    "delta-freight",
    "elm-health",
    "fjord-foods",
    "granite-bank",
    "hazel-retail",
    "iris-media",
    "juniper-works",
];
const COUNTRIES: [&str; 10] = ["US", "DE", "FR", "GB", "BR", "JP", "IN", "USA", "Canada", "PL"];
const TITLES: [&str; 8] =
    ["CTO", "VP Engineering", "Director of IT", "Product Manager", "Developer", "Chief Information Officer", "Analyst", ""];
const NOTES: [&str; 4] = ["", "", "Please call about a pilot for forty seats", "Campaigns: spring-fair"];
const OFFERS: [(&str, &str); 5] = [
    ("demo-publisher.fleet-planner", "Fleet Planner"),
    ("demo-publisher.invoice-reader", "Invoice Reader"),
    ("demo-publisher.shelf-watch", "Shelf Watch"),
    ("demo-publisher.cold-chain", "Cold Chain"),
    ("demo-publisher.rota", "Rota"),
];
const SOURCES: [&str; 9] = [
    "SPZA-INS",
    "SPZA-PLT",
    "AzureMarketplace-INS",
    "AzureMarketplace-INS",
    "AzurePortal-Create",
    "AzurePortal-Create",
    "AppSource (SPZA)-PLT",
    "TestDrive-StartTestDrive",
    "SPZA-DNC",
];

/// Key and value of the raw record that holds made-up lead number `number`.
#[must_use]
pub(super) fn lead(number: u64) -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice(number);
    let first = dice.pick(&FIRST);
    let last = dice.pick(&LAST);
    let company = dice.pick(&COMPANIES);
    let key = format!("{first}.{last}.{company}").to_lowercase().into_bytes();
    let email = match dice.below(20) {
        0 => String::new(),
        1..=3 => format!("leadstream-demo-{}@gmail.com", dice.below(500)),
        4 => "not an address".to_owned(),
        5 => format!("{}.{}@{company}.onmicrosoft.com", first.to_lowercase(), last.to_lowercase()),
        _ => format!("{}.{}@{company}.example", first.to_lowercase(), last.to_lowercase()),
    };
    let (offer, title) = dice.pick(&OFFERS);
    let source = dice.pick(&SOURCES);
    let lead = serde_json::json!({
        "userDetails": {
            "firstName": first, "lastName": last, "email": email, "phone": format!("+1 202 555 01{:02}", dice.below(100)),
            "country": dice.pick(&COUNTRIES), "company": company, "title": dice.pick(&TITLES),
        },
        "leadSource": format!("{source}|{offer}"),
        "actionCode": source.rsplit('-').next(),
        "offerTitle": title,
        "description": dice.pick(&NOTES),
    });
    let value = match dice.below(50) {
        // The broken comma of a hand-written relay, and what a health check leaves behind.
        0 => lead.to_string().replacen("\",\"", "\" \"", 1).into_bytes(),
        1 if dice.below(3) == 0 => b"{\"status\":\"ok\"}".to_vec(),
        2 => lead.to_string().replacen(first, "MSFT_TEST_636737558587117715", 1).into_bytes(),
        _ => lead.to_string().into_bytes(),
    };
    (key, value)
}

/// A small reproducible source of variety (splitmix64); nothing here needs to be unpredictable.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_lead_and_a_few_are_broken() {
        assert_eq!(lead(17), lead(17));
        let broken = (0..1000).filter(|number| serde_json::from_slice::<serde_json::Value>(&lead(*number).1).is_err()).count();
        assert!((5..60).contains(&broken), "{broken}");
    }
}
