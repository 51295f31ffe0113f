//! A value that must not be shown, and the names that tell one: prints as `[redacted]`.

use std::fmt;

/// Text that never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// Whoever wrote the configuration kept it elsewhere: in a variable, in a file.
    is_kept_elsewhere: bool,
}

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_kept_elsewhere: false }
    }

    /// Wraps what a variable or a file of secrets held.
    pub(super) fn from_elsewhere(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_kept_elsewhere: true }
    }

    /// Whether it was taken from a variable or a file: then it must not be shown, whatever it is.
    #[must_use]
    pub fn is_kept_elsewhere(&self) -> bool {
        self.is_kept_elsewhere
    }

    /// The text itself: only where it is handed to the one who needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Words in a key's name that say its value must not be shown.
pub(super) const SECRET_WORDS: [&str; 8] =
    ["password", "secret", "passphrase", "pem", "token", "authorization", "sasl.oauthbearer.config", "kinit"];

/// Whether a property of this name holds a secret, whatever it is set to.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}
