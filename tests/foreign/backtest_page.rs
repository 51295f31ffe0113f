//! The page of a backtest in a real browser: what it shows is what the numbers say, in light and dark, and nothing is asked for from
//! elsewhere. Pictures of it are kept in `target/tmp/backtest`.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// A gate whose condition would end the element the numbers stand in, were it written there as it is.
const CANDIDATE: &str = r#"
[ruleset]
name = "candidate"
version = "2"
extends = "default"
[[gate]]
id = "country"
when = 'contact.country == "FR" && !note.contains("</script><script>document.title = \"broken\"</script>")'
reason = "country_not_allowed"
[[route]]
id = "desk"
when = 'contact.country == "JP"'
destination = "JAPAN_DESK"
"#;

fn backtest(folder: &Path) -> Value {
    let mut leads = String::new();
    for (number, country) in ["US", "FR", "JP", "FR", "DE"].into_iter().cycle().take(100).enumerate() {
        let lead =
            format!(r#"{{"userDetails": {{"email": "zq{number}@adatum.example", "country": "{country}"}}, "leadSource": "SPZA-PLT|a.b"}}"#);
        leads.push_str(&(lead + "\n"));
    }
    fs::write(folder.join("leads.ndjson"), leads).expect("written");
    fs::write(folder.join("candidate.toml"), CANDIDATE).expect("written");
    let arguments = ["backtest", "--candidate", "candidate.toml", "leads.ndjson", "--json", "--report", "report.html"];
    let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).output().expect("leadstream runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What Chromium prints for these arguments.
fn chromium(folder: &Path, arguments: &[&str]) -> (String, String) {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let page = format!("file://{}", folder.join("report.html").display());
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", &profile]).args(arguments).arg(page);
    let output = command.output().expect("chromium runs: .ci/packages test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_browser_shows_what_the_numbers_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = backtest(folder.path());
    assert_eq!((&report["leads"], &report["changed"]), (&100.into(), &60.into()));
    let text = fs::read_to_string(folder.path().join("report.html")).expect("written");
    let asks = ["http://", "https://", "src=", "href=", "@import", "url(", "fetch("].into_iter().filter(|word| text.contains(word));
    assert_eq!(asks.collect::<Vec<_>>(), ["http://"], "only the name of SVG");
    assert!(!text.contains("zq"), "nobody's data");

    let (dom, told) = chromium(folder.path(), &["--dump-dom"]);
    assert!(!told.contains("CONSOLE"), "{told}");
    for shown in [
        "<title>Backtest of candidate/2</title>",
        "Leads compared<b>100</b>",
        "Would change<b>60</b><span class=\"soft\">60.0&nbsp;%</span>",
        "Qualified<b>100.0&nbsp;% → 60.0&nbsp;%</b>",
        "aria-label=\"QUALIFIED to UNQUALIFIED: 40\"",
        "<td>gate.country</td><td>new</td><td>40</td>",
        "<td>route.desk</td><td>new</td><td>20</td>",
        "<td>none-&gt;JAPAN_DESK</td><td>20</td>",
        "<td>country_not_allowed</td><td>40</td>",
        "<summary>by country</summary>",
        "<td>FR</td><td>40</td><td>40</td><td>100.0&nbsp;%</td>",
        "contact.country == \"FR\"",
        "contact.country is \"FR\"",
        "<summary>leads.ndjson/0/1/0 · gate.country</summary>",
        "class=\"only-after\"",
    ] {
        assert!(dom.contains(shown), "{shown} is not on the page:\n{dom}");
    }
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("backtest");
    fs::create_dir_all(&pictures).expect("made");
    for (name, more) in [
        ("light.png", &["--window-size=1100,3000"][..]),
        ("dark.png", &["--window-size=1100,3000", "--force-dark-mode", "--blink-settings=preferredColorScheme=0"]),
        ("phone.png", &["--window-size=500,3000"]),
    ] {
        let file = pictures.join(name);
        let shot = format!("--screenshot={}", file.display());
        chromium(folder.path(), &[&[shot.as_str()], more].concat());
        assert!(fs::metadata(&file).is_ok_and(|found| found.len() > 10_000), "{name}");
    }
}
