//! The form in which values are compared, as the store computes it for text in plain ASCII.
//!
//! Each store has its own idea of a small letter and of white space, and each collation of what is equal. On ASCII they can be
//! made to agree with each other and with [`Normal`]; the few values beyond it are odd and compared in the worker.

use super::table_query::Looked;
use crate::diagnostic::codes;
use crate::policy::checks::normal::Normal;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::{Class, Column};

/// One column in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// The column.
    pub(crate) column: Column,
    /// The column itself, qualified.
    pub(crate) raw: String,
    /// Its form, compared byte for byte. Means nothing for odd values.
    pub(crate) form: String,
    /// True for values whose form the store cannot compute; none where it always can.
    pub(crate) odd: Option<String>,
    /// The form, and for odd values a text of which the worker makes theirs: what rows are grouped by.
    pub(crate) key: String,
    /// Compared as text.
    pub(crate) is_text: bool,
    /// The store keeps text in UTF-8.
    is_utf8: bool,
}

impl Looked {
    pub(crate) async fn form(&mut self, name: &str, normal: Normal) -> Result<Form, StoreFailure> {
        let (dialect, raw) = (self.dialect(), self.column(name)?);
        let column = self.table().column(name)?.clone();
        let is_text = dialect == Dialect::Sqlite || column.class == Class::Text;
        let mut form = Form { form: raw.clone(), key: raw.clone(), odd: None, column, raw, is_text, is_utf8: true };
        if is_text {
            // Elsewhere a letter beyond ASCII may be one byte, and only a conversion shows it.
            let is_utf8 = dialect != Dialect::Postgres || self.session().is_utf8().await?;
            form.as_text(dialect, normal, is_utf8);
        } else if form.column.class == Class::Json {
            let text = format!("column `{name}` of `{}` holds JSON, which has more than one spelling", self.table().label());
            return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "name other columns"));
        }
        Ok(form)
    }
}

impl Form {
    fn as_text(&mut self, dialect: Dialect, normal: Normal, is_utf8: bool) {
        let text = match dialect {
            Dialect::Sqlite if normal == Normal::None => format!("{} COLLATE BINARY", self.raw),
            Dialect::Sqlite => format!("CAST({} AS TEXT)", self.raw),
            Dialect::Postgres => format!("({}::text COLLATE \"C\")", self.raw),
            // Not `CAST`: a cast to a character set without a collation of its own would be the connection's.
            _ => format!("CONVERT({} USING utf8mb4)", self.raw),
        };
        let bytes = |text: &str| if dialect.is_mysql() { format!("CAST({text} AS BINARY)") } else { text.to_owned() };
        if normal == Normal::None {
            self.form = bytes(&text);
            self.key.clone_from(&self.form);
            return;
        }
        let bare = match dialect {
            Dialect::Sqlite if leaves_edges(normal) => text.clone(),
            Dialect::Sqlite => trimmed_where_needed(&self.raw, &text),
            _ => trimmed(dialect, &text),
        };
        let form = match normal {
            Normal::None | Normal::Trim => bare,
            Normal::Lower | Normal::Email { .. } => small(dialect, &bare),
        };
        let without_its_tag = normal == Normal::Email { without_tag: true };
        self.form = bytes(&if without_its_tag { without_tag(dialect, &form) } else { form });
        self.is_utf8 = is_utf8;
        let odd = odd(dialect, normal, is_utf8, &text);
        // SQLite and, under "C", PostgreSQL change letters of ASCII alone, and what is beyond it stays so. MySQL makes `i` of `İ`.
        let keeps_what_is_odd = !dialect.is_mysql() && !without_its_tag;
        self.key = match keeps_what_is_odd {
            true => self.form.clone(),
            false => format!("CASE WHEN {odd} THEN {} ELSE {} END", bytes(&text), self.form),
        };
        self.odd = Some(odd);
    }

    /// True where rows can be grouped without a look at what is odd, since odd values stay odd in their form.
    pub(crate) fn stays_odd(&self, dialect: Dialect, normal: Normal) -> bool {
        dialect == Dialect::Sqlite && self.is_text && leaves_edges(normal)
    }

    /// True for the keys of odd values, by the key's name.
    pub(crate) fn odd_key(&self, dialect: Dialect, normal: Normal, name: &str) -> Option<String> {
        self.odd.as_ref()?;
        Some(if dialect.is_mysql() {
            odd(dialect, normal, self.is_utf8, &format!("CONVERT({name} USING utf8mb4)"))
        } else {
            odd(dialect, normal, self.is_utf8, name)
        })
    }
}

fn odd(dialect: Dialect, normal: Normal, is_utf8: bool, text: &str) -> String {
    let bare = trimmed(dialect, text);
    let mut odd = vec![beyond_ascii(dialect, is_utf8, text)];
    if let Normal::Email { .. } = normal {
        // A domain in its ASCII form is what one in other letters has to be compared with.
        odd.push(holds_xn(dialect, text));
    }
    if dialect == Dialect::Sqlite && leaves_edges(normal) {
        odd.push(format!("({})", has_white_edges(text)));
    }
    if dialect.is_mysql() {
        // Its TRIM takes spaces alone.
        odd.push(format!("ASCII({bare}) BETWEEN 9 AND 13 OR ASCII(RIGHT({bare}, 1)) BETWEEN 9 AND 13"));
    }
    if normal == (Normal::Email { without_tag: true }) {
        odd.push(hard_tag(dialect, &bare));
    }
    odd.join(" OR ")
}

/// SQLite's trim costs more than the rest of a form together. Where small letters are wanted, white space around a value is left
/// to the worker; a tag is cut off behind it, and so is white space where nothing else is to be done.
fn leaves_edges(normal: Normal) -> bool {
    matches!(normal, Normal::Lower | Normal::Email { without_tag: false })
}

fn has_white_edges(text: &str) -> String {
    // Of nothing there is no last byte, and what follows from that would be unknown.
    format!("{text} <> '' AND ({text} COLLATE BINARY < '!' OR substr(CAST({text} AS BLOB), -1) < x'21')")
}

/// SQLite's trim costs more than the rest of a form together: it is spared where neither end can be white space.
fn trimmed_where_needed(raw: &str, text: &str) -> String {
    let bare = trimmed(Dialect::Sqlite, text);
    // Numbers lie before every text, and blobs behind.
    let ends = format!("{raw} COLLATE BINARY < '!' OR {raw} >= x'' OR substr(CAST({raw} AS BLOB), -1) < x'21'");
    format!("CASE WHEN {ends} THEN {bare} ELSE {raw} END")
}

fn holds_xn(dialect: Dialect, text: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{text} LIKE '%xn--%'"),
        Dialect::Postgres => format!("strpos(lower({text}), 'xn--') > 0"),
        _ => format!("LOCATE('xn--', {}) > 0", small(dialect, text)),
    }
}

fn trimmed(dialect: Dialect, text: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("trim({text}, char(9, 10, 11, 12, 13, 32))"),
        Dialect::Postgres => format!("btrim({text}, E' \\t\\n\\x0b\\f\\r')"),
        _ => format!("TRIM({text})"),
    }
}

fn beyond_ascii(dialect: Dialect, is_utf8: bool, text: &str) -> String {
    match dialect {
        // A NUL ends `length`, so such a text is odd as well.
        Dialect::Sqlite => format!("length(CAST({text} AS BLOB)) <> length({text})"),
        Dialect::Postgres if is_utf8 => format!("octet_length({text}) <> char_length({text})"),
        Dialect::Postgres => format!("octet_length(convert_to({text}, 'UTF8')) <> char_length({text})"),
        _ => format!("LENGTH({text}) <> CHAR_LENGTH({text})"),
    }
}

fn small(dialect: Dialect, text: &str) -> String {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => format!("lower({text})"),
        // Under a Turkish collation `I` has no dot in small letters either.
        _ => format!("LOWER({text} COLLATE utf8mb4_bin)"),
    }
}

/// A tag in an address that is not one name, one `@` and one domain.
fn hard_tag(dialect: Dialect, text: &str) -> String {
    let (find, length) = match dialect {
        Dialect::Postgres => ("strpos", "char_length"),
        Dialect::Sqlite => ("instr", "length"),
        _ => ("INSTR", "CHAR_LENGTH"),
    };
    let plus = format!("{find}({text}, '+')");
    format!("({plus} > 0 AND ({plus} = 1 OR {length}({text}) - {length}(replace({text}, '@', '')) <> 1))")
}

fn without_tag(dialect: Dialect, text: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!(
            "CASE WHEN instr({text}, '+') > 0 AND instr({text}, '+') < instr({text}, '@') \
             THEN substr({text}, 1, instr({text}, '+') - 1) || substr({text}, instr({text}, '@')) ELSE {text} END"
        ),
        Dialect::Postgres => format!(
            "CASE WHEN strpos({text}, '+') > 0 \
             THEN split_part(split_part({text}, '@', 1), '+', 1) || '@' || split_part({text}, '@', 2) ELSE {text} END"
        ),
        _ => format!(
            "CASE WHEN INSTR({text}, '+') > 0 \
             THEN CONCAT(SUBSTRING_INDEX(SUBSTRING_INDEX({text}, '@', 1), '+', 1), '@', SUBSTRING_INDEX({text}, '@', -1)) ELSE {text} END"
        ),
    }
}
