//! What is wrong with what people wrote: a stable code, a sentence, the place, the way out.

pub mod catalogue;
pub mod diagnosis;
pub mod item;
pub mod near;
pub mod render;
pub mod source;
