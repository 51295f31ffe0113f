//! Rulesets of several files: what of which file stands where afterwards, and where problems are said to be.

use super::*;
use crate::lead::{Channel, Grade, Storefront};

fn file(name: &str, text: &str) -> RulesetFile {
    RulesetFile { name: name.to_owned(), text: text.to_owned() }
}

fn ruleset(name: &str, extends: &str, body: &str) -> RulesetFile {
    file(name, &format!("[ruleset]\nname = {name:?}\nversion = \"1\"\n{extends}\n{body}"))
}

/// `file:line:column message`, lines counted below `[ruleset]` and its three keys.
fn problems_of(files: &[RulesetFile]) -> Vec<String> {
    let found = Ruleset::merge(files).err().unwrap_or_default();
    found
        .iter()
        .map(|problem| format!("{}:{}:{} {}", problem.file.as_deref().unwrap_or_default(), problem.line, problem.column, problem.message))
        .collect()
}

fn gates(rules: &Ruleset) -> Vec<String> {
    rules.gates.iter().map(|gate| format!("{}:{}", gate.id, gate.reason)).collect()
}

const OUTER: &str = "extends = \"inner\"";

fn gate(id: &str, reason: &str) -> String {
    format!("[[gate]]\nid = {id:?}\nwhen = 'is_test'\nreason = {reason:?}\n")
}

#[test]
fn new_entries_come_first_and_inherited_ones_are_replaced_in_their_place() {
    let inner = ruleset("inner", "", &[gate("a", "a"), gate("b", "b"), gate("c", "c")].concat());
    let outer = ruleset("outer", OUTER, &[gate("x", "x"), gate("b", "y"), gate("z", "z")].concat());
    let rules = Ruleset::merge(&[outer, inner]).expect("a ruleset");
    assert_eq!(gates(&rules), ["x:x", "z:z", "a:a", "b:y", "c:c"]);
    assert_eq!(rules.name, "outer");
}

#[test]
fn tables_merge_by_key() {
    let inner = ruleset(
        "inner",
        "",
        "[source.SPZA]\nstorefront = 'APP_SOURCE'\nchannel = 'WEB'\n[score]\nthreshold = 5\ngrades = { A = 9, B = 5, C = 1 }\n\
         threshold_by_storefront = { APP_SOURCE = 7, UNKNOWN = 8 }\n[policy]\nlate_after = '2h'\nown_domains = ['a.example']\n",
    );
    let outer = ruleset(
        "outer",
        OUTER,
        "[source.' s p z a']\nchannel = 'PARTNER_CENTER'\n[source.New]\n[score]\ngrades = { A = 10 }\nthreshold_by_storefront = { UNKNOWN = 9 }\n\
         [policy]\nown_domains = ['b.example']\n",
    );
    let rules = Ruleset::merge(&[outer, inner]).expect("a ruleset");
    let row = &rules.classification.sources["spza"];
    assert_eq!((row.storefront, row.channel), (Some(Storefront::AppSource), Channel::PartnerCenter));
    assert_eq!(rules.classification.sources.len(), 2);
    assert_eq!([9, 10].map(|total| rules.scoring.grade(total)), [Grade::B, Grade::A]);
    let thresholds = [Storefront::AppSource, Storefront::Unknown, Storefront::AzureMarketplace];
    assert_eq!(thresholds.map(|storefront| rules.scoring.threshold(storefront)), [7, 9, 5]);
    assert_eq!(rules.policy.late_after, 7_200_000_000);
    assert!(rules.policy.is_own_domain("b.example") && !rules.policy.is_own_domain("a.example"));
}

#[test]
fn what_is_removed_is_gone_before_the_outer_file_is_laid_over() {
    let inner = ruleset("inner", "", &[gate("a", "a"), gate("b", "b"), "[source.X]\nchannel = 'WEB'\n".to_owned()].concat());
    let outer = ruleset("outer", "extends = 'inner'\nremove = ['gate.b', 'source.x']", &gate("b", "again"));
    let rules = Ruleset::merge(&[outer, inner]).expect("a ruleset");
    assert_eq!(gates(&rules), ["b:again", "a:a"]);
    assert!(rules.classification.sources.is_empty());
}

#[test]
fn every_kind_of_entry_can_be_removed() {
    let everything = "remove = ['gate.spam', 'score.vp', 'route.co_sell', 'route.microsoft_qualified', 'route.partner_center_direct', \
                      'clock.referral', 'source.AppSource (SPZA)', 'action.ins', 'offer_type.saas', 'storefront.UNKNOWN']";
    let rules = Ruleset::merge(&[ruleset("a", &format!("extends = 'default'\n{everything}"), ""), built_in()]).expect("a ruleset");
    let all = Ruleset::built_in().expect("the built-in ruleset");
    let counts = |rules: &Ruleset| {
        let tables = &rules.classification;
        [
            rules.gates.len(),
            rules.scoring.rules.len(),
            rules.routes.len(),
            tables.sources.len(),
            tables.actions.len(),
            tables.offer_types.len(),
            tables.storefronts.len(),
        ]
    };
    // A route goes with its storefront; and three spellings of a token are two when compared.
    let fewer: Vec<usize> = counts(&all).iter().zip(counts(&rules)).map(|(all, left)| all - left).collect();
    assert_eq!(fewer, [1, 1, 4, 1, 1, 1, 1]);
}

#[test]
fn what_cannot_be_removed_is_told_with_the_nearest_that_can() {
    let remove =
        "extends = 'default'\nremove = ['gate.spma', 'gat.spam', 'spam', 'policy.redact', 'source.SPZ', 3, 'gate.spam', 'clock.x']";
    let found = Ruleset::merge(&[ruleset("a", remove, ""), built_in()]).err().unwrap_or_default();
    let told: Vec<String> =
        found.iter().map(|it| format!("{}:{} {} | {}", it.line, it.column, it.message, it.hint.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        told,
        [
            "5:11 no gate \"spma\" is inherited | did you mean \"spam\"?",
            "5:24 \"gat.spam\" names nothing that can be removed | did you mean \"gate.spam\"?",
            &format!("5:36 \"spam\" names nothing that can be removed | {HINT}"),
            &format!("5:44 \"policy.redact\" names nothing that can be removed | {HINT}"),
            "5:61 no source \"SPZ\" is inherited | did you mean \"SPZA\"?",
            "5:75 remove must be a text, not a whole number | put it in quotes",
            "5:91 no clock \"x\" is inherited | write one of \"default\" or \"referral\"",
        ]
    );
    assert_eq!(problems_of(&[ruleset("a", "remove = ['gate.a']", "")]), ["a:4:10 there is nothing to remove: this ruleset extends none"]);
    assert_eq!(problems_of(&[ruleset("a", "remove = []", "")]), [""; 0]);
}

const HINT: &str = "write gate.ID, score.ID, route.ID, campaign.ID, clock.NAME, calendar.NAME, source.TOKEN, action.CODE, \
                    offer_type.NAME, storefront.NAME or owner.NAME";

#[test]
fn problems_stand_in_the_file_that_has_them() {
    let inner = ruleset("inner", "", "[[gate]]\nid = \"a\"\nwhen = 'foo'\nreason = \"a\"\n[clok]\n");
    let outer = ruleset("outer", OUTER, "[[route]]\nid = \"r\"\ndestination = \"D\"\nclock = \"x\"\n");
    assert_eq!(
        problems_of(&[outer, inner]),
        ["outer:8:9 there is no [clock.x]", "inner:7:9 unknown field foo", "inner:9:2 unknown key \"clok\""]
    );
    // What is replaced is not asked.
    let inner = ruleset("inner", "", "[[gate]]\nid = \"a\"\nwhen = 'foo'\nreason = \"a\"\n");
    assert_eq!(problems_of(&[ruleset("outer", OUTER, &gate("a", "a")), inner]), [""; 0]);
    // Nor is what follows from a file that is no TOML; but all such files are told.
    let broken = [ruleset("outer", OUTER, "[x"), ruleset("inner", "", "a = 1\na = 2")];
    assert_eq!(problems_of(&broken), ["outer:5:3 not valid TOML: unclosed table, expected `]`", "inner:6:1 not valid TOML: duplicate key"]);
    assert_eq!(problems_of(&[ruleset("a", OUTER, ""), file("b", "[gate")]).len(), 1);
    assert_eq!(problems_of(&[ruleset("a", OUTER, ""), file("b", "")]), ["b:1:1 there is no [ruleset]"]);
}

#[test]
fn what_is_removed_and_still_named_is_told_once_where_it_is_removed() {
    let route = |id: &str| format!("[[route]]\nid = {id:?}\ndestination = \"D\"\nclock = \"fast\"\n");
    let inner = ruleset("inner", "", &["[clock.fast]\nhot = '1h'\n", &route("a"), &route("b")].concat());
    let outer = ruleset("outer", &format!("{OUTER}\nremove = ['clock.fast']"), "");
    let named = "outer:5:11 clock.fast is not there any more, and still named by route \"a\" and route \"b\"";
    assert_eq!(problems_of(&[outer, inner.clone()]), [named]);
    // One's own slip stands where one made it.
    let outer = ruleset("outer", &format!("{OUTER}\nremove = ['clock.fast', 'route.a', 'route.b']"), &route("c"));
    assert_eq!(problems_of(&[outer, inner]), ["outer:9:9 there is no [clock.fast]"]);
}

#[test]
fn what_no_storefront_lists_any_more_is_told_at_the_lists() {
    let row = |name: &str, listing: &str| format!("[offer_type.{name}]\nstorefronts = ['APP_SOURCE']\nlisting = '{listing}'\n");
    let inner = ruleset("inner", "", &[row("saas", "APP"), row("managed_service", "OFFER")].concat());
    let outer = ruleset("outer", OUTER, "[storefront.APP_SOURCE]\nlistings = ['TECHNOLOGY']\n");
    let left_out = "offer_type.managed_service as \"OFFER\" and offer_type.saas as \"APP\"";
    assert_eq!(problems_of(&[outer, inner]), [format!("outer:6:12 listings leaves out what is still sold there: {left_out}")]);
}

#[test]
fn what_compares_alike_in_one_file_is_told_even_where_one_of_it_is_inherited() {
    let outer = ruleset("outer", OUTER, &["[source.SPZA]\n[source.spza]\n", &gate("a", "x"), &gate("a", "y")].concat());
    let inner = ruleset("inner", "", &["[source.'S P Z A']\n", &gate("a", "a")].concat());
    assert_eq!(
        problems_of(&[outer, inner]),
        ["outer:6:9 the source token \"spza\" compares like \"SPZA\"", "outer:12:6 the id \"a\" is already taken in this list"]
    );
}

#[test]
fn extends_without_a_file_to_extend_is_told() {
    assert_eq!(problems_of(&[ruleset("a", "extends = 'b.toml'", "")]), ["a:4:11 extends names a ruleset that is not at hand here"]);
    assert!(Ruleset::parse("[ruleset]\nname='a'\nversion='1'\nextends='default'").is_ok());
    assert!(Ruleset::parse("[ruleset]\nname='a'\nversion='1'\nextends='x'").is_err());
}

#[test]
fn the_hash_is_that_of_the_file_or_of_all_files_in_their_order() {
    let (a, b) = (ruleset("a", OUTER, ""), ruleset("b", "", ""));
    let hash = |files: &[RulesetFile]| Ruleset::merge(files).expect("a ruleset").hash;
    assert_eq!(hash(std::slice::from_ref(&b)), hex(&Sha256::digest(b.text.as_bytes())));
    let both = [Sha256::digest(a.text.as_bytes()), Sha256::digest(b.text.as_bytes())].concat();
    assert_eq!(hash(&[a.clone(), b.clone()]), hex(&Sha256::digest(both)));
    let other = RulesetFile { text: format!("{}# a comment", b.text), ..b.clone() };
    assert_ne!(hash(&[a.clone(), b]), hash(&[a, other]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A piece of the built-in ruleset, damaged, over the whole.
    #[test]
    fn no_damage_makes_merging_panic(from in 0..DEFAULT.len(), length in 0..3000_usize, cut in 0..3000_usize, piece in "[\\[\\]{}\"'=a-z0-9.\n\\\\é]{0,8}") {
        let boundary = |at: usize| (0..=at.min(DEFAULT.len())).rev().find(|at| DEFAULT.is_char_boundary(*at)).unwrap_or_default();
        let (start, end) = (DEFAULT[..boundary(from)].rfind("\n[").map_or(0, |at| at + 1), boundary(from + length));
        let middle = boundary(start + cut).min(end);
        let outer = ruleset("outer", OUTER, &format!("{}{piece}{}", &DEFAULT[start..middle], &DEFAULT[middle..end]));
        for problem in Ruleset::merge(&[outer, built_in()]).err().unwrap_or_default() {
            prop_assert!(problem.code == "more_problems" || problem.line >= 1 && problem.column >= 1 && problem.file.is_some(), "{problem}");
        }
    }
}
