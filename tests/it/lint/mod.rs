//! What `check` finds in rulesets that load: planted mistakes, each told on its line and nothing else, and rulesets without one. A
//! line with a mistake ends with `# <- CODE`.

mod conditions;
mod planted;
mod together;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use leadstream::{
    lead::Timestamp,
    problem::{Problem, Severity},
    rules::{self, Ruleset, RulesetFile},
};
use serde_json::{Value, json};

/// Some day of the year the fixtures are of.
fn now() -> Timestamp {
    Timestamp::parse("2026-11-01T09:00:00Z").expect("a time")
}

fn linted(text: &str) -> Vec<Problem> {
    let file = RulesetFile { name: "rules.toml".to_owned(), text: text.to_owned() };
    let extends = text.contains("extends = \"default\"");
    let files: Vec<RulesetFile> = [file].into_iter().chain(extends.then(rules::built_in)).collect();
    linted_files(&files)
}

fn linted_files(files: &[RulesetFile]) -> Vec<Problem> {
    match Ruleset::merge(files) {
        Ok(rules) => rules.lint(files, now(), &|_| false),
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// Line and code of each mark.
fn marked(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    lines.filter_map(|(at, line)| Some((at + 1, line.split_once("# <- ")?.1.trim().to_owned()))).collect()
}

fn check(text: &str) -> Vec<Problem> {
    let found = linted(text);
    let told: Vec<(usize, String)> = found.iter().map(|problem| (problem.line, problem.code.to_owned())).collect();
    let numbered: Vec<String> = text.lines().enumerate().map(|(at, line)| format!("{:3} {line}", at + 1)).collect();
    let shown: Vec<String> = found.iter().map(Problem::to_string).collect();
    assert_eq!(told, marked(text), "{}\n{}", numbered.join("\n"), shown.join("\n"));
    for problem in &found {
        assert_eq!(problem.severity, Severity::Warning);
        assert!(problem.example.as_ref().is_some_and(|example| !example.is_empty()), "{problem}");
        assert!(problem.hint.is_some() && problem.column > 0 && problem.file.as_deref() == Some("rules.toml"), "{problem}");
    }
    found
}

const DEFAULT: &str = "[ruleset]\nname = \"a\"\nversion = \"1\"\nextends = \"default\"\n";
const ALONE: &str = "[ruleset]\nname = \"a\"\nversion = \"1\"\n";

fn gate(when: &str, mark: &str) -> String {
    format!("{DEFAULT}[[gate]]\nid = \"g\"\nreason = \"r\"\nwhen = '''{when}'''{mark}\n")
}

#[test]
fn gates_that_always_hold_are_told() {
    for when in [
        "true",
        "storefront != \"APP_SOURCE\" || storefront != \"AZURE_MARKETPLACE\"",
        "contact.region != \"EMEA\" || contact.region != \"AMER\"",
        "contact.country != \"US\" || contact.country != \"CA\"",
        "has(note) || !has(note)",
        "!(size(note) > 3 && size(note) < 2)",
        "has(lead_id)",
        "has(event_time.getFullYear())",
        "campaign in [\"NURTURE\", \"DEMAND_GENERATION\", \"UNCLASSIFIED\"]",
        "event_time == event_time || !has(event_time)",
    ] {
        check(&gate(when, " # <- always_fires"));
    }
    for when in
        ["contact.country != \"US\" || contact.country == \"CA\"", "note != \"a\" || has(contact.title)", "note < \"m\" || note >= \"m\""]
    {
        check(&gate(when, ""));
    }
    // Together.
    check(&format!(
        "{DEFAULT}[[gate]]\nid = \"one\"\nreason = \"r\"\nwhen = 'contact.country in [\"US\", \"CA\"]'\n\
         [[gate]]\nid = \"other\"\nreason = \"r\"\nwhen = '!(contact.country in [\"US\", \"CA\"])' # <- always_fires\n"
    ));
}

fn route(id: &str, more: &str, when: &str) -> String {
    format!("[[route]]\nid = \"{id}\"\n{more}\nwhen = '{when}'\n")
}

fn marked_route(id: &str, more: &str, when: &str, code: &str) -> String {
    format!("[[route]]\nid = \"{id}\"\n{more}\nwhen = '{when}' # <- {code}\n")
}

#[test]
fn routes_that_never_win_are_told() {
    let to = |destination: &str| format!("destination = \"{destination}\"");
    let stop = |destination: &str| format!("destination = \"{destination}\"\nstop = true");
    let refused = |destination: &str| format!("destination = \"{destination}\"\nverdict = \"UNQUALIFIED\"");
    let cases = [
        marked_route("a", &to("X"), "score.total >= 200", "never_fires"),
        marked_route("a", &to("X"), "action == \"CONTACT_ME\" && score.total > 60", "never_fires"),
        route("a", &to("X"), "action == \"CONTACT_ME\" && score.total >= 60"),
        route("a", &to("X"), "action == \"CONTACT_ME\" && score.intent < 50 && score.intent > 0"),
        marked_route("a", &to("X"), "action == \"CONTACT_ME\" && score.intent < 20", "never_fires"),
        marked_route("a", &to("X"), "contact.email_kind == \"FREE_MAIL\" && score.total > 40", "never_fires"),
        marked_route("a", &to("X"), "score.grade == \"A\" && score.total < 60", "never_fires"),
        marked_route("a", &to("X"), "score.total < 0", "never_fires"),
        marked_route("a", &to("X"), "is_test", "never_fires"),
        marked_route("a", &to("X"), "action == \"DO_NOT_CONTACT\"", "never_fires"),
        marked_route("a", &to("X"), "\"low_score\" in reasons", "never_fires"),
        marked_route("a", &to("X"), "verdict == \"UNQUALIFIED\"", "never_fires"),
        marked_route("a", &refused("X"), "verdict == \"QUALIFIED\"", "never_fires"),
        marked_route("a", &format!("{}\nfrom = 2027-01-01T00:00:00Z", to("X")), "event_time < timestamp(\"2026-12-01T00:00:00Z\")", "never_fires"),
        marked_route("a", &refused("X"), "\"lowscore\" in reasons", "never_fires"),
        marked_route("a", &refused("X"), "\"low_score\" in reasons && score.total >= 0", "never_fires"),
        marked_route("a", &refused("X"), "\"low_score\" in reasons && is_spam", "never_fires"),
        marked_route("a", &refused("X"), "\"spam\" in reasons && !is_spam", "never_fires"),
        marked_route("a", &to("X"), "marketing_campaign == \"spring\"", "never_fires"),
        route("a", &refused("X"), "\"low_score\" in reasons && score.total < 0"),
        route("a", &stop("X"), "contact.region == \"EMEA\"") + &marked_route("b", &to("Y"), "contact.country == \"DE\"", "never_fires"),
        route("a", &stop("X"), "contact.region == \"EMEA\"") + &route("b", &to("Y"), "contact.country in [\"DE\", \"US\"]"),
        route("a", &to("X"), "contact.region == \"EMEA\"") + &marked_route("b", &to("X"), "contact.country == \"DE\"", "never_fires"),
        route("a", &to("X"), "contact.region == \"EMEA\"") + &route("b", &stop("X"), "contact.country == \"DE\""),
        route("a", &to("X"), "contact.region == \"EMEA\"") + &route("b", &refused("X"), "contact.country == \"DE\""),
        route("a", &to("X"), "score.total >= 20") + &marked_route("b", &to("X"), "score.total >= 40", "never_fires"),
        route("a", &to("X"), "score.total >= 20") + &marked_route("b", &to("X"), "score.grade == \"B\"", "never_fires"),
        route("a", &to("X"), "score.total >= 40") + &route("b", &to("X"), "score.total >= 20"),
        route("a", &stop("X"), "score.total >= 20")
            + &route("b", &stop("Y"), "score.total < 20 && contact.region == \"EMEA\"")
            + &route("c", &stop("Z"), "contact.region == \"EMEA\"").replace("'\n", "' # <- never_fires\n"),
        route("a", &to("X"), "contact.region == \"EMEA\"") + &marked_route("b", &to("X"), "\"EMEA\" == contact.region", "duplicate_route"),
        route("a", &to("X"), "contact.country in [\"US\", \"CA\"]")
            + &marked_route("b", &to("X"), "contact.country == \"CA\" || contact.country == \"US\"", "duplicate_route"),
        route("a", &stop("X"), "has(note)") + &marked_route("b", &stop("X"), "note != null", "duplicate_route"),
        route("a", &to("X"), "has(note)") + &route("b", &to("Y"), "has(note)"),
        route("a", &to("X"), "offer_id == \"a\"") + &route("b", &to("X"), "offer_id == \"b\""),
        route("a", &stop("X"), "offer_id.startsWith(\"a\")") + &marked_route("b", &to("Y"), "offer_id.startsWith(\"ab\")", "never_fires"),
        route("a", &stop("X"), "offer_id.startsWith(\"a\")") + &marked_route("b", &to("Y"), "offer_id == \"abc\"", "never_fires"),
        marked_route("mine", "destination = \"CO_SELL_DESK\"\nclock = \"referral\"\nstop = true", "\"CO_SELL\" == origin", "duplicate_route"),
        route("mine", "destination = \"CO_SELL_DESK\"\nclock = \"referral\"\nstop = true\nqueue = \"q\"", "origin == \"CO_SELL\""),
        marked_route("mine", &to("PUBLISHER_CRM"), "storefront == \"APP_SOURCE\" && origin == \"STOREFRONT\"", "duplicate_route"),
        route("mine", &to("PUBLISHER_CRM"), "storefront == \"APP_SOURCE\""),
        "[[route]]\nid = \"a\"\ndestination = \"X\"\nstop = true\n".to_owned() + &marked_route("b", &to("Y"), "has(note)", "never_fires"),
        "[[route]]\nid = \"a\"\ndestination = \"X\"\nstop = true\n[[route]]                      # <- never_fires\nid = \"b\"\ndestination = \"Y\"\n".to_owned(),
        "[[route]]\nid = \"a\"\ndestination = \"X\"\n[[route]]                      # <- duplicate_route\nid = \"b\"\ndestination = \"X\"\n".to_owned(),
        "[[route]]\nid = \"a\"\ndestination = \"X\"\nuntil = 2027-01-01T00:00:00Z\n[[route]]\nid = \"b\"\ndestination = \"X\"\n".to_owned(),
    ];
    for case in cases {
        check(&format!("{DEFAULT}{case}"));
    }
}

#[test]
fn campaigns_that_no_lead_has_are_told() {
    let campaign = |id: &str, when: &str, mark: &str| format!("[[campaign]]\nid = \"{id}\"\nwhen = '{when}'{mark}\n");
    for case in [
        campaign("a", "has(note)", "") + &campaign("b", "note == \"x\"", " # <- never_fires"),
        campaign("a", "has(note)", "") + &campaign("b", "has(note)", " # <- never_fires"),
        campaign("a", "has(note)", "") + &campaign("b", "!has(note)", "") + &campaign("c", "is_spam", " # <- never_fires"),
        campaign("a", "storefront == \"APP_SOURCE\" && audience == \"ALL_CUSTOMERS\"", " # <- never_fires"),
        campaign("a", "verdict == \"QUALIFIED\" && is_spam", " # <- never_fires"),
        campaign("a", "attribution.utm_campaign == \"a\"", "") + &campaign("b", "attribution.utm_campaign == \"b\"", ""),
    ] {
        check(&format!("{DEFAULT}{case}"));
    }
    let used = "[[campaign]]\nid = \"azure\"\nwhen = 'storefront == \"AZURE_MARKETPLACE\"'\n".to_owned()
        + &marked_route("r", "destination = \"X\"", "marketing_campaign == \"azure\" && storefront == \"APP_SOURCE\"", "never_fires");
    check(&format!("{DEFAULT}{used}"));
}

fn score(id: &str, points: i64, when: &str, mark: &str) -> String {
    format!("[[score.rule]]\nid = \"{id}\"\npart = \"fit\"\npoints = {points}\nwhen = '{when}'{mark}\n")
}

#[test]
fn scores_that_cancel_and_thresholds_out_of_reach_are_told() {
    for case in [
        score("a", 10, "has(note)", "") + &score("b", -10, "note != null", " # <- scores_cancel"),
        score("a", 10, "has(note)", "") + &score("b", -10, "has(note) && is_spam", ""),
        score("a", 10, "has(note)", "") + &score("b", 10, "has(note)", ""),
        score("a", 20, "contact.email_kind == \"FREE_MAIL\"", " # <- scores_cancel"),
        score("a", 10, "contact.region == \"EMEA\" && contact.country == \"US\"", " # <- never_fires"),
        "[score]\nthreshold = 66 # <- unreachable_threshold\n".to_owned(),
        "[score]\nthreshold = 65\n".to_owned(),
        "[score]\nthreshold_by_storefront = { APP_SOURCE = 70 } # <- unreachable_threshold\n".to_owned(),
        "[score]\ngrades = { A = 66 } # <- unreachable_threshold\n".to_owned(),
        "[score]\ngrades = { A = 65 }\n".to_owned(),
        "[score]\nthreshold = 70\n".to_owned() + &score("a", 10, "contact.region == \"EMEA\"", ""),
    ] {
        check(&format!("{DEFAULT}{case}"));
    }
}

#[test]
fn what_is_not_handled_is_told() {
    for case in [
        "[storefront.AZURE_MARKETPLACE]\nfollow_up = [] # <- unhandled_storefront\n".to_owned(),
        "[storefront.AZURE_MARKETPLACE]\nfollow_up = []\n".to_owned()
            + &route("r", "destination = \"X\"", "campaign == \"DEMAND_GENERATION\""),
        "[action.\"NEW\"]\naction = \"CONTACT_ME\"\n".to_owned(),
    ] {
        check(&format!("{DEFAULT}{case}"));
    }
    let removed = |list: &str, mark: &str| format!("{DEFAULT}remove = [{list}]{mark}\n");
    check(&removed("\"storefront.APP_SOURCE\"", " # <- unhandled_storefront"));
    check(&removed("\"score.create\"", " # <- unhandled_action"));
    let no_gate = removed("\"gate.do_not_contact\"", " # <- unhandled_action");
    check(&format!("{no_gate}[policy]\nredact = [\"suppressed\"]\n"));
    check(&removed("\"score.contact_me\"", ""));
    check(&removed("\"gate.spam\", \"score.manager\", \"route.unknown_origin\"", ""));
    // With nothing inherited.
    let tables = "[source.shop]\nstorefront = \"APP_SOURCE\"\n[action.buy]\naction = \"INSTALL\"\n[action.ask]\naction = \"CONTACT_ME\"\n";
    let alone = ALONE.replace("[ruleset]", "[ruleset] # <- unhandled_storefront");
    check(&format!("{alone}{tables}{}", route("r", "destination = \"X\"", "storefront == \"APP_SOURCE\"")));
    check(&format!("{ALONE}{tables}{}", route("r", "destination = \"X\"", "storefront != \"AZURE_MARKETPLACE\"")));
    check(&format!(
        "{alone}{}{}{}",
        tables.replace("[action.ask]", "[action.ask] # <- unhandled_action"),
        score("s", 10, "action == \"INSTALL\"", ""),
        route("r", "destination = \"X\"", "storefront == \"APP_SOURCE\"")
    ));
    check(&format!(
        "{ALONE}{}{}",
        tables.replace("[source.shop]", "[source.shop] # <- unhandled_storefront"),
        route("r", "destination = \"X\"", "storefront == \"UNKNOWN\"")
    ));
    check(&format!("{ALONE}{tables}"));
    // A route for all takes those of whom no rule asks.
    let asked = score("s", 10, "action == \"INSTALL\"", "");
    check(&format!("{ALONE}{tables}{asked}[[route]]\nid = \"r\"\ndestination = \"X\"\n"));
    let both = route("a", "destination = \"X\"", "score.total >= 10") + &route("b", "destination = \"Y\"", "score.total < 10");
    check(&format!("{ALONE}{tables}{asked}{both}"));
    check(&format!("{}[[route]]\nid = \"all\"\ndestination = \"CRM\"\n", removed("\"score.create\"", "")));
    check(&format!("{DEFAULT}{}", "[[score.rule]]\nid = \"x\"\npart = \"fit\"\npoints = 1\nwhen = 'action == \"CREATE\"'\n"));
    check(&format!(
        "{}{}",
        removed("\"action.Create\"", ""),
        route("r", "destination = \"X\"", "action == \"CREATE\"").replace("'\n", "' # <- never_fires\n")
    ));
}

#[test]
fn dates_that_have_passed_and_ids_that_replace_a_stranger_are_told() {
    for case in [
        "[[gate]]\nid = \"g\"\nreason = \"r\"\nwhen = 'is_spam && is_test'\nuntil = \"2026-10-01T00:00:00Z\" # <- dates_passed\n",
        "[[gate]]\nid = \"g\"\nreason = \"r\"\nwhen = 'is_spam && is_test'\nuntil = \"2026-12-01T00:00:00Z\"\n",
        "[[campaign]]\nid = \"c\"\nfrom = 2026-01-01T00:00:00Z\nuntil = 2026-11-01T09:00:00Z # <- dates_passed\n",
        "[source.fair]\nstorefront = \"APP_SOURCE\"\nuntil = 2026-01-01T00:00:00Z # <- dates_passed\n",
        "[clock.fair]\nhot = \"1h\"\nuntil = 2026-01-01T00:00:00Z # <- dates_passed\n",
        "[[gate]]\nid = \"spam\" # <- reused_id\nreason = \"country\"\nwhen = 'contact.country == \"FR\"'\n",
        "[[gate]]\nid = \"spam\"\nreason = \"spam\"\nwhen = 'is_spam || contact.country == \"FR\"'\n",
        "[[score.rule]]\nid = \"spam\"\npart = \"fit\"\npoints = 1\nwhen = 'contact.country == \"FR\"'\n",
        "[[score.rule]]\nid = \"vp\"\npart = \"fit\"\npoints = 25\nwhen = 'contact.seniority == \"VP\"'\n",
    ] {
        check(&format!("{DEFAULT}{case}"));
    }
}

#[test]
fn one_mistake_is_told_once() {
    for case in [
        // Of a gate that refuses all, not of each route.
        "[[gate]]\nid = \"g\"\nreason = \"r\"\nwhen = 'true' # <- always_fires\n".to_owned()
            + &route("r", "destination = \"X\"", "has(note)"),
        // A campaign that is nobody's, and a route that asks for it.
        "[[campaign]]\nid = \"c\"\nwhen = 'is_test && !is_test' # <- never_fires\n".to_owned()
            + &route("r", "destination = \"X\"", "marketing_campaign == \"c\""),
        // A rule whose points would have been enough.
        "[score]\ngrades = { A = 70 }\n".to_owned() + &score("s", 10, "is_test && !is_test", " # <- never_fires"),
        // A threshold out of reach, and routes of leads that qualify.
        "[score]\nthreshold = 70 # <- unreachable_threshold\n".to_owned() + &route("r", "destination = \"X\"", "score.total >= 40"),
        // The only route of a storefront.
        "[storefront.APP_SOURCE]\nfollow_up = []\n".to_owned()
            + &marked_route("r", "destination = \"X\"", "storefront == \"APP_SOURCE\" && campaign == \"DEMAND_GENERATION\"", "never_fires"),
    ] {
        check(&format!("{DEFAULT}{case}"));
    }
}

/// What a file that extends another lays over it, that one's author did not mean to be told of.
#[test]
fn overriding_what_is_extended_is_no_mistake() {
    let file = |name: &str, text: String| RulesetFile { name: name.to_owned(), text };
    let base = "[[route]]\nid = \"emea\"\nwhen = 'contact.region == \"EMEA\"'\ndestination = \"PUBLISHER_CRM\"\n\
                [[campaign]]\nid = \"spring\"\nwhen = 'attribution.utm_campaign == \"spring\"'\n";
    let outer = "[[route]]\nid = \"all\"\ndestination = \"PUBLISHER_CRM\"\nstop = true\n\
                 [[gate]]\nid = \"europe\"\nwhen = 'contact.region == \"EMEA\"'\nreason = \"europe\"\n\
                 [[campaign]]\nid = \"any\"\nwhen = 'has(attribution.utm_campaign)'\n";
    let outermost = "[ruleset]\nname = \"a\"\nversion = \"1\"\nextends = \"base\"\n".to_owned() + outer;
    let files = [file("outer", outermost), file("base", format!("{DEFAULT}{base}")), rules::built_in()];
    assert_eq!(linted_files(&files), []);
    // In one file it is.
    let found = linted(&format!("{DEFAULT}{outer}{base}"));
    assert_eq!(found.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["never_fires", "never_fires"]);
}

/// The table of codes in `docs/rules.md` is that of the fixtures, and its examples stand in them.
#[test]
fn the_page_tells_every_code_with_an_example_that_is_found() {
    let page = include_str!("../../../docs/rules.md");
    let table =
        page.split_once("<!-- from tests/fixtures/rulesets/lint -->").expect("the table").1.split_once("<!-- end -->").expect("its end").0;
    let mut codes = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<String> =
            row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().trim_matches('`').replace('\u{0}', "|")).collect();
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/lint"));
        let text = fs::read_to_string(folder.join(format!("{}.toml", cells[1]))).expect(&cells[1]);
        assert!(text.contains(&cells[3]), "{}: {:?}", cells[1], cells[3]);
        codes.insert(cells[1].clone());
    }
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/lint")).expect("a folder");
    let names = folder.map(|entry| entry.expect("a file").path().file_stem().and_then(|name| name.to_str()).expect("a name").to_owned());
    assert_eq!(codes, names.filter(|name| !name.starts_with("good")).collect());
}

#[test]
fn a_slip_in_a_name_is_told_with_what_was_meant() {
    let found = check(&gate("account.segmnt == \"smb\"", " # <- misspelt_column"));
    assert_eq!(found[0].hint.as_deref(), Some("did you mean account.segment?"));
    for when in [
        "offer_title == \"x\"",
        "account.tier == \"gold\"",
        "account.owner2 == \"kim\"",
        "offer.titles == \"x\"",
        "account.segments == \"x\"",
    ] {
        check(&gate(when, ""));
    }
    let refused = marked_route("r", "destination = \"X\"\nverdict = \"UNQUALIFIED\"", "\"lowscore\" in reasons", "never_fires");
    let found = check(&format!("{DEFAULT}{refused}"));
    assert_eq!(found[0].hint.as_deref(), Some("no gate gives the reason \"lowscore\"; did you mean \"low_score\"?"));
}

#[test]
fn check_prints_findings_and_exits_with_0() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/lint/never_fires.toml");
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).env_clear().env("LEADSTREAM__IDENTITY__KEY", "k").output();
        let output = output.expect("the binary runs");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    };
    let report: Value = serde_json::from_str(&run(&["check", "--json", "--rules", path])).expect("JSON");
    let first = &report["problems"][0];
    assert_eq!((&first["severity"], &first["code"], &first["line"]), (&"warning".into(), &"never_fires".into(), &10.into()));
    assert_eq!(first["example"], json!({"campaign": "NURTURE", "storefront": "APP_SOURCE"}));
    let text = run(&["check", "--rules", path]);
    assert!(text.contains("\n  = a lead that shows it: campaign = \"NURTURE\", storefront = \"APP_SOURCE\"\n"), "{text}");
    assert!(text.ends_with("no errors, 6 warnings\n"), "{text}");
}

/// With more texts than are told apart, those of two routes are not taken for one.
#[test]
fn over_a_bound_nothing_is_said() {
    let gates: Vec<String> =
        (0..50).map(|at| (at * 90..at * 90 + 90).map(|text| format!("\"x{text}\"")).collect::<Vec<_>>().join(", ")).collect();
    let gates =
        gates.iter().enumerate().map(|(at, texts)| format!("[[gate]]\nid = \"g{at}\"\nreason = \"r\"\nwhen = 'note in [{texts}]'\n"));
    let routes = ["y1", "y2"].map(|text| route(text, "destination = \"X\"", &format!("note != \"{text}\"")));
    check(&format!("{DEFAULT}{}{}", gates.collect::<String>(), routes.concat()));
}

/// Of very many the first are told, and how many more there are.
#[test]
fn of_very_many_findings_the_first_are_told() {
    let routes: Vec<String> = (0..1100).map(|at| route(&format!("r{at}"), "destination = \"X\"", "is_test && !is_test")).collect();
    let found = linted(&format!("{DEFAULT}{}", routes.concat()));
    assert_eq!((found.len(), found[1000].message.as_str()), (1001, "and 100 more of the kind never_fires"));
}

/// Silence about so many rules is no proof that nothing is wrong.
#[test]
fn what_was_not_looked_at_is_told() {
    let routes: Vec<String> =
        (0..9_000).map(|at| route(&format!("r{at}"), "destination = \"X\"", &format!("offer_id == \"o{at}\""))).collect();
    let found = linted(&format!("{DEFAULT}{}", routes.concat()));
    let told: Vec<_> = found.iter().map(|problem| (problem.code, problem.file.as_deref(), problem.line)).collect();
    assert_eq!(told, [("lint_unfinished", Some("rules.toml"), 0)]);
    // Where it ended, and what that leaves out.
    let message = &found[0].message;
    assert!(message.contains("looking at them ended at the route \"r"), "{message}");
    let left_out = "which is the routes from there on, storefronts without a route, actions that no rule asks for and the parts of ||";
    assert!(message.ends_with(left_out), "{message}");
}

/// Every file of the folder: `good*.toml` without a mark, each other with marks of the one code it is named after.
#[test]
fn the_fixtures_have_their_findings_and_no_others() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/lint"));
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a ruleset");
        check(&text);
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let codes: BTreeSet<String> = marked(&text).into_iter().map(|(_, code)| code).collect();
        assert!(if name.starts_with("good") { codes.is_empty() } else { codes.into_iter().eq([name.to_owned()]) }, "{name}");
    }
}

#[test]
fn nothing_is_told_of_the_built_in_ruleset_nor_of_a_copy() {
    check(rules::DEFAULT);
    check(DEFAULT);
    assert_eq!(linted_files(&[rules::built_in()]), []);
}
