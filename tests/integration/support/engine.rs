//! The engines that steward keeps data on, and where the test's servers are.

use super::address::configured;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
    Mysql,
    Mariadb,
}

impl Engine {
    pub const fn all() -> [Self; 4] {
        [Self::Sqlite, Self::Postgres, Self::Mysql, Self::Mariadb]
    }

    /// As files and messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }

    /// The engine of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|engine| engine.name() == name)
    }

    /// MySQL and MariaDB: the same driver, mostly the same words.
    pub const fn is_mysql(self) -> bool {
        matches!(self, Self::Mysql | Self::Mariadb)
    }

    /// Where the test's server is, as its administrator; none for SQLite. A server that is not there fails the test:
    /// a skipped test proves nothing.
    pub fn server(self) -> Option<String> {
        let variable = match self {
            Self::Sqlite => return None,
            Self::Postgres => "STEWARD_TEST_POSTGRES_URL",
            Self::Mysql => "STEWARD_TEST_MYSQL_URL",
            Self::Mariadb => "STEWARD_TEST_MARIADB_URL",
        };
        Some(configured(variable))
    }

    /// A name as this engine quotes it.
    pub fn quote(self, name: &str) -> String {
        if self.is_mysql() { format!("`{}`", name.replace('`', "``")) } else { format!("\"{}\"", name.replace('"', "\"\"")) }
    }

    /// The words in `{{…}}` that scripts for several engines may use.
    pub fn word(self, word: &str) -> Option<&'static str> {
        let [sqlite, postgres, mysql] = match word {
            "datetime" => ["text", "timestamp(0)", "datetime"],
            "datetime6" => ["text", "timestamp", "datetime(6)"],
            "instant" => ["text", "timestamptz(0)", "timestamp"],
            "blob" => ["blob", "bytea", "longblob"],
            "text" => ["text", "text", "longtext"],
            "table" => ["", "", "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4"],
            _ => return None,
        };
        Some(match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::Mysql | Self::Mariadb => mysql,
        })
    }
}
