//! Whether the client knows a property: asked before anything is started.

use rdkafka::{ClientConfig, error::KafkaError};

/// Tries one property on a configuration of its own; nothing is connected.
///
/// # Errors
/// What the client says against the name or the value.
pub fn check_property(name: &str, value: &str) -> Result<(), String> {
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(_, why, _, _)) => Err(why),
        Err(other) => Err(other.to_string()),
    }
}
