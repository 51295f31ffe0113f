//! Metrics, logging and HTTP: told facts; nothing asks it to decide.
