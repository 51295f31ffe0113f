//! The containers: what `docker-compose.yml` starts in which order, and what the image is built from. That a container engine runs
//! them is not shown here.

use std::{fs, path::PathBuf, process::Command};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What Compose takes for `${NAME:-DEFAULT}` where nobody has set NAME.
pub(super) fn unset(value: &str) -> &str {
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.map_or(value, |inner| inner.split_once(":-").expect("a default").1)
}

/// The services of the compose file, each with its lines.
fn services(compose: &str) -> Vec<(&str, Vec<&str>)> {
    let mut services: Vec<(&str, Vec<&str>)> = Vec::new();
    let inside = compose.lines().skip_while(|line| *line != "services:").skip(1);
    for line in inside.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        match line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])).and_then(|line| line.strip_suffix(':')) {
            Some(name) => services.push((name, Vec::new())),
            None => services.last_mut().expect("a service").1.push(line.trim()),
        }
    }
    services
}

#[test]
fn each_container_waits_for_what_it_needs_and_says_when_it_is_there() {
    let compose = read("docker-compose.yml");
    let services = services(&compose);
    let names: Vec<_> = services.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["kafka", "registry", "topics", "leadstream", "generator", "prometheus", "grafana"]);
    let lines = |name: &str| &services.iter().find(|(found, _)| *found == name).expect("a service").1;
    for (name, lines) in &services {
        // Ours has its question in the image; those that end or serve nothing say that they have none.
        let has_health = lines.contains(&"healthcheck:") || *name == "leadstream";
        assert!(has_health, "{name} does not say when it is there");
        let is_locked = lines.contains(&"<<: *locked") || lines.contains(&"security_opt: [\"no-new-privileges:true\"]") || *name == "kafka";
        assert!(is_locked, "{name} keeps rights");
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("condition: ")) {
            let awaited = lines[place - 1].trim_end_matches(':');
            let expected = if awaited == "topics" { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(line.trim_start_matches("condition: "), expected, "{name} waits for {awaited}");
            assert!(names.contains(&awaited), "{awaited}");
        }
    }
    let awaits = |name: &str, other: &str| lines(name).contains(&format!("{other}:").as_str());
    for (name, other) in [
        ("topics", "kafka"),
        ("leadstream", "topics"),
        ("leadstream", "registry"),
        ("generator", "leadstream"),
        ("prometheus", "leadstream"),
        ("grafana", "prometheus"),
    ] {
        assert!(awaits(name, other), "{name} does not wait for {other}");
    }
    // Nobody can log in, so there is no password that all know.
    let grafana = lines("grafana").join("\n");
    for setting in
        ["DISABLE_INITIAL_ADMIN_CREATION: \"true\"", "DISABLE_LOGIN_FORM: \"true\"", "BASIC_ENABLED: \"false\"", "ORG_ROLE: Viewer"]
    {
        assert!(grafana.contains(setting), "{setting}");
    }
    assert!(!compose.to_lowercase().contains("password:"), "a password stands in the file");
}

#[test]
fn what_containers_and_pods_run_are_commands_there_are() {
    let compose = read("docker-compose.yml");
    let commands = compose.lines().filter_map(|line| line.trim().strip_prefix("command: ["));
    let commands: Vec<Vec<String>> = commands
        .map(|line| line.trim_end_matches(']').split(", ").map(|word| unset(word.trim_matches('"')).to_owned()).collect())
        .collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    for command in commands {
        // With `--help` a command is read to its end and nothing is done.
        let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(&command).arg("--help").output().expect("it runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What the build of the image is not given, by the patterns of its ignore file.
fn is_left_out(path: &str, patterns: &[&str]) -> bool {
    let matches = |pattern: &str| {
        let pattern = pattern.trim_end_matches("/*");
        path == pattern || path.starts_with(&format!("{pattern}/"))
    };
    patterns.iter().fold(false, |out, pattern| match pattern.strip_prefix('!') {
        Some(kept) if matches(kept) => false,
        None if matches(pattern) => true,
        _ => out,
    })
}

#[test]
fn the_image_is_built_from_all_that_the_program_holds() {
    let text = read("deploy/Dockerfile.dockerignore");
    let patterns: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(
        is_left_out("docs/rules.md", &patterns) && is_left_out("target/debug/x", &patterns) && !is_left_out("docs/codes.md", &patterns)
    );
    let mut folders = vec![root().join("src")];
    let mut held = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                // Tests are not built into the image.
                folders.extend((!entry.ends_with("tests")).then_some(entry));
                continue;
            }
            let Ok(text) = fs::read_to_string(&entry) else { continue };
            let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for name in ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|word| program.split(word).skip(1)) {
                let name = name.split('"').next().expect("a name");
                let target = folder.join(name).canonicalize().unwrap_or_else(|error| panic!("{}: {name}: {error}", entry.display()));
                let target = target.strip_prefix(root().canonicalize().expect("a folder")).expect("inside").display().to_string();
                assert!(!is_left_out(&target, &patterns), "{target} is part of the program and not of the image's build");
                held += 1;
            }
        }
    }
    assert!(held > 20, "{held}");
    for copied in read("deploy/Dockerfile").lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--")) {
        for path in copied.split(' ').rev().skip(1).filter(|path| *path != ".") {
            assert!(root().join(path).exists() && !is_left_out(path, &patterns), "{path}");
        }
    }
}

#[test]
fn the_image_says_what_it_was_built_from() {
    let dockerfile = read("deploy/Dockerfile");
    let last = dockerfile.rsplit("FROM ").next().expect("a stage");
    for (label, argument) in [("version", "VERSION"), ("revision", "REVISION"), ("source", "SOURCE"), ("created", "CREATED")] {
        assert!(last.contains(&format!("\nARG {argument}=")), "{argument}");
        assert!(last.contains(&format!("org.opencontainers.image.{label}=\"${{{argument}}}\"")), "{label}");
    }
    // The dependencies' layer is made before any source is there, and before the revision is known.
    let place = |text: &str| dockerfile.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("COPY Cargo.toml Cargo.lock ./") < place("cargo build") && place("cargo build") < place("ARG REVISION"));
    assert!(place("ARG REVISION") < place("COPY . ."));
}
