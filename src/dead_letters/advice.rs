//! What would help with a code: what the page of codes says. The page is the one place where that is written.

/// Compiled in, so that whoever stands before a terminal has it.
const PAGE: &str = include_str!("../../docs/codes.md");

/// What `docs/codes.md` says is to be done about a dead-letter code; `None`: it is none of leadstream's.
#[must_use]
pub fn advice(code: &str) -> Option<String> {
    let (_, section) = PAGE.split_once("\n## Dead-letter codes\n")?;
    let cells = |row: &'static str| row.split('|').map(str::trim).collect::<Vec<_>>();
    let rows = section.lines().filter(|line| line.starts_with('|')).map(cells);
    let named = format!("`{code}`");
    let found = rows.into_iter().find(|cells| cells.get(1).is_some_and(|cell| *cell == named))?;
    found.get(3).map(|todo| todo.replace('`', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{DeadLetterCode, Vocabulary as _};

    #[test]
    fn there_is_advice_for_every_code() {
        for code in DeadLetterCode::ALL {
            assert!(advice(code.name()).is_some_and(|advice| advice.len() > 20), "{}", code.name());
        }
        let deep = "no lead of Microsoft's is that deep: look at the producer; where its records are meant so, raise limits.depth";
        assert_eq!(advice("too_deep").as_deref(), Some(deep));
        assert_eq!(advice("nonsense"), None);
    }
}
