//! A company's name to a key under which its spellings meet: folded, without its legal form. For joins only; no event shows it. The
//! forms are a data file.

use super::{
    fold::{fold, is_unspaced},
    sorted_lines::find,
};

/// Legal forms and what goes with them (`& Co.`, `The`), folded; `front` where they may also come first. Sorted.
const FORMS: &str = include_str!("data/legal_forms.txt");

/// More of a name tells nothing new, and is not worth the time.
const LONGEST: usize = 512;

/// No form has more words.
const MOST_WORDS: usize = 5;

/// No form of a script without blanks has more letters.
const MOST_LETTERS: usize = 11;

/// The key of a company; `None` where its name has no letter. A name that is nothing but legal forms is its own key.
///
/// The key of a key is the key itself.
pub(in crate::pipeline) fn key(company: &str) -> Option<String> {
    let end = (0..=LONGEST.min(company.len())).rev().find(|end| company.is_char_boundary(*end));
    let company = company.get(..end.unwrap_or(0)).unwrap_or_default();
    let mut folded = String::with_capacity(company.len());
    fold(company, &mut folded).ok()?;
    let whole = together(&folded);
    let name = without_forms(&whole);
    let key = if name.is_empty() { whole } else { name.to_owned() };
    (!key.is_empty()).then_some(key)
}

/// Initials side by side as one word (`S. A.`, `J. P. Morgan`), and scripts with blanks apart from those without.
fn together(folded: &str) -> String {
    // Latin, Greek, Cyrillic: elsewhere one sign alone may be no letter, and would not stay where it is put.
    let is_initial = |word: &str| word.chars().count() == 1 && word.starts_with(|c| c < '\u{530}');
    let are_initials = |before: &str, word: &str| is_initial(before) && is_initial(word);
    let mut text = String::with_capacity(folded.len());
    let mut before = "";
    for word in folded.split(' ').flat_map(pieces) {
        if !before.is_empty() && !are_initials(before, word) {
            text.push(' ');
        }
        text.push_str(word);
        before = word;
    }
    text
}

/// A word cut where it goes from one kind of script to the other.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let kind = is_unspaced(rest.chars().next()?);
        let (piece, behind) = rest.split_at(rest.find(|c| is_unspaced(c) != kind).unwrap_or(rest.len()));
        rest = behind;
        Some(piece)
    })
}

/// What is left when no form stands at either end any more; maybe nothing.
fn without_forms(whole: &str) -> &str {
    let mut name = whole;
    loop {
        let shorter = without_first(without_last(name));
        if shorter.len() == name.len() {
            return name;
        }
        name = shorter;
    }
}

/// Without the longest form at the end.
fn without_last(name: &str) -> &str {
    let words = name.rmatch_indices(' ').map(|(blank, _)| blank + 1).chain([0]).take(MOST_WORDS);
    let start = longest(words, |start| name.get(start..).is_some_and(|form| find(FORMS, form).is_some()));
    let letters = || name.char_indices().rev().take(MOST_LETTERS).take_while(|(_, c)| is_unspaced(*c)).map(|(start, _)| start).skip(1);
    let start = start.or_else(|| longest(letters(), |start| name.get(start..).is_some_and(|form| find(FORMS, form).is_some())));
    name.get(..start.unwrap_or(name.len())).unwrap_or_default().trim_end()
}

/// Without the longest form at the beginning, of those that may stand there.
fn without_first(name: &str) -> &str {
    let is_form = |end| name.get(..end).and_then(|form| find(FORMS, form)) == Some("front");
    let words = name.match_indices(' ').map(|(blank, _)| blank).chain([name.len()]).take(MOST_WORDS);
    let letters = name.char_indices().take(MOST_LETTERS).take_while(|(_, c)| is_unspaced(*c)).map(|(at, c)| at + c.len_utf8()).skip(1);
    let end = longest(words, is_form).or_else(|| longest(letters, is_form));
    name.get(end.unwrap_or(0)..).unwrap_or_default().trim_start()
}

/// The last place that is one; places come from the nearest to the farthest.
fn longest(places: impl Iterator<Item = usize>, is_one: impl Fn(usize) -> bool) -> Option<usize> {
    places.filter(|place| is_one(*place)).last()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_sorted_and_are_keys_of_their_own() {
        let lines: Vec<_> = FORMS.lines().map(|line| line.split_once('\t').unwrap_or((line, ""))).collect();
        assert!(lines.is_sorted_by(|a, b| a.0 < b.0) && lines.len() > 300);
        for (form, place) in &lines {
            assert!(place.is_empty() || *place == "front", "{form}");
            assert!(form.split(' ').count() <= MOST_WORDS, "{form}");
            assert!(!form.starts_with(is_unspaced) || form.chars().count() <= MOST_LETTERS, "{form}");
            assert_eq!(key(form).as_deref(), Some(*form), "keeps its text");
            assert_eq!(key(&format!("Adatum {form}")).as_deref(), Some("adatum"), "{form}");
            let first = key(&format!("{form} Adatum"));
            assert_eq!(first.as_deref() == Some("adatum"), *place == "front", "{form}: {first:?}");
        }
    }

    #[test]
    fn spellings_of_one_company_meet() {
        for (expected, names) in [
            (
                "adatum industries",
                "Adatum Industries|ADATUM INDUSTRIES, INC.|Adatum-Industries GmbH & Co. KG|adatum   industries|The Adatum Industries Company",
            ),
            (
                "adatum industries",
                "Adatum Industries L.L.C.|Adatum Industries, LLC|Adatum Industries Ltd|Adatum Industries Ltd.|Adatum Industries Limited",
            ),
            (
                "adatum industries",
                "Adatum Industries Corp.|Adatum Industries Corporation|Adatum Industries Co., Ltd.|Adatum Industries PLC|Adatum Industries LLP",
            ),
            (
                "adatum industries",
                "Adatum Industries Pty Ltd|Adatum Industries Pte. Ltd.|Adatum Industries Pvt. Ltd.|Adatum Industries Private Limited|Adatum Industries LP",
            ),
            (
                "adatum",
                "Adatum GmbH|Adatum AG|Adatum SE|Adatum KG|Adatum OHG|Adatum e.K.|Adatum e. K.|Adatum UG (haftungsbeschränkt)|Adatum G.m.b.H.|Adatum GesmbH",
            ),
            (
                "adatum",
                "Adatum S.A.|Adatum SA|Adatum S. A.|Adatum SAS|Adatum SARL|SARL Adatum|Adatum S.à r.l.|Adatum SASU|Adatum et Cie|Adatum BVBA",
            ),
            (
                "adatum",
                "Adatum S.r.l.|Adatum SRL|Adatum S.p.A.|Adatum SpA|Adatum S.L.|Adatum, S.L.U.|Adatum B.V.|Adatum N.V.|Adatum AB|Adatum AB (publ)|Adatum A/S",
            ),
            (
                "adatum",
                "Adatum ApS|Adatum Oy|Adatum Oyj|Adatum AS|Adatum ASA|Adatum Sp. z o.o.|Adatum sp. z o. o.|Adatum Sp.z o.o.|ADATUM SPÓŁKA Z O.O.|Adatum Sp. k.",
            ),
            (
                "adatum",
                "Adatum s.r.o.|Adatum, spol. s r.o.|Adatum a.s.|Adatum Kft.|Adatum Zrt.|Adatum d.o.o.|Adatum A.Ş.|Adatum Ltd. Şti.|Adatum OÜ|UAB Adatum|SIA \"Adatum\"",
            ),
            (
                "adatum",
                "Adatum Ltda|Adatum Ltda.|Adatum S.A. de C.V.|Adatum S. de R.L. de C.V.|Adatum, Lda.|Adatum K.K.|PT Adatum Tbk|Adatum Sdn. Bhd.|Adatum FZE",
            ),
            (
                "adatum",
                "株式会社Adatum|Adatum株式会社|Adatum 株式会社|(株)Adatum|㈱Adatum|合同会社Adatum|ＡＤＡＴＵＭ有限会社|주식회사 Adatum|Adatum(주)|Adatum有限公司",
            ),
            ("アダタム", "株式会社アダタム|アダタム株式会社|アダタム|㈱アダタム|（株）アダタム|有限会社アダタム|ｱﾀﾞﾀﾑ 株式会社"),
            ("阿达图姆 上海", "阿达图姆（上海）有限公司|阿达图姆(上海)股份有限公司"),
            (
                "адатум",
                "ООО «Адатум»|ООО \"Адатум\"|Адатум ООО|ТОВ Адатум|ТОВ «Адатум»|ЗАО Адатум|Общество с ограниченной ответственностью «Адатум»",
            ),
            ("smith and sons", "Smith & Sons Ltd|Smith and Sons|SMITH & SONS, LIMITED"),
            ("smith", "Smith & Co.|Smith and Company|Smith & Co. Ltd."),
            ("jp muller", "J.P. Müller|J. P. Müller GmbH|JP Muller"),
            ("adatum com", "Adatum.com|adatum.com, Inc."),
            ("3m", "3M Company|3 M|3M"),
            ("limited", "Limited|LIMITED"),
            ("the company", "The Company"),
            ("gmbh and co kg", "GmbH & Co. KG"),
            ("株式会社", "株式会社"),
            ("sas institute", "SAS Institute|SAS Institute Inc."),
            ("αδατουμ", "ΑΔΑΤΟΥΜ Α.Ε.|Αδατούμ ΑΕ"),
            ("אדאטום", "אדאטום בע\"מ|אדאטום בע״מ"),
        ] {
            for name in names.split('|') {
                assert_eq!(key(name).as_deref(), Some(expected), "{name}");
            }
        }
        for nothing in ["", " ", "—", "...", "😀"] {
            assert_eq!(key(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_form_within_a_name_is_part_of_it() {
        for name in ["inc magazine", "ag connect", "adatumag", "limitless", "優良株", "company of heroes"] {
            assert_eq!(key(name).as_deref(), Some(name));
        }
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_the_key(company in any::<String>()) {
            if let Some(once) = key(&company) {
                prop_assert_eq!(key(&once), Some(once));
            }
        }

        #[test]
        fn the_key_of_a_key_is_the_key_whatever_forms_there_are(
            words in prop::collection::vec(prop::sample::select(FORMS.lines().chain(["a", "B.", "&", "x", "é", "アダ", "한", "3"]).collect::<Vec<_>>()), 1..7),
            gap in "[ .,&/-]{0,2}",
        ) {
            let company = words.iter().map(|line| line.split('\t').next().unwrap()).collect::<Vec<_>>().join(&gap);
            if let Some(once) = key(&company) {
                prop_assert_eq!(key(&once), Some(once));
            }
        }
    }
}
