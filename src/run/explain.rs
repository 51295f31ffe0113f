//! stub
use super::{ExplainArguments, Failure};
use crate::{config::Config, pipeline::Pipeline};
use std::io::Write;
/// stub
/// # Errors
/// stub
pub fn explain(_config: &Config, _pipeline: &Pipeline, _arguments: &ExplainArguments, _out: &mut dyn Write) -> Result<(), Failure> {
    Err(Failure::bug("explain is not built"))
}
