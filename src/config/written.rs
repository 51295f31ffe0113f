//! One value as a person wrote it, in a file or as text (environment, `--set`), read as the type its key asks for. Says what
//! is wrong and what to write instead; never shows a secret.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use toml::{Spanned, de::DeValue};

use super::{Secret, sources::Sources};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// At this byte of the configuration file.
    File(usize),
    /// In this environment variable.
    Environment(String),
    /// In `--set` of this key.
    Set(String),
}

/// Why a value was not taken.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The byte of the file to point at, where that is not the value's first.
    pub(super) offset: Option<usize>,
}

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, offset: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All that is wrong with one value; a list may have several faults.
#[derive(Clone, Debug)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// One element of a list, with the byte it stands at in the file.
pub(super) type Element<'a> = Result<(&'a str, Option<usize>), Fault>;

/// TOML, or plain text whose type the key decides.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    Toml(&'a Spanned<DeValue<'a>>),
    Text(&'a str),
}

/// One value on its way to its key.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) key: &'a str,
    pub(super) form: Form<'a>,
    pub(super) origin: &'a Origin,
    pub(super) sources: &'a Sources,
}

impl<'a> Written<'a> {
    /// A text, blanks around it kept.
    pub(super) fn text(self) -> Result<&'a str, Fault> {
        match self.form {
            Form::Text(text) => Ok(text),
            Form::Toml(value) => value.get_ref().as_str().ok_or_else(|| self.wrong("a text in quotes")),
        }
    }

    /// A text that says something.
    pub(super) fn name(self, longest: usize) -> Result<String, Fault> {
        let text = self.text()?.trim();
        match text.chars().count() {
            0 => {
                Err(Fault::new("invalid_value", format!("{} is empty", self.key))
                    .hint("give it a name, or leave the key out for its default"))
            }
            n if n > longest => Err(Fault::new("invalid_value", format!("{} has {n} characters; at most {longest} are allowed", self.key))),
            _ if text.chars().any(char::is_control) => {
                Err(Fault::new("invalid_value", format!("{} holds control characters", self.key)).hint("remove them"))
            }
            _ => Ok(text.to_owned()),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(self) -> Result<bool, Fault> {
        let found = match self.form {
            Form::Text(text) => text.trim().parse().ok(),
            Form::Toml(value) => value.get_ref().as_bool(),
        };
        found.ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number within `range`.
    pub(super) fn integer(self, range: RangeInclusive<u64>) -> Result<u64, Fault> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let found: Option<i128> = match self.form {
            Form::Text(text) => text.trim().replace('_', "").parse().ok(),
            Form::Toml(value) => {
                let integer = value.get_ref().as_integer();
                integer.and_then(|integer| i128::from_str_radix(integer.as_str(), integer.radix()).ok())
            }
        };
        let number = found.ok_or_else(|| self.wrong(&wanted))?;
        u64::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| self.out_of_range(&wanted))
    }

    /// A whole number within `range`, as a size in memory.
    pub(super) fn size(self, range: RangeInclusive<u64>) -> Result<usize, Fault> {
        let wanted = format!("a number this machine can hold, from {} to {}", range.start(), range.end());
        usize::try_from(self.integer(range)?).map_err(|_| self.out_of_range(&wanted))
    }

    /// A share: above 0, at most 1.
    pub(super) fn share(self) -> Result<f64, Fault> {
        self.number("a number above 0 and at most 1", |share| share > 0.0 && share <= 1.0)
    }

    /// A number, whole or not, that is `good`.
    pub(super) fn number(self, wanted: &str, good: impl Fn(f64) -> bool) -> Result<f64, Fault> {
        let found: Option<f64> = match self.form {
            Form::Text(text) => text.trim().parse().ok(),
            Form::Toml(value) => match value.get_ref() {
                DeValue::Float(float) => float.as_str().parse().ok(),
                DeValue::Integer(integer) => integer.as_str().parse().ok(),
                _ => None,
            },
        };
        let number = found.ok_or_else(|| self.wrong(wanted))?;
        if good(number) { Ok(number) } else { Err(self.out_of_range(wanted)) }
    }

    /// A length of time such as `100ms`, within `range`.
    pub(super) fn duration(self, range: RangeInclusive<Duration>) -> Result<Duration, Fault> {
        let wanted = format!("a time from {} to {}, such as \"250ms\" or \"2s\"", show(*range.start()), show(*range.end()));
        let text = match self.form {
            Form::Toml(value) if value.get_ref().is_integer() => {
                return Err(self.wrong(&wanted).hint("write the unit too, in quotes: ms, s, m or h"));
            }
            _ => self.text().map_err(|_| self.wrong(&wanted))?,
        };
        let duration = parse_duration(text.trim()).ok_or_else(|| self.wrong(&wanted))?;
        if range.contains(&duration) { Ok(duration) } else { Err(self.out_of_range(&wanted)) }
    }

    /// An amount of memory such as `64MiB`, within `range` of bytes.
    pub(super) fn memory(self, range: RangeInclusive<usize>) -> Result<usize, Fault> {
        let wanted = format!(
            "an amount of memory from {} to {}, such as \"64MiB\" or \"1GiB\"",
            show_bytes(*range.start()),
            show_bytes(*range.end())
        );
        let text = match self.form {
            Form::Toml(value) if value.get_ref().is_integer() => {
                return Err(self.wrong(&wanted).hint("write the unit too, in quotes: KiB, MiB or GiB"));
            }
            _ => self.text().map_err(|_| self.wrong(&wanted))?,
        };
        let bytes = parse_bytes(text.trim()).ok_or_else(|| self.wrong(&wanted))?;
        if range.contains(&bytes) { Ok(bytes) } else { Err(self.out_of_range(&wanted)) }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(self, choices: &[(&str, T)]) -> Result<T, Fault> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        let wanted = match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        };
        let text = self.text().map_err(|_| self.wrong(&wanted))?.trim();
        choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let fault = self.wrong(&wanted);
            match super::suggest::nearest(text, choices.iter().map(|(word, _)| *word)) {
                Some(word) => fault.hint(format!("did you mean {word:?}?")),
                None => fault,
            }
        })
    }

    /// A path: relative to the file it is written in, or to the working directory.
    pub(super) fn path(self) -> Result<PathBuf, Fault> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err(Fault::new("invalid_value", format!("{} is empty", self.key)).hint("give a path, or leave the key out"));
        }
        Ok(self.resolve(text))
    }

    /// An address to listen on.
    pub(super) fn address(self) -> Result<SocketAddr, Fault> {
        let wanted = "an IP address and a port, such as \"127.0.0.1:9464\" or \"[::]:9464\"";
        let text = self.text().map_err(|_| self.wrong(wanted))?;
        text.trim().parse().map_err(|_| self.wrong(wanted).hint("host names are not looked up here; port 0 takes a free port"))
    }

    /// The elements of a list, each with the byte it stands at in the file. Text is split at commas.
    pub(super) fn list(self, wanted: &str) -> Result<Vec<Element<'a>>, Fault> {
        let Form::Toml(value) = self.form else {
            let text = self.text()?;
            let parts = text.split(',').map(|part| Ok((part.trim(), None)));
            return Ok(if text.trim().is_empty() { Vec::new() } else { parts.collect() });
        };
        let Some(array) = value.get_ref().as_array() else {
            let fault = self.wrong(wanted);
            return Err(match value.get_ref().as_str() {
                Some(text) => fault.hint(format!("write it in brackets: [{text:?}]")),
                None => fault,
            });
        };
        let element = |element: &'a Spanned<DeValue<'a>>| {
            let at = Some(element.span().start);
            let text = element.get_ref().as_str().map(|text| (text.trim(), at));
            text.ok_or_else(|| Fault { offset: at, ..self.wrong_form(Form::Toml(element), "a list of texts in quotes") })
        };
        Ok(array.iter().map(element).collect())
    }

    /// A value that must not be shown: text as it stands, `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub(super) fn secret(self) -> Result<Secret, Fault> {
        let wanted = "a text in quotes, { env = \"NAME\" } or { file = \"PATH\" }";
        match self.form {
            Form::Text(text) => match reference_in_text(text) {
                Some((kind, name)) => self.refer(&kind, &name),
                None if is_meant_as_reference(text) => Err(self.wrong_secret("a reference that cannot be read", wanted)),
                None => Ok(Secret::new(text)),
            },
            Form::Toml(value) => match value.get_ref() {
                DeValue::String(text) => Ok(Secret::new(text.as_ref())),
                DeValue::Table(_) => {
                    let (kind, name) = reference(value.get_ref()).ok_or_else(|| self.wrong_secret("a table of another shape", wanted))?;
                    self.refer(kind, name)
                }
                other => Err(self.wrong_secret(kind_of(other), wanted)),
            },
        }
    }

    fn refer(self, kind: &str, name: &str) -> Result<Secret, Fault> {
        let missing = |what: String| Fault::new("missing_secret", format!("{}: {what}", self.key));
        let found = if kind == "env" {
            let set = self.sources.variable(name);
            set.map(str::to_owned).ok_or_else(|| {
                missing(format!("the environment variable {name:?} is not set")).hint(format!("set {name}, or leave the key out"))
            })?
        } else {
            let path = self.resolve(name);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                let why = if error.kind() == std::io::ErrorKind::InvalidData { "it is not UTF-8".to_owned() } else { error.to_string() };
                missing(format!("cannot read the secret file {:?}: {why}", path.display().to_string()))
                    .hint("make the file readable for this user, or name another")
            })?;
            // Editors and `echo` end a file with a newline that is not part of the secret.
            let trimmed = text.strip_suffix('\n').unwrap_or(&text);
            trimmed.strip_suffix('\r').unwrap_or(trimmed).to_owned()
        };
        if found.is_empty() {
            let kind = if kind == "env" { "environment variable" } else { "secret file" };
            return Err(missing(format!("the {kind} {name:?} is empty")).hint("put the secret in it, or leave the key out"));
        }
        Ok(Secret::from_elsewhere(found))
    }

    /// A path as it is meant: relative to the file it is written in, or to the working directory.
    pub(super) fn resolve(self, path: &str) -> PathBuf {
        match self.origin {
            Origin::File(_) => self.sources.folder().join(path),
            Origin::Environment(_) | Origin::Set(_) => PathBuf::from(path),
        }
    }

    fn wrong_secret(self, found: &str, wanted: &str) -> Fault {
        Fault::new("wrong_type", format!("{} is {found}; it must be {wanted}", self.key))
    }

    pub(super) fn wrong(self, wanted: &str) -> Fault {
        self.wrong_form(self.form, wanted)
    }

    fn wrong_form(self, form: Form<'_>, wanted: &str) -> Fault {
        let whole = match (form, self.form) {
            (Form::Toml(part), Form::Toml(all)) => part.span() == all.span(),
            _ => true,
        };
        let fault = Fault::new(
            "wrong_type",
            format!("{} {} {}; it must be {wanted}", self.key, if whole { "is" } else { "holds" }, describe(form)),
        );
        let Form::Toml(value) = form else { return Fault { code: "invalid_value", ..fault } };
        match value.get_ref() {
            DeValue::String(_) => Fault { code: "invalid_value", ..fault },
            DeValue::Table(_) if reference(value.get_ref()).is_some() => fault.hint(format!(
                "only secrets are read this way; the variable LEADSTREAM__{} sets this key",
                self.key.to_uppercase().replace('.', "__")
            )),
            _ => fault,
        }
    }

    fn out_of_range(self, wanted: &str) -> Fault {
        Fault { code: "out_of_range", ..self.wrong(wanted) }
    }
}

/// `{ env = "NAME" }` or `{ file = "PATH" }`, and nothing else beside it.
pub(super) fn reference<'a>(value: &'a DeValue<'_>) -> Option<(&'a str, &'a str)> {
    let table = value.as_table()?;
    let (key, value) = table.iter().next()?;
    let kind = key.get_ref().as_ref();
    (table.len() == 1 && matches!(kind, "env" | "file")).then_some(())?;
    Some((kind, value.get_ref().as_str()?))
}

/// The same written in a variable or a flag; any other text is the secret itself.
fn reference_in_text(text: &str) -> Option<(String, String)> {
    text.trim_start().starts_with('{').then_some(())?;
    let value = DeValue::parse(text.trim()).ok()?;
    reference(value.get_ref()).map(|(kind, name)| (kind.to_owned(), name.to_owned()))
}

/// Whether text begins like a reference: no secret does, and a slip of the pen is not taken for one.
fn is_meant_as_reference(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('{').map_or("", str::trim_start);
    let rest = inner.strip_prefix("env").or_else(|| inner.strip_prefix("file"));
    rest.is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Whether text is `{ env = "NAME" }` or `{ file = "PATH" }`.
pub(super) fn is_reference(text: &str) -> bool {
    reference_in_text(text).is_some()
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What was written, short enough for a message.
fn describe(form: Form<'_>) -> String {
    let quote = |text: &str| {
        let shown: String = text.chars().take(60).collect();
        if shown.len() < text.len() { format!("{:?}", shown + "…") } else { format!("{shown:?}") }
    };
    match form {
        Form::Text(text) => quote(text),
        Form::Toml(value) => match value.get_ref() {
            DeValue::String(text) => quote(text),
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.to_string(),
            DeValue::Boolean(boolean) => boolean.to_string(),
            other => kind_of(other).to_owned(),
        },
    }
}

/// A whole number and what stands after it.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A whole number and its unit: `KiB`, `MiB` or `GiB`.
fn parse_bytes(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let bytes = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number).ok()?.checked_mul(bytes)
}

/// As a person would write it: in the largest unit that leaves no rest.
pub(super) fn show_bytes(bytes: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(size, _)| bytes > 0 && bytes.is_multiple_of(*size));
    unit.map_or_else(|| bytes.to_string(), |(size, unit)| format!("{}{unit}", bytes / size))
}

/// A whole number and its unit: `ms`, `s`, `m`, `h` or `d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn show(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds.is_multiple_of(1000) { format!("{}s", milliseconds / 1000) } else { format!("{milliseconds}ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_memory_is_a_whole_number_with_its_unit() {
        assert_eq!(parse_bytes("64MiB"), Some(64 << 20));
        assert_eq!(parse_bytes("2 GiB"), Some(2 << 30));
        for wrong in ["", "64", "MiB", "1.5GiB", "64MB", "-1MiB", "99999999999999999999GiB", "18446744073709551615KiB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
        assert_eq!([64 << 20, 3 << 29, 1 << 30, 5].map(show_bytes), ["64MiB", "1536MiB", "1GiB", "5"]);
    }

    #[test]
    fn a_length_of_time_is_a_whole_number_with_its_unit() {
        assert_eq!(parse_duration("100ms"), Some(Duration::from_millis(100)));
        assert_eq!(parse_duration("2 s"), Some(Duration::from_secs(2)));
        assert_eq!(parse_duration("6h"), Some(Duration::from_hours(6)));
        for wrong in ["", "5", "ms", "-1s", "1.5s", "5 parsecs", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
