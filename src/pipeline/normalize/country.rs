//! A country as written to its ISO 3166-1 alpha-2 code and its region (readings Q25). Unknown ones stay unknown: the raw text
//! is kept beside. The names are a data file, made from CLDR and ISO's list by `data/countries.py`.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    sync::LazyLock,
};

use crate::lead::Region;

use super::{
    fold::{Short, fold},
    regions::{AMER, APAC, NOWHERE},
    remembered::Remembered,
    sorted_lines::find,
};

/// Codes, names and aliases as `key` makes them, each with its alpha-2 code; sorted.
const NAMES: &str = include_str!("data/countries.txt");

/// Longer than any name: not worth looking up.
const LONGEST: usize = 128;

/// What forms are filled in with, and would be a code as a word: `NA` is Namibia.
const NOT_GIVEN: &[&str] = &["n.a", "n.a.", "n/a"];

/// Languages that are written before a country (`en-US`). Sorted.
const LANGUAGES: &[&str] = &[
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "ga", "gl", "he", "hi", "hr", "hu", "id",
    "is", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "th",
    "tr", "uk", "ur", "vi", "zh",
];

/// Where a language is at home whose code is also the code of a country, other than that country: `PT-BR` is no part of Portugal,
/// and `CA-NL` no Catalan. Sorted.
const AT_HOME: &[&str] = &[
    "AR-AE", "AR-BH", "AR-DZ", "AR-EG", "AR-IQ", "AR-JO", "AR-KW", "AR-LB", "AR-LY", "AR-MA", "AR-OM", "AR-QA", "AR-SA", "AR-SD", "AR-SY",
    "AR-TN", "AR-YE", "BN-BD", "BN-IN", "CA-AD", "CA-ES", "DE-AT", "DE-CH", "DE-IT", "DE-LI", "DE-LU", "ES-BO", "ES-DO", "ES-EC", "ES-GT",
    "ES-HN", "ES-MX", "ES-NI", "ES-PA", "ES-PE", "ES-PR", "ES-PY", "ES-SV", "ES-US", "ES-UY", "ES-VE", "ET-EE", "FR-BE", "FR-CA", "FR-CH",
    "FR-LU", "FR-MC", "GA-IE", "GL-ES", "HR-BA", "IT-SM", "IT-VA", "MS-BN", "MS-MY", "MS-SG", "NL-BE", "PT-AO", "PT-BR", "PT-MZ", "RO-MD",
    "RU-BY", "RU-KG", "RU-KZ", "RU-UA", "SL-SI", "SR-BA", "SR-ME", "SR-RS", "SV-FI", "SV-SE", "TR-CY",
];

/// And these are both: Berlin, Aragon, Chieti, and so on (ISO 3166-2). Sorted.
const BOTH: &[&str] = &["DE-BE", "ES-AR", "ES-CL", "ES-CO", "ES-CR", "ES-CU", "IT-CH"];

/// Countries read before.
#[derive(Debug, Default)]
pub(super) struct Countries(Remembered<(Option<&'static str>, Region)>);

impl Countries {
    /// What [`alpha_2`] and [`region`] say.
    pub(super) fn read(&mut self, written: &str) -> (Option<&'static str>, Region) {
        let read = || {
            let code = alpha_2(written);
            (code, region(code))
        };
        // Nothing longer is a name.
        if written.len() > LONGEST { read() } else { self.0.answer(written, read, |known| *known) }
    }
}

/// The alpha-2 code of a country written as a code, a name, a language tag, or two of these that mean the same.
pub(super) fn alpha_2(written: &str) -> Option<&'static str> {
    named(written).or_else(|| of_tag(written)).or_else(|| of_both(written))
}

/// Every alpha-2 code there is, with its region.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Region)> {
    static CODES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| NAMES.lines().filter_map(|line| Some(line.split_once('\t')?.1)).collect());
    CODES.iter().map(|code| (*code, region(Some(code))))
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

fn named(written: &str) -> Option<&'static str> {
    // Without a letter it is punctuation, and `&` alone would be the code of Andorra, `and`.
    if !written.contains(char::is_alphanumeric) || NOT_GIVEN.iter().any(|other| written.eq_ignore_ascii_case(other)) {
        return None;
    }
    let key = key(written)?;
    // A short word of another alphabet or with accents is no code: `Bỉ` is not Burundi. Full-width letters are plain ones.
    let is_plain = |c: char| c.is_ascii() || matches!(c, '\u{ff00}'..='\u{ff5e}');
    if key.as_str().len() == 2 && !written.chars().all(is_plain) {
        return None;
    }
    find(NAMES, key.as_str())
}

/// A language tag (`en-US`, `zh-Hant-TW`, `pt_BR.UTF-8`), whose last part is the country, or a subdivision (`US-CA`, ISO 3166-2),
/// whose first is. Where the two parts could be either, a tag has its language in small letters; else it is asked where the
/// language is at home.
fn of_tag(written: &str) -> Option<&'static str> {
    let tag = written.split(['.', '@']).next()?;
    let (first, rest) = tag.split_once(['-', '_'])?;
    let last = rest.rsplit(['-', '_']).next()?;
    let plain = |part: &str| matches!(part.len(), 2 | 3) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain(first) || !plain(last) {
        return None;
    }
    let code = |part: &str| if part.len() == 2 { named(part) } else { None };
    let is_subdivision = rest == last;
    let mut language = Short::<3>::new();
    let is_language = fold(first, &mut language).is_ok() && LANGUAGES.binary_search(&language.as_str()).is_ok();
    match (code(first), code(last)) {
        (country, _) if !is_language => country.filter(|_| is_subdivision),
        (None, country) => country,
        (country, None) => country.filter(|_| is_subdivision),
        (_, country) if !is_subdivision || first == language.as_str() && last != last.to_ascii_lowercase() => country,
        (Some(whole), Some(country)) => {
            let mut pair = [0; 5];
            for (place, byte) in pair.iter_mut().zip(first.bytes().chain([b'-']).chain(last.bytes())) {
                *place = byte.to_ascii_uppercase();
            }
            let among = |list: &[&str]| list.binary_search_by(|other| other.as_bytes().cmp(&pair)).is_ok();
            if among(BOTH) { None } else { Some(if among(AT_HOME) { country } else { whole }) }
        }
    }
}

/// `US - United States`, `Germany (DE)`, `Deutschland/Germany`, `England, UK`: parts that all mean the same country. `Georgia, USA`
/// does not.
fn of_both(written: &str) -> Option<&'static str> {
    if written.len() > LONGEST {
        return None;
    }
    let parts = written.split(['(', ')', '[', ']', '/', '|', ',', ';', ':', '–', '—']).flat_map(|part| part.split(" - "));
    let mut countries = parts.map(str::trim).filter(|part| !part.is_empty()).map(named);
    let country = countries.next()??;
    countries.all(|other| other == Some(country)).then_some(country)
}

/// The form in which names are compared: folded, without `the` wherever it stands (`Gambia (the)`), initials together, and `St.`
/// spoken, but where it is all (the code of São Tomé).
fn key(written: &str) -> Option<Short<LONGEST>> {
    let folded = Short::<LONGEST>::folded(written)?;
    let mut key = Short::new();
    write_key(folded.as_str(), &mut key).ok()?;
    Some(key)
}

fn write_key(folded: &str, key: &mut Short<LONGEST>) -> fmt::Result {
    let are_initials = |before: &str, word: &str| before.len() == 1 && word.len() == 1;
    let mut before = "";
    for word in folded.split(' ').filter(|word| *word != "the") {
        if !before.is_empty() && !are_initials(before, word) {
            key.write_char(' ')?;
        }
        key.write_str(if word == "st" && word != folded { "saint" } else { word })?;
        before = word;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> BTreeSet<&'static str> {
        NAMES.lines().map(|line| line.split_once('\t').unwrap().1).collect()
    }

    #[test]
    fn tables_are_sorted_and_closed() {
        assert!([AMER, APAC, NOWHERE, LANGUAGES, AT_HOME, BOTH].into_iter().all(<[&str]>::is_sorted));
        let names: Vec<_> = NAMES.lines().map(|line| line.split_once('\t').unwrap().0).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "sorted, each once");
        assert!(NAMES.ends_with('\n') && names.len() > 6_500, "{}", names.len());
        let codes = codes();
        // ISO 3166-1 has 249; XK is Kosovo.
        assert_eq!(codes.len(), 250);
        for line in NAMES.lines() {
            let (name, code) = line.split_once('\t').unwrap();
            assert!(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()), "{line}");
            assert_eq!(key(name).as_ref().map(Short::as_str), Some(name), "every name is a key");
            assert_eq!(named(name), Some(code), "and can be found");
        }
        for code in &codes {
            assert_eq!(alpha_2(code), Some(*code));
            assert!(names.iter().any(|name| name.len() == 3 && find(NAMES, name) == Some(code)), "alpha-3 of {code}");
        }
        assert!([AMER, APAC, NOWHERE].concat().iter().all(|code| codes.contains(code)));
    }

    #[test]
    fn codes_names_and_aliases_are_one_country() {
        for (code, written) in [
            (
                "US",
                "US|us|USA|U.S.|U.S.A.|u. s. a.|United States|The United States of America|united states |UNITED STATES OF AMERICA (THE)|America",
            ),
            (
                "US",
                "United States (US)|US - United States|United States of America (USA)|Vereinigte Staaten|États-Unis|Etats Unis|Estados Unidos",
            ),
            (
                "US",
                "Stany Zjednoczone|Stati Uniti|Verenigde Staten|EE. UU.|EE.UU.|EUA|アメリカ合衆国|米国|美国|美國|미국|США|الولايات المتحدة|ＵＳＡ",
            ),
            (
                "GB",
                "UK|U.K.|GB|United Kingdom|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|England, UK|Reino Unido|Royaume-Uni",
            ),
            (
                "GB",
                "United Kingdom of Great Britain and Northern Ireland (the)|Großbritannien|Vereinigtes Königreich|Regno Unito|Wielka Brytania|英国|イギリス",
            ),
            (
                "DE",
                "Germany|GERMANY|deu|Deutschland|Bundesrepublik Deutschland|Alemania|Allemagne|Niemcy|Alemanha|Germania|Duitsland|Tyskland|ドイツ|Германия",
            ),
            ("AT", "Österreich|Oesterreich|Autriche|Austria"),
            ("CH", "Schweiz|Suisse|Svizzera|Switzerland|Suiza|Suíça|Szwajcaria"),
            ("ES", "España|Spain|Espagne|Spanien|Hiszpania|Espanha|Spagna"),
            ("IT", "Italia|Italy|Italien|Italie|Włochy|Itália"),
            ("FR", "France|Frankreich|Francia|Francja|França|Frankrijk"),
            ("PL", "Polska|Poland|Polen|Pologne|Polonia"),
            ("CZ", "Česko|Česká republika|Czech Republic|Czechia|Tschechien"),
            ("SK", "Slovensko|Slovakia|Slovak Republic"),
            ("HU", "Magyarország|Hungary|Ungarn"),
            ("TR", "Türkiye|Turkey|Türkei|TURKIYE"),
            ("BR", "Brasil|Brazil|Brésil|Brasilien|Brazylia"),
            ("MX", "México|Mexico|Mexique|Estados Unidos Mexicanos|Méjico"),
            ("NL", "Nederland|The Netherlands|Netherlands (Kingdom of the)|Holland|Niederlande|Pays-Bas|Países Bajos|Holandia"),
            ("BE", "België|Belgique|Belgien|Bélgica|Belgium"),
            ("SE", "Sverige|Sweden|Schweden|Szwecja"),
            ("NO", "Norge|Noreg|Norwegen"),
            ("DK", "Danmark|Dänemark|Dania"),
            ("FI", "Suomi|Finland|Finnland"),
            ("IS", "Ísland|Iceland"),
            ("IE", "Éire|Ireland|Republic of Ireland|Irland|Irlanda"),
            ("GR", "EL|Greece|Ελλάδα|ΕΛΛΑΔΑ|Hellas|Griechenland"),
            ("RU", "Россия|Russia|Russian Federation (the)|Российская Федерация|Russland"),
            ("UA", "Україна|Ukraine|Украина|Ukraina"),
            ("BG", "България|Bulgaria"),
            ("RS", "Србија|Srbija|Serbia"),
            ("HR", "Hrvatska|Croatia|Kroatien"),
            ("SI", "Slovenija|Slovenia"),
            ("RO", "România|Romania|Rumänien"),
            ("LT", "Lietuva|Lithuania"),
            ("LV", "Latvija|Latvia"),
            ("EE", "Eesti|Estonia"),
            ("MK", "Macedonia|North Macedonia|FYROM|Macedonia, the former Yugoslav Republic of"),
            ("XK", "Kosovo|Kosova|XKX"),
            ("JP", "日本|Japan|JPN|Nippon|Japon|Japonia"),
            ("CN", "中国|中國|China|PRC|P.R. China|People's Republic of China|China (Mainland)|中华人民共和国|Chine"),
            ("TW", "台灣|台湾|臺灣|Taiwan|Taiwan, Province of China|Taiwan (R.O.C.)|Chinese Taipei|Taiwan, China"),
            ("HK", "香港|Hong Kong|Hong Kong SAR|Hong Kong S.A.R.|Hongkong|Hong Kong (China)|Hong Kong SAR China"),
            ("MO", "Macau|Macao SAR|澳門"),
            ("KR", "대한민국|한국|South Korea|S. Korea|Korea|Korea, Republic of|Korea (the Republic of)|Republic of Korea|Südkorea|韓国"),
            ("KP", "North Korea|Korea (the Democratic People's Republic of)|DPRK"),
            ("TH", "ประเทศไทย|ไทย|Thailand"),
            ("VN", "Việt Nam|Viet Nam|Vietnam|VIETNAM"),
            ("IL", "ישראל|Israel"),
            ("EG", "مصر|Egypt|Ägypten"),
            ("SA", "السعودية|المملكة العربية السعودية|KSA|Saudi Arabia"),
            ("AE", "الإمارات|الإمارات العربية المتحدة|UAE|U.A.E.|United Arab Emirates (the)|VAE"),
            ("IN", "भारत|India|Indien|Inde"),
            ("IR", "Iran (Islamic Republic of)|Iran|Iran, Islamic Republic of"),
            ("BO", "Bolivia, Plurinational State of|Bolivia (Plurinational State of)|Bolivia"),
            ("VE", "Venezuela (Bolivarian Republic of)|Venezuela"),
            ("TZ", "Tanzania, United Republic of|Tanzania"),
            ("MD", "Moldova (the Republic of)|Moldova"),
            ("FK", "Falkland Islands (the) [Malvinas]|Falkland Islands"),
            ("CI", "Côte d'Ivoire|Côte d’Ivoire|COTE D`IVOIRE|Ivory Coast|Elfenbeinküste"),
            ("CD", "Congo, Democratic Republic of the|Congo (the Democratic Republic of the)|DR Congo|DRC|Congo (DRC)|Congo-Kinshasa"),
            ("CG", "Congo|Congo (the)|Congo-Brazzaville|Republic of the Congo"),
            ("GE", "Georgia"),
            ("MM", "Burma|Myanmar|Myanmar (Burma)"),
            ("SZ", "Swaziland|Eswatini"),
            ("CV", "Cape Verde|Cabo Verde"),
            ("TL", "East Timor|Timor-Leste"),
            ("PS", "Palestine|Palestine, State of|Palestinian Authority"),
            ("TT", "Trinidad & Tobago|Trinidad and Tobago"),
            ("LC", "St. Lucia|St Lucia|Saint Lucia"),
            ("VA", "Holy See (the)|Vatican City|Vatican City (Holy See)"),
            ("VI", "Virgin Islands (U.S.)|U.S. Virgin Islands|Virgin Islands, U.S."),
            ("VG", "Virgin Islands (British)|British Virgin Islands"),
            ("DE", "Germany (DE)|DE – Germany|Deutschland / Germany|DE: Germany|Germany; Deutschland"),
        ] {
            for written in written.split('|') {
                assert_eq!(alpha_2(written), Some(code), "{written}");
            }
        }
    }

    #[test]
    fn tags_and_subdivisions_are_told_apart() {
        for (code, written) in [
            ("US", "en-US|EN-US|en_us|en_US.UTF-8|es-US|ES-US|US-CA|US-TX|us-ca|US-DE"),
            ("GB", "en-GB|GB-ENG|en-UK"),
            ("DE", "de-DE|DE-DE|DE-BY|de-by|DE-NW"),
            ("AT", "de-AT|de_AT@euro|DE-AT|de-at"),
            ("CA", "fr-CA|FR-CA|CA-ON|CA-NL"),
            ("BR", "pt-BR|PT-BR|pt-br|BR-SP|BR-PA"),
            ("TW", "zh-Hant-TW|zh_TW|zh-TW"),
            ("IT", "it-IT|IT-TO|IT-MI"),
            ("BE", "de-BE|nl-BE|NL-BE|fr-be"),
            ("CO", "es-CO"),
            ("RS", "sr-Latn-RS|SR-RS"),
        ] {
            for written in written.split('|') {
                assert_eq!(alpha_2(written), Some(code), "{written}");
            }
        }
        for written in ["DE-BE", "es-co", "IT-CH", "en", "en-", "de-1996", "xx-yy", "e-U", "en-USA1", "US-California", "_", "sr-Latn"] {
            assert_eq!(alpha_2(written), None, "{written}");
        }
    }

    #[test]
    fn what_is_not_told_stays_unknown() {
        let written = "| |X|ZZ|Atlantis|U|😀😀|the|&|Georgia, USA|USA, Canada|Paris, Texas|Virgin Islands|Channel Islands|CAD|Bỉ|Columbia\
            |Yugoslavia|EU|Europe|Netherlands Antilles|N/A|n.a.|none|unknown|-";
        for written in written.split('|') {
            assert_eq!(alpha_2(written), None, "{written}");
        }
        assert_eq!(alpha_2(&"x".repeat(100_000)), None);
        assert_eq!(alpha_2(&"US,".repeat(100_000)), None);
    }

    #[test]
    fn every_country_but_the_empty_ones_has_a_region() {
        let region_of = |code| region(Some(code));
        assert_eq!(
            (region_of("BR"), region_of("PL"), region_of("JP"), region_of("AQ")),
            (Region::Amer, Region::Emea, Region::Apac, Region::Unknown)
        );
        assert_eq!(region(None), Region::Unknown);
        let nowhere: Vec<_> = codes().into_iter().filter(|code| region(Some(code)) == Region::Unknown).collect();
        assert_eq!(nowhere, ["AQ", "BV", "HM", "TF"]);
        let twice: Vec<_> = AMER.iter().filter(|code| APAC.contains(code)).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
