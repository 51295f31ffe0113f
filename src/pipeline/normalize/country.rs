//! A country as written to its ISO 3166-1 alpha-2 code and its region (readings Q25). Unknown ones stay unknown: the raw text
//! is kept beside.

use crate::lead::Region;

use super::country_table::{ALPHA_2, AMER, APAC, NAMES, NOWHERE};

/// Longer than any name in the table: not worth looking up.
const LONGEST: usize = 96;

/// The alpha-2 code of a country code, English name or common alias.
pub(super) fn alpha_2(written: &str) -> Option<&'static str> {
    if let &[a, b] = written.as_bytes() {
        let upper = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        if let Ok(place) = ALPHA_2.binary_search_by(|code| code.as_bytes().cmp(&upper)) {
            return ALPHA_2.get(place).copied();
        }
    }
    if written.len() > LONGEST {
        return None;
    }
    let key = key(written);
    let place = NAMES.binary_search_by(|(name, _)| (*name).cmp(key.as_str())).ok()?;
    NAMES.get(place).map(|(_, code)| *code)
}

/// The sales region of an alpha-2 code.
pub(super) fn region(code: Option<&str>) -> Region {
    let Some(code) = code else { return Region::Unknown };
    let among = |list: &[&str]| list.binary_search(&code).is_ok();
    if among(NOWHERE) {
        Region::Unknown
    } else if among(AMER) {
        Region::Amer
    } else if among(APAC) {
        Region::Apac
    } else {
        Region::Emea
    }
}

/// The form in which names are compared: lower-case ASCII words, dots and apostrophes gone, accents off.
fn key(written: &str) -> String {
    let mut key = String::with_capacity(written.len());
    let mut gap = false;
    for c in written.chars().flat_map(char::to_lowercase) {
        let Some(plain) = plain(c) else {
            gap = true;
            continue;
        };
        if plain.is_empty() {
            continue;
        }
        if (gap || plain == "and") && !key.is_empty() {
            key.push(' ');
        }
        key.push_str(plain);
        gap = plain == "and";
    }
    match key.strip_prefix("the ") {
        Some(rest) => rest.to_owned(),
        None => key,
    }
}

/// The plain letters of a character; nothing for what stands within a word and is not spoken; `None` between words.
fn plain(c: char) -> Option<&'static str> {
    const ASCII: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    if let Some(place) = ASCII.find(c) {
        return ASCII.get(place..=place);
    }
    Some(match c {
        '.' | '\'' | '’' | '\u{300}'..='\u{36f}' => "",
        '&' => "and",
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ă' | 'ą' => "a",
        'ç' | 'č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ě' | 'ę' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
        'ř' => "r",
        'š' | 'ś' => "s",
        'ù' | 'ú' | 'û' | 'ü' | 'ů' => "u",
        'ý' => "y",
        'ž' | 'ź' | 'ż' => "z",
        'æ' => "ae",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_closed() {
        assert!(ALPHA_2.is_sorted() && AMER.is_sorted() && APAC.is_sorted() && NOWHERE.is_sorted());
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        assert!(NAMES.iter().all(|(_, code)| ALPHA_2.contains(code)));
        assert!(NAMES.iter().all(|(name, _)| key(name) == **name), "every key can be found");
    }

    #[test]
    fn codes_names_and_aliases_are_one_country() {
        for written in ["US", "us", "USA", "U.S.A.", "United States", "The United States of America", "united states "] {
            assert_eq!(alpha_2(written), Some("US"), "{written}");
        }
        for (written, code) in [
            ("UK", "GB"),
            ("EL", "GR"),
            ("Korea, Republic of", "KR"),
            ("Côte d'Ivoire", "CI"),
            ("Deutschland", "DE"),
            ("Türkiye", "TR"),
            ("Trinidad & Tobago", "TT"),
            ("Viet Nam", "VN"),
        ] {
            assert_eq!(alpha_2(written), Some(code), "{written}");
        }
        for written in ["", "X", "ZZ", "Atlantis", "U", "😀😀"] {
            assert_eq!(alpha_2(written), None, "{written}");
        }
    }

    #[test]
    fn every_country_but_the_empty_ones_has_a_region() {
        let region_of = |code| region(Some(code));
        assert_eq!(
            (region_of("BR"), region_of("PL"), region_of("JP"), region_of("AQ")),
            (Region::Amer, Region::Emea, Region::Apac, Region::Unknown)
        );
        assert_eq!(region(None), Region::Unknown);
    }
}
