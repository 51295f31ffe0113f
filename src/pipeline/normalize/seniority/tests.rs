//! Titles and the level they come to; the words themselves. The page that tells them is held to them in `tests/it/seniority.rs`.

use proptest::prelude::*;

use super::{
    of,
    words::{Meaning, Place, Stands, WORDS},
};
use crate::{
    lead::{Seniority, Vocabulary},
    pipeline::normalize::fold::fold,
};

fn level(title: &str) -> &'static str {
    of(Some(title)).name()
}

#[test]
fn words_are_sorted_folded_and_each_can_be_read() {
    let lines: Vec<Vec<_>> = WORDS.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.len() > 800 && lines.iter().all(|line| line.len() == 3));
    assert!(lines.is_sorted_by(|a, b| a[0] < b[0]), "sorted, each once");
    for line in &lines {
        let (phrase, told) = (line[0], line[1]);
        let word = phrase.strip_prefix('-').unwrap_or(phrase);
        let mut folded = String::new();
        fold(word, &mut folded).unwrap();
        assert_eq!(folded, word, "folded");
        let compound = format!("xxxxxx{word}");
        let text = if phrase == word { phrase } else { compound.as_str() };
        let (meaning, behind) = Place::first(text).read().unwrap();
        assert!(behind.read().is_none(), "{phrase}: read as a whole");
        assert_eq!(meaning == Meaning::Other, told == "NONE", "{phrase}: {told} is a meaning");
        let stands = told.split_once(' ').map(|(_, stands)| stands);
        match (stands, meaning) {
            (None, Meaning::Level(_, stands)) => assert_eq!(stands, Stands::Anywhere, "{phrase}"),
            (Some(_), Meaning::Level(_, stands)) => assert_ne!(stands, Stands::Anywhere, "{phrase}"),
            (stands, _) => assert_eq!(stands, None, "{phrase}"),
        }
    }
}

/// A level and titles of it.
const TITLES: &[(&str, &str)] = &[
    (
        "C_LEVEL",
        "CEO|C.E.O.|ＣＥＯ|CIO/CTO|Chief Information Officer|Chief Executive|Co-Founder & CEO|Co-founder|Founder|Managing Director",
    ),
    (
        "C_LEVEL",
        "Managing Partner|Partner|Partner, Adatum|Partner at Adatum|Owner|Owner/Operator|Business Owner|Founder & Owner|President|Chairwoman",
    ),
    ("C_LEVEL", "Member of the Board|Secretary General|Head of Product & Co-Founder|IT Manager / Owner|Acting CEO"),
    ("C_LEVEL", "Geschäftsführer|Geschäftsführerin|Geschaeftsfuehrer|Geschäftsführender Gesellschafter|Vorstand|Mitglied des Vorstands"),
    (
        "C_LEVEL",
        "Vorstandsvorsitzender|Vorsitzender der Geschäftsführung|Inhaber|Mitinhaberin|Finanzvorstand|Mitglied der Geschäftsleitung",
    ),
    (
        "C_LEVEL",
        "PDG|P.D.G.|Président|Présidente|Président-directeur général|Directeur général|DSI|Directeur des systèmes d'information|Gérant",
    ),
    (
        "C_LEVEL",
        "Chef d’entreprise|Director General|Directora General|Presidente|Gerente General|Dueño|Dueña|Consejero Delegado|Socio fundador",
    ),
    (
        "C_LEVEL",
        "Diretor-presidente|Sócio|Sócio-gerente|Diretor Geral|Prezes|Prezes Zarządu|Właściciel|Współwłaściciel|Członek zarządu|Dyrektor Generalny",
    ),
    (
        "C_LEVEL",
        "Amministratore Delegato|Direttore Generale|Titolare|Eigenaar|Directeur-eigenaar|VD|Verkställande direktör|Administrerende direktør",
    ),
    (
        "C_LEVEL",
        "代表取締役|代表取締役社長|社長|取締役|取締役営業部長|会長|代表|最高情報責任者（CIO）|部長 CIO|总经理|董事长|總經理|대표이사|Генеральный директор",
    ),
    (
        "VP",
        "VP|V.P.|SVP|EVP|Vice President|Vice-President|Senior Vice President, Sales|Executive Vice President|VP Engineering|Deputy CEO|Vice Chairman",
    ),
    (
        "VP",
        "Vizepräsident|Stellvertretender Geschäftsführer|Vice-président|Directeur général adjoint|DSI adjoint|Vicepresidente|Vice Presidente",
    ),
    ("VP", "Director General Adjunto|Wiceprezes|副社長|執行役員|副总经理|부사장|Заместитель генерального директора"),
    (
        "DIRECTOR",
        "IT Director|Director of IT|Director, IT|Head of IT|Head IT|IT Head|Group Head - Digital|Assistant Vice President|Chief Engineer",
    ),
    (
        "DIRECTOR",
        "Prokurist|Leiter IT|IT-Leiter|Leiterin Einkauf|Leiter/in IT|Leiter:in Vertrieb|Leiter*in Vertrieb|Leiter(in)|LeiterIn IT|Bereichsleiter",
    ),
    (
        "DIRECTOR",
        "Abteilungsleiter|Vertriebsleiterin|Directeur|Directrice commerciale|Director de TI|Diretor|Diretora de TI|Dyrektor|Dyrektor IT|Direttore vendite",
    ),
    ("DIRECTOR", "Hoofd ICT|Direktør|部長|営業部長|本部長|ディレクター|IT部長|情報システム部 部長|总监|부장|영업부장|Директор по ИТ"),
    (
        "MANAGER",
        "Manager|Sr. Manager|Account manager|Product Manager|Project Manager|Team Lead|Sales lead|Lead|Lead, Data|Lead of Data|Partner Manager",
    ),
    (
        "MANAGER",
        "Assistant Director|Deputy Director|Associate Director|Deputy Head of IT|Assistant General Manager|Order to Cash Manager|Supervisor",
    ),
    (
        "MANAGER",
        "Manager, Office of the President|International Sales Manager|Teamleiter|Projektleiter|Gesamtprojektleiter|Projektmanagerin|stellv. Leiter IT",
    ),
    (
        "MANAGER",
        "Responsable informatique|Chef de projet|Cheffe de projet digital|Chef d'équipe|Directeur adjoint|Adjoint au directeur|Sous-directeur",
    ),
    (
        "MANAGER",
        "Gerente|Gerente de TI|Jefe de sistemas|Jefa de compras|Subdirector|Coordinador|Coordenador|Coordenadora de TI|Kierownik|Kierownik działu IT",
    ),
    ("MANAGER", "Zastępca dyrektora|Z-ca dyrektora ds. IT|Responsabile IT|Vicedirettore|Teamleider|IT-chef|Försäljningschef|Prosjektleder"),
    ("MANAGER", "課長|係長|部長代理|副部長|マネージャー|ﾏﾈｰｼﾞｬｰ|プロジェクトマネージャー|产品经理|經理|팀장|Руководитель отдела|Менеджер"),
    (
        "STAFF",
        "Esquire|Developer|IT|—|Product owner|Process owner|Service Owner IT|Scrum master|Chief of staff|Lead developer|Lead Software Engineer",
    ),
    (
        "STAFF",
        "HR Business Partner|Principal Engineer|Head Chef|Sales Associate|Assistant Manager|Assistant Sales Manager|Junior Manager|Assistant Professor",
    ),
    (
        "STAFF",
        "Assistant to the CEO|Assistant to the Managing Director and CFO|Executive Assistant to the CEO|PA to CFO|CEO Assistant|Manager, Assistant",
    ),
    (
        "STAFF",
        "Advisor to the CEO|Advisor to the CEO and CFO|Office of the CTO|Secretary|Intern|Former CEO|Consultant at Head Sports|Consultant @ President",
    ),
    (
        "STAFF",
        "Sekretärin der Geschäftsführung|Assistentin der Geschäftsleitung|Referent der Geschäftsführung|Vorstandsassistentin|Sachbearbeiter",
    ),
    (
        "STAFF",
        "Assistante de direction|Assistant du directeur|Secrétaire de direction|Stagiaire|Conseiller du président|Asistente de gerencia",
    ),
    (
        "STAFF",
        "Asesor del presidente|Analista|Estagiário|Assistente|Asystentka prezesa|Doradca prezesa|Sekretariat dyrektora|Directieassistente",
    ),
    ("STAFF", "課長代理|主任|社長秘書|営業代表|アシスタントマネージャー|プロダクトオーナー|总经理助理|대리|Помощник директора"),
];

#[test]
fn titles_of_many_languages_have_their_level() {
    for (expected, titles) in TITLES {
        for title in titles.split('|') {
            assert_eq!(level(title), *expected, "{title}");
        }
    }
    assert_eq!(of(None), Seniority::Unknown);
}

#[test]
fn the_end_of_a_very_long_title_is_not_read() {
    assert_eq!(level(&format!("Director {}", "x".repeat(100_000))), "DIRECTOR");
    assert_eq!(level(&format!("{} Director", "é".repeat(10_000))), "STAFF");
    assert_eq!(level(&"Assistant ".repeat(10_000)), "STAFF");
    assert_eq!(level(&"部".repeat(10_000)), "STAFF");
}

proptest! {
    #[test]
    fn any_text_has_a_level(title in any::<String>()) {
        prop_assert_ne!(of(Some(&title)), Seniority::Unknown);
    }

    #[test]
    fn any_words_have_a_level(words in prop::collection::vec(prop::sample::select(WORDS.lines().collect::<Vec<_>>()), 0..6), gap in "[ ,&/-]{1,3}") {
        let phrases: Vec<_> = words.iter().map(|line| line.split('\t').next().unwrap()).collect();
        prop_assert_ne!(of(Some(&phrases.join(&gap))), Seniority::Unknown);
        // Case and accents tell nothing.
        let title = phrases.join(&gap);
        prop_assert_eq!(of(Some(&title)), of(Some(&title.to_uppercase())));
    }
}
