//! Functions of the engines' own that act when they are asked, or that answer at random.

use super::{Kind, Language};

/// What a call of this name would do that nobody asking may do; none where it only computes.
///
/// A condition is asked several times for each row, so what answers at random says yes to one row when it is counted and to
/// another when it goes. Functions that people make are judged by the store.
pub(super) fn of(name: &str, language: Language, kind: Kind) -> Option<&'static str> {
    let name = name.to_lowercase();
    let name = name.as_str();
    let acts = match language {
        Language::Postgres => {
            let begins = ["pg_advisory_", "pg_try_advisory_", "pg_sleep", "dblink", "lo_", "pg_logical_emit_", "pg_file_"];
            begins.iter().any(|begin| name.starts_with(begin))
                || ["nextval", "setval", "pg_notify", "set_config", "pg_terminate_backend", "pg_cancel_backend"].contains(&name)
        }
        Language::Mysql => [
            "get_lock",
            "release_lock",
            "release_all_locks",
            "sleep",
            "benchmark",
            "nextval",
            "setval",
            "master_pos_wait",
            "source_pos_wait",
            "master_gtid_wait",
            "wait_for_executed_gtid_set",
            "sys_exec",
            "sys_eval",
        ]
        .contains(&name),
        Language::Sqlite => ["load_extension", "writefile", "edit", "fts3_tokenizer"].contains(&name),
        Language::Cypher | Language::Unknown => false,
    };
    if acts {
        return Some("which acts when it is asked");
    }
    let at_random = match language {
        Language::Postgres => ["random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7"].as_slice(),
        Language::Mysql => &["rand", "uuid", "uuid_short", "random_bytes", "uuid_v4", "uuid_v7"],
        Language::Sqlite => &["random", "randomblob"],
        Language::Cypher => &["rand", "randomuuid"],
        Language::Unknown => &[],
    };
    (kind == Kind::Condition && at_random.contains(&name)).then_some("which gives another answer each time it is asked")
}
