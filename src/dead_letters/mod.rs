//! A dead letter read back: where it came from and why it is one, in the headers of several programs; the shape of its value; its
//! bytes without anybody's data. What is done with one is `run`'s, how one is written the pipeline's, which are settled the ledger's.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod advice;
mod code;
mod letter;
mod mask;
mod shape;

pub use advice::advice;
pub use code::no_such_code;
pub use letter::{Dialect, Letter, Unkept};
pub use mask::{hidden, masked};
pub use shape::{fingerprint, hex, shape};
