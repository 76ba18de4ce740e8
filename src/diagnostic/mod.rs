//! What is wrong with what people wrote: a stable code, a sentence, the place, the way out.

pub mod codes;
pub mod diagnosis;
pub mod message;
pub mod render;
pub mod source;
pub mod suggest;
