//! Texts that are made only to be compared: short ones lie where they are made, so that no memory is asked for. What they are made
//! of, their makers know.

use std::{fmt, ops::Deref};

/// So many bytes lie in place: more than any token, code or id of an offer that is in use.
const SHORT: usize = 62;

/// A text: borrowed, short, or in memory of its own.
#[derive(Clone)]
pub struct SmallText<'t>(Form<'t>);

#[derive(Clone)]
enum Form<'t> {
    Borrowed(&'t str),
    Short { bytes: [u8; SHORT], length: u8 },
    Long(String),
}

impl<'t> SmallText<'t> {
    /// The text as it is.
    #[must_use]
    pub fn borrowed(text: &'t str) -> Self {
        Self(Form::Borrowed(text))
    }

    /// The text in small letters.
    #[must_use]
    pub fn lowercase(text: &'t str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            return Self::borrowed(text);
        }
        Self::from_ascii(text, |byte| Some(byte.to_ascii_lowercase())).unwrap_or_else(|| Self::long(text.to_lowercase()))
    }

    /// A text that has memory of its own already.
    #[must_use]
    pub fn long(text: String) -> Self {
        Self(Form::Long(text))
    }

    /// What `change` makes of each byte; `None`: the text is long, or not of ASCII letters alone.
    #[must_use]
    pub fn from_ascii(text: &str, change: impl Fn(u8) -> Option<u8>) -> Option<Self> {
        if text.len() > SHORT || !text.is_ascii() {
            return None;
        }
        let (mut short, mut length) = ([0; SHORT], 0_u8);
        for byte in text.bytes().filter_map(change) {
            // Never past the end: no more bytes are made than there were.
            if let Some(place) = short.get_mut(usize::from(length)) {
                *place = byte;
                length += 1;
            }
        }
        Some(Self(Form::Short { bytes: short, length }))
    }

    /// Its bytes, which need not be looked at again to be known as text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Borrowed(text) => text.as_bytes(),
            Form::Short { bytes, length } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Form::Long(text) => text.as_bytes(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// With memory of its own.
    #[must_use]
    pub fn into_owned(self) -> String {
        match self.0 {
            Form::Long(text) => text,
            _ => (*self).to_owned(),
        }
    }
}

impl Deref for SmallText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Borrowed(text) => text,
            // Only whole ASCII is written, so this is always text.
            Form::Short { bytes, length } => {
                bytes.get(..usize::from(*length)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
            }
            Form::Long(text) => text,
        }
    }
}

impl PartialEq for SmallText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for SmallText<'_> {}

impl std::hash::Hash for SmallText<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Display for SmallText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for SmallText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_are_those_of_the_standard_library_wherever_they_lie() {
        for text in ["", "abc-1", "ABC", "Äß İ", &"X".repeat(SHORT), &"X".repeat(SHORT + 1), &"x".repeat(500)] {
            assert_eq!(*SmallText::lowercase(text), text.to_lowercase());
            assert_eq!(SmallText::lowercase(text).into_owned(), text.to_lowercase());
        }
        assert!(matches!(SmallText::lowercase("abc").0, Form::Borrowed(_)));
        assert!(matches!(SmallText::lowercase("Abc").0, Form::Short { .. }));
    }
}
