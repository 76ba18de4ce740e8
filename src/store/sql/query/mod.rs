//! What checks ask of tables. Reads only.

pub mod condition;
pub mod dangling;
pub mod duplicates;
pub mod id_lookup;
pub mod normal_form;
pub mod owner_table;
pub mod policy_tables;
pub mod predicates;
pub mod scan;
pub mod table_query;
pub mod user_query;
