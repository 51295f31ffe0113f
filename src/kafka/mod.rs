//! The only place that names rdkafka: the lane, the client's settings, topics, the embedded broker. Knows no lead and no
//! rule.

mod property;

pub use property::check_property;
