//! Composition: the loop and one file a mode.
