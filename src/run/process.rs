//! stub
use super::{Failure, ProcessArguments};
use crate::pipeline::Pipeline;
use std::io::Write;
/// stub
/// # Errors
/// stub
pub fn process(_pipeline: &Pipeline, _arguments: &ProcessArguments, _out: &mut dyn Write) -> Result<(), Failure> {
    Err(Failure::bug("process is not built"))
}
