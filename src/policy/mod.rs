//! What people declare about data: lifecycle rules, classification tags, holds; and the decisions that follow from them.

pub mod check;
pub mod classification;
pub mod dataset;
pub mod draft;
pub mod entries;
pub mod expiry;
pub mod expiry_file;
pub mod family;
pub mod file;
pub mod gathered;
pub mod glob;
pub mod ground;
pub mod hold;
pub mod key_name;
pub mod key_pattern;
pub mod lifecycle;
mod minimum;
pub mod period;
pub mod quality;
pub mod section;
mod section_check;
pub mod set;
pub mod table;
pub mod tag_draft;
pub mod view;
pub mod view_file;
pub mod written;
