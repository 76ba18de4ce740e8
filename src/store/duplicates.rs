//! Rows that share what should be one row's alone: groups that the store forms itself, and the odd rows it cannot.

use super::cell::{self, Cell};
use super::dialect::Dialect;
use super::failure::StoreFailure;
use super::looked::Looked;
use super::normalized::Form;
use super::scan::Scan;
use super::table::Class;
use crate::diagnostic::catalogue as codes;
use crate::policy::quality::normal::Normal;

/// Samples that one reading of the groups can give.
const SAMPLES: u32 = 10;

/// Columns whose values together should be one row's alone.
#[derive(Debug, Clone)]
pub struct Groups {
    forms: Vec<Form>,
    normal: Normal,
    dialect: Dialect,
}

/// What one reading of the whole table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped {
    /// Rows beyond the first of each group, among those whose form the store can compute.
    pub surplus: u64,
    /// Rows that have a value in every column.
    pub of: u64,
    /// Rows among them whose form the store cannot compute.
    pub odd: u64,
    /// Forms of a few groups of several rows, a text per column.
    pub samples: Vec<Vec<String>>,
    /// Says `surplus`, `of` and `odd` again.
    pub query: String,
}

impl Groups {
    /// The groups by these columns, in the form that `normal` gives to those that hold text.
    ///
    /// # Errors
    /// There is no such column, or its values cannot be told equal.
    pub fn of(looked: &Looked, columns: &[String], normal: Normal) -> Result<Self, StoreFailure> {
        let forms = columns.iter().map(|name| looked.form(name, normal)).collect::<Result<_, _>>()?;
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

    /// Each group with its rows; all odd rows are one group whose form is NULL.
    fn groups_sql(&self, looked: &Looked) -> String {
        let odd = self.odd();
        let forms = self.forms.iter().enumerate().map(|(at, form)| match &odd {
            Some(odd) => format!("CASE WHEN {odd} THEN NULL ELSE {} END AS k{at}", form.form),
            None => format!("{} AS k{at}", form.form),
        });
        let forms: Vec<String> = forms.collect();
        let names = self.names();
        // SQLite would put the form's text in place of its name, and compute it twice.
        let once = if self.dialect == Dialect::Sqlite { " LIMIT -1" } else { "" };
        format!(
            "SELECT {names}, COUNT(*) AS c FROM (SELECT {}{}{once}) steward_r GROUP BY {names}",
            forms.join(", "),
            looked.from_where(&self.conditions())
        )
    }

    /// Counts what the store can group itself, in one reading of the table; a few of the groups come along.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&self, looked: &mut Looked, samples: u32) -> Result<Grouped, StoreFailure> {
        let groups = self.groups_sql(looked);
        let whole = |sum: &str| match self.dialect {
            Dialect::Sqlite => format!("COALESCE({sum}, 0)"),
            _ => format!("CAST(COALESCE({sum}, 0) AS {})", if self.dialect.is_mysql() { "SIGNED" } else { "bigint" }),
        };
        let counts = ["SUM(CASE WHEN k0 IS NOT NULL THEN c - 1 END)", "SUM(c)", "SUM(CASE WHEN k0 IS NULL THEN c END)"];
        let counts: Vec<String> = counts.iter().map(|sum| whole(sum)).collect();
        let query = format!("SELECT {} FROM ({groups}) steward_g", counts.join(", "));
        let alone = self.forms.len() == 1;
        let along: Vec<String> = if alone { self.samples_along(samples.min(SAMPLES)) } else { vec![] };
        let wanted: Vec<String> = counts.into_iter().chain(along).collect();
        let sql = format!("SELECT {} FROM ({groups}) steward_g", wanted.join(", "));
        let row = looked.rows(&sql, &[]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        let mut grouped = Grouped { surplus: count(0), of: count(1), odd: count(2), samples: vec![], query };
        let known = row.iter().skip(3).filter(|cell| **cell != Cell::Null);
        grouped.samples = known.map(|cell| vec![cell.shown()]).collect();
        if !alone && grouped.surplus > 0 && samples > 0 {
            let shown: Vec<String> =
                self.forms.iter().enumerate().map(|(at, form)| self.shown(form, &format!("k{at}"))).collect();
            let sql =
                format!("SELECT {} FROM ({groups}) steward_g WHERE c > 1 AND k0 IS NOT NULL LIMIT {samples}", shown.join(", "));
            grouped.samples = looked.rows(&sql, &[]).await?.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        }
        Ok(grouped)
    }

    /// The smallest form of several rows, of each length modulo `samples`: a second grouping would double the time.
    fn samples_along(&self, samples: u32) -> Vec<String> {
        let Some(form) = self.forms.first() else { return vec![] };
        let shown = self.shown(form, "k0");
        let length = if self.dialect.is_mysql() { "LENGTH" } else { "length" };
        (0..samples).map(|at| format!("MIN(CASE WHEN c > 1 AND {length}({shown}) % {samples} = {at} THEN {shown} END)")).collect()
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

    /// A walk over the odd rows; none where there can be none. Each row gives a text per column.
    ///
    /// # Errors
    /// The table has no usable key; a column beside the text holds fractions, which have more than one spelling.
    pub async fn odd_rows(&self, looked: &mut Looked) -> Result<Option<Scan>, StoreFailure> {
        let Some(odd) = self.odd() else { return Ok(None) };
        if let Some(form) =
            self.forms.iter().find(|form| !form.is_text && matches!(form.column.class, Class::Decimal | Class::Float))
        {
            let text = format!(
                "rows of `{}` hold letters outside ASCII beside `{}`, whose fractions have more than one spelling",
                looked.table().label(),
                form.column.name
            );
            return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "check the columns one by one"));
        }
        let conditions = [self.conditions(), vec![odd]].concat();
        let wanted: Vec<String> = self.forms.iter().map(|form| form.out.clone()).collect();
        Ok(Some(looked.scan(&conditions, &wanted).await?))
    }

    /// The form of an odd row; and whether a row that is not odd can have it.
    pub fn form_of(&self, cells: &[Cell]) -> (Vec<String>, bool) {
        let forms: Vec<String> = self
            .forms
            .iter()
            .zip(cells)
            .map(|(form, cell)| if form.is_text { self.normal.of(&cell.shown()) } else { cell.shown() })
            .collect();
        let plain = self.forms.iter().zip(&forms).all(|(form, text)| !form.is_text || text.is_ascii());
        (forms, plain)
    }

    /// Which of these forms, all different, rows that are not odd have as well.
    ///
    /// # Errors
    /// The store's own.
    pub async fn among_the_plain(&self, looked: &mut Looked, forms: &[Vec<String>]) -> Result<Vec<Vec<String>>, StoreFailure> {
        let (Some(odd), [_, ..]) = (self.odd(), forms) else { return Ok(vec![]) };
        let own: Vec<&str> = self.forms.iter().map(|form| form.form.as_str()).collect();
        let named: Vec<String> = own.iter().enumerate().map(|(at, form)| format!("{form} AS k{at}")).collect();
        let shown: Vec<String> = self.forms.iter().enumerate().map(|(at, form)| self.shown(form, &format!("k{at}"))).collect();
        let wanted = self.given();
        let conditions =
            [self.conditions(), vec![format!("NOT ({odd})"), format!("({}) IN ({wanted})", own.join(", "))]].concat();
        let sql = format!(
            "SELECT {} FROM (SELECT DISTINCT {}{}) steward_g",
            shown.join(", "),
            named.join(", "),
            looked.from_where(&conditions)
        );
        let cells: Vec<Vec<Cell>> = forms.iter().map(|form| form.iter().map(|text| Cell::Text(text.clone())).collect()).collect();
        let found = looked.rows(&sql, &[Cell::Text(cell::as_json(&cells))]).await?;
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
