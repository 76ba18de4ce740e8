//! Rows that share what should be one row's alone: the store groups them, and tells those groups whose form it cannot compute.

use super::normal_form::Form;
use super::table_query::Looked;
use crate::diagnostic::codes;
use crate::policy::checks::normal::Normal;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::Class;
use crate::store::value::{self, Cell};
use std::sync::{Mutex, PoisonError};

/// Bytes of forms looked up at once: each time is a reading of the whole table, and MariaDB takes 16 MB in one piece.
const LOOKED_UP: usize = 4 << 20;
/// Bytes of one value that MySQL and MariaDB are let sort by. Longer ones they group in a table, which takes them longer.
const MOST_SORTED: u32 = 4096;
/// What stands beside the number of all rows.
const TOTAL: u64 = 2;

/// Columns whose values together should be one row's alone.
#[derive(Debug, Clone)]
pub struct Groups {
    forms: Vec<Form>,
    normal: Normal,
    dialect: Dialect,
}

/// Rows with one form, as far as the store can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The form, a text per column; of odd rows a text that [`Groups::form_of`] makes it of.
    pub form: Vec<String>,
    /// How many.
    pub rows: u64,
    /// Rows whose form the store cannot compute: other groups may turn out to have the same.
    pub odd: bool,
}

impl Groups {
    /// The groups by these columns, in the form that `normal` gives to those that hold text.
    ///
    /// # Errors
    /// There is no such column, or its values cannot be told equal.
    pub async fn of(looked: &mut Looked, columns: &[String], normal: Normal) -> Result<Self, StoreFailure> {
        let mut forms = vec![];
        for name in columns {
            forms.push(looked.form(name, normal).await?);
        }
        Ok(Self { forms, normal, dialect: looked.dialect() })
    }

    fn conditions(&self) -> Vec<String> {
        self.forms.iter().map(|form| format!("{} IS NOT NULL", form.raw)).collect()
    }

    /// True for rows of which any column is odd.
    fn odd(&self) -> Option<String> {
        let odd: Vec<String> = self.forms.iter().filter_map(|form| Some(format!("({})", form.odd.as_ref()?))).collect();
        (!odd.is_empty()).then(|| odd.join(" OR "))
    }

    fn names(&self) -> String {
        (0..self.forms.len()).map(|at| format!("k{at}")).collect::<Vec<_>>().join(", ")
    }

    /// `SELECT` these of a table of the rows' forms or keys, named `k0`, `k1`, …
    fn grouped(&self, looked: &Looked, named: &[String]) -> String {
        // SQLite would put the form's text in place of its name, and compute it twice.
        let once = if self.dialect == Dialect::Sqlite { " LIMIT -1" } else { "" };
        format!(
            "FROM (SELECT {}{}{once}) steward_r GROUP BY {}",
            named.join(", "),
            looked.from_where(&self.conditions()),
            self.names()
        )
    }

    /// Says, typed in by hand: rows beyond the first of their group, rows with a value in every column, and, where there can
    /// be odd ones, how many. These are in the second number and not in the first.
    pub fn query(&self, looked: &Looked) -> String {
        let odd = self.odd();
        let forms = self.forms.iter().enumerate().map(|(at, form)| match &odd {
            Some(odd) => format!("CASE WHEN {odd} THEN NULL ELSE {} END AS k{at}", form.form),
            None => format!("{} AS k{at}", form.form),
        });
        let groups = self.grouped(looked, &forms.collect::<Vec<_>>());
        let whole = |sum: &str| match self.dialect {
            Dialect::Sqlite => format!("COALESCE({sum}, 0)"),
            _ => format!("CAST(COALESCE({sum}, 0) AS {})", if self.dialect.is_mysql() { "SIGNED" } else { "bigint" }),
        };
        let counts = ["SUM(CASE WHEN k0 IS NOT NULL THEN c - 1 END)", "SUM(c)", "SUM(CASE WHEN k0 IS NULL THEN c END)"];
        let counts: Vec<String> = counts.iter().map(|sum| whole(sum)).collect();
        format!("SELECT {} FROM (SELECT {}, COUNT(*) AS c {groups}) steward_g", counts.join(", "), self.names())
    }

    /// True where two sessions tell as much as one, each of them less: a SQLite file is read by one thread for each.
    pub fn can_be_halved(&self) -> bool {
        self.forms.iter().all(|form| form.stays_odd(self.dialect, self.normal))
    }

    /// As [`Self::each`], with a second session that sees the same: one forms the groups, the other finds the odd rows.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub async fn each_halved(
        &self,
        looked: &mut Looked,
        other: &mut Looked,
        see: impl FnMut(Group) + Send,
    ) -> Result<u64, StoreFailure> {
        // What is grouped is sorted beside the reading of it.
        looked.session().raw("PRAGMA threads = 1").await?;
        let (groups, odd) = self.halves(looked);
        let (see, mut of) = (Mutex::new(see), 0);
        let tell = |group: Group| see.lock().unwrap_or_else(PoisonError::into_inner)(group);
        let (groups, odd) = tokio::join!(
            looked.each(&groups, |row| self.hear(&row, &mut 0, tell)),
            other.each(&odd, |row| self.hear(&row, &mut of, tell))
        );
        groups.and(odd)?;
        Ok(of)
    }

    /// The groups of several rows that are not odd; the odd rows one by one, and the number of all.
    fn halves(&self, looked: &Looked) -> (String, String) {
        let list = |texts: Vec<String>| texts.join(", ");
        let shown = |of: fn(&Form) -> &String| self.forms.iter().map(|form| self.shown(form, of(form))).collect::<Vec<_>>();
        let odd = self.odd().unwrap_or_else(|| "0".to_owned());
        let groups = format!(
            "SELECT {}, COUNT(*), 0{} GROUP BY {} HAVING COUNT(*) > 1 AND NOT ({odd})",
            list(shown(|form| &form.form)),
            looked.from_where(&self.conditions()),
            list(self.forms.iter().map(|form| form.form.clone()).collect()),
        );
        let odd = format!(
            "SELECT {}, 1, 1{} UNION ALL SELECT {}, COUNT(*), {TOTAL}{}",
            list(shown(|form| &form.raw)),
            looked.from_where(&[self.conditions(), vec![odd]].concat()),
            list(vec!["NULL".to_owned(); self.forms.len()]),
            looked.from_where(&self.conditions())
        );
        (groups, odd)
    }

    /// Tells what a row of [`Self::each_sql`] says.
    fn hear(&self, row: &[Cell], of: &mut u64, mut see: impl FnMut(Group)) {
        let width = self.forms.len();
        match row.get(width..) {
            Some([rows, kind]) if kind.as_count() == TOTAL => *of = rows.as_count(),
            Some([rows, kind]) => {
                let form = row.iter().take(width).map(Cell::shown).collect();
                see(Group { form, rows: rows.as_count(), odd: kind.as_count() == 1 });
            }
            _ => {}
        }
    }

    /// Shows every group of several rows and every group of odd rows; gives the number of rows with a value in every column.
    ///
    /// One statement, so that the part is never larger than the whole, and in which nothing is computed that the grouping does
    /// not need. The groups arrive one by one.
    ///
    /// # Errors
    /// The store's own. What was shown before it means nothing.
    pub async fn each(&self, looked: &mut Looked, mut see: impl FnMut(Group)) -> Result<u64, StoreFailure> {
        let sorted = self.sorted_bytes().filter(|bytes| *bytes <= MOST_SORTED);
        if sorted.is_some() {
            // A sort that compared less of the values would take groups apart.
            looked.session().raw(&format!("SET SESSION max_sort_length = {MOST_SORTED}")).await?;
        }
        let sql = self.each_sql(looked, sorted.is_some());
        let mut of = 0;
        looked.each(&sql, |row| self.hear(&row, &mut of, &mut see)).await?;
        Ok(of)
    }

    fn each_sql(&self, looked: &Looked, by_sorting: bool) -> String {
        let name = |at: usize| format!("k{at}");
        let keys: Vec<String> = self.forms.iter().enumerate().map(|(at, form)| format!("{} AS {}", form.key, name(at))).collect();
        let shown: Vec<String> = self.forms.iter().enumerate().map(|(at, form)| self.shown(form, &name(at))).collect();
        let odd = self.forms.iter().enumerate().filter_map(|(at, form)| form.odd_key(self.dialect, self.normal, &name(at)));
        let odd: Vec<String> = odd.map(|odd| format!("({odd})")).collect();
        let (kind, or_odd) = match odd.join(" OR ") {
            none if none.is_empty() => ("0".to_owned(), String::new()),
            odd => (format!("CASE WHEN {odd} THEN 1 ELSE 0 END"), format!(" OR {odd}")),
        };
        // MySQL and MariaDB would keep the groups in a table with an index and, beyond a few megabytes, on disk: many times slower.
        let hint = if by_sorting { "SQL_BIG_RESULT " } else { "" };
        format!(
            "SELECT {hint}{}, COUNT(*), {kind} {} HAVING COUNT(*) > 1{or_odd} UNION ALL SELECT {}, COUNT(*), {TOTAL}{}",
            shown.join(", "),
            self.grouped(looked, &keys),
            vec!["NULL"; self.forms.len()].join(", "),
            looked.from_where(&self.conditions())
        )
    }

    /// MySQL and MariaDB: bytes that a value can have, where their declaration says so.
    fn sorted_bytes(&self) -> Option<u32> {
        let bytes = |form: &Form| match form.column.class {
            Class::Text | Class::Bytes => {
                let (_, length) = form.column.declared.split_once('(')?;
                length.split_once(')')?.0.parse::<u32>().ok()?.checked_mul(4)
            }
            Class::Other => None,
            _ => Some(64),
        };
        let all: Option<Vec<u32>> = self.forms.iter().map(bytes).collect();
        if self.dialect.is_mysql() { all?.into_iter().max() } else { None }
    }

    /// A form as text for people.
    fn shown(&self, form: &Form, name: &str) -> String {
        match (self.dialect, form.column.class) {
            (Dialect::Sqlite, _) => format!("CAST({name} AS TEXT)"),
            (Dialect::Postgres, _) => format!("({name}::text COLLATE \"C\")"),
            (_, Class::Text) => name.to_owned(),
            (_, Class::Bytes) => format!("HEX({name})"),
            (_, Class::Bit | Class::Choice) => format!("CAST({name} + 0 AS CHAR)"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    /// Whether odd rows can be compared at all.
    ///
    /// # Errors
    /// A column beside the text holds fractions, which have more than one spelling.
    pub fn must_compare_odd(&self, looked: &Looked) -> Result<(), StoreFailure> {
        let fraction = |form: &&Form| !form.is_text && matches!(form.column.class, Class::Decimal | Class::Float);
        let Some(form) = self.forms.iter().find(fraction) else { return Ok(()) };
        let text = format!(
            "rows of `{}` hold letters outside ASCII beside `{}`, whose fractions have more than one spelling",
            looked.table().label(),
            form.column.name
        );
        Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "check the columns one by one"))
    }

    /// The form of odd rows; and whether rows that are not odd can have it.
    pub fn form_of(&self, texts: &[String]) -> (Vec<String>, bool) {
        let own = |(form, text): (&Form, &String)| if form.is_text { self.normal.of(text) } else { text.clone() };
        let forms: Vec<String> = self.forms.iter().zip(texts).map(own).collect();
        let spelt = |text: &str| matches!(self.normal, Normal::Email { .. }) && text.contains("xn--");
        let plain = self.forms.iter().zip(&forms).all(|(form, text)| !form.is_text || (text.is_ascii() && !spelt(text)));
        (forms, plain)
    }

    /// Which of these forms, all different, rows that are not odd have as well. The table is read once for many of them.
    ///
    /// # Errors
    /// The store's own.
    pub async fn among_the_plain(&self, looked: &mut Looked, forms: Vec<Vec<String>>) -> Result<Vec<Vec<String>>, StoreFailure> {
        let mut found = vec![];
        for portion in portions(forms) {
            found.extend(self.found(looked, portion).await?);
        }
        Ok(found)
    }

    async fn found(&self, looked: &mut Looked, forms: Vec<Vec<String>>) -> Result<Vec<Vec<String>>, StoreFailure> {
        let Some(odd) = self.odd() else { return Ok(vec![]) };
        let own: Vec<&str> = self.forms.iter().map(|form| form.form.as_str()).collect();
        let named: Vec<String> = own.iter().enumerate().map(|(at, form)| format!("{form} AS k{at}")).collect();
        let shown: Vec<String> = self.forms.iter().enumerate().map(|(at, form)| self.shown(form, &format!("k{at}"))).collect();
        let given = format!("({}) IN ({})", own.join(", "), self.given());
        let conditions = [self.conditions(), vec![given, format!("NOT ({odd})")]].concat();
        let sql = format!(
            "SELECT {} FROM (SELECT DISTINCT {}{}) steward_g",
            shown.join(", "),
            named.join(", "),
            looked.from_where(&conditions)
        );
        let cells: Vec<Vec<Cell>> = forms.into_iter().map(|form| form.into_iter().map(Cell::Text).collect()).collect();
        let found = looked.rows(&sql, &[Cell::Text(value::as_json(&cells))]).await?;
        Ok(found.iter().map(|row| row.iter().map(Cell::shown).collect()).collect())
    }

    /// A table of the forms that were bound as one JSON text.
    fn given(&self) -> String {
        let value = |at: usize, form: &Form| {
            let text = match self.dialect {
                Dialect::Sqlite => format!("json_extract(r.value, '$[{at}]')"),
                Dialect::Postgres => format!("(r.v->>{at})"),
                _ => format!("r.v{at}"),
            };
            match (self.dialect.is_mysql(), form.is_text) {
                (true, true) => format!("CAST({text} AS BINARY)"),
                (false, true) => text,
                (_, false) => self.dialect.incoming(&text, &form.column),
            }
        };
        let values: Vec<String> = self.forms.iter().enumerate().map(|(at, form)| value(at, form)).collect();
        let from = match self.dialect {
            Dialect::Sqlite => "json_each(?) r".to_owned(),
            Dialect::Postgres => "json_array_elements($1::text::json) r(v)".to_owned(),
            _ => {
                let columns: Vec<String> =
                    (0..self.forms.len()).map(|at| format!("v{at} LONGTEXT CHARACTER SET utf8mb4 PATH '$[{at}]'")).collect();
                format!("JSON_TABLE(?, '$[*]' COLUMNS ({})) r", columns.join(", "))
            }
        };
        format!("SELECT {} FROM {from}", values.join(", "))
    }
}

/// Forms in portions that a server takes.
fn portions(forms: Vec<Vec<String>>) -> Vec<Vec<Vec<String>>> {
    let (mut portions, mut bytes): (Vec<Vec<_>>, _) = (vec![], usize::MAX);
    for form in forms {
        let own: usize = form.iter().map(|text| text.len() + 8).sum();
        bytes = bytes.saturating_add(own);
        if bytes > LOOKED_UP {
            portions.push(vec![]);
            bytes = own;
        }
        if let Some(portion) = portions.last_mut() {
            portion.push(form);
        }
    }
    portions
}
