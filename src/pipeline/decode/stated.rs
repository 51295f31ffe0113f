//! What a record's headers say of its format: `lead-format` before `content-type`. A header that says what leadstream does not
//! know is a fault of the record.

use crate::lead::{DeadLetterCode, Format, Record, Rejection, Vocabulary};

/// What the headers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated<'a> {
    /// The shape of each lead, by `lead-format`.
    pub(super) format: Option<Format>,
    /// The content type.
    pub(super) content: Content,
    /// The content type's charset.
    pub(super) charset: Option<&'a str>,
}

/// What a content type tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing, or nothing of use.
    #[default]
    Any,
    /// JSON in one of its dresses.
    Json,
    /// One JSON value a line.
    Lines,
    /// A form.
    Form,
    /// Avro, behind a frame that names its schema.
    Avro,
}

/// Reads the headers.
///
/// # Errors
/// `unknown_format`: they name a format that is unknown or not read yet.
pub(super) fn stated<'a>(record: &Record<'a>) -> Result<Stated<'a>, Rejection> {
    let unknown = |detail: String| Rejection::decode(DeadLetterCode::UnknownFormat, detail);
    let (content, charset) = content(record);
    if let Some(name) = record.headers.last("lead-format") {
        let format = std::str::from_utf8(name).ok().and_then(|name| Format::from_name(&name.trim().to_ascii_lowercase()));
        return match format {
            None => Err(unknown("header lead-format names no known format".to_owned())),
            Some(format) => Ok(Stated { format: Some(format), content: Content::Any, charset }),
        };
    }
    match content {
        Some(content) => Ok(Stated { format: None, content, charset }),
        None => Err(unknown("header content-type names a format this version does not read".to_owned())),
    }
}

/// Content type and charset; no content: a type that is known and not read.
fn content<'a>(record: &Record<'a>) -> (Option<Content>, Option<&'a str>) {
    let value = record.headers.last("content-type").and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let charset = charset.map(|(_, value)| value.trim().trim_matches('"'));
    let content = match essence.as_str() {
        "application/x-www-form-urlencoded" => Some(Content::Form),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/jsonlines" | "application/x-jsonlines" => {
            Some(Content::Lines)
        }
        "application/json" | "text/json" => Some(Content::Json),
        _ if essence.ends_with("+json") => Some(Content::Json),
        _ if essence.contains("avro") => Some(Content::Avro),
        _ if essence.starts_with("multipart/") || essence.ends_with("xml") => None,
        _ => Some(Content::Any),
    };
    (content, charset)
}
