//! SQL by its letters, as each engine reads them.

use super::{Kind, Language, effects};

/// A text on its way, and what was open when it was left.
struct Letters<'a> {
    text: &'a [char],
    at: usize,
    language: Language,
    kind: Kind,
    open: Vec<char>,
}

/// Finds a comment, a placeholder, a variable, a second statement, a call that acts, an open quote or bracket.
pub(super) fn read(text: &str, language: Language, kind: Kind) -> Result<(), String> {
    let text: Vec<char> = text.chars().collect();
    let mut letters = Letters { text: &text, at: 0, language, kind, open: vec![] };
    while letters.at < letters.text.len() {
        letters.step()?;
    }
    match letters.open.last() {
        None => Ok(()),
        Some(_) => Err("opens a bracket and does not close it".to_owned()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || !c.is_ascii()
}

impl Letters<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\n')
    }

    fn is(&self, begin: &str) -> bool {
        begin.chars().enumerate().all(|(ahead, c)| self.text.get(self.at + ahead) == Some(&c))
    }

    fn step(&mut self) -> Result<(), String> {
        use Language::{Mysql, Sqlite};
        let c = self.peek(0);
        match (c, self.language) {
            ('\0', _) => return Err("holds a NUL".to_owned()),
            (';', _) => return Err("holds more than one statement (`;`)".to_owned()),
            ('\'', _) => self.quoted('\'').map(drop)?,
            ('"', Mysql) => self.quoted('"').map(drop)?,
            ('"', _) => self.name('"')?,
            ('`', Mysql | Sqlite) => self.name('`')?,
            ('[', Sqlite) => self.name(']')?,
            ('-', _) if self.is("--") => self.comment_to_line_end("--")?,
            ('/', _) if self.is("/*") => self.comment()?,
            ('#', Mysql) => self.comment_to_line_end("#")?,
            ('#', Sqlite) if is_word(self.peek(1)) => return Err(placeholder("#")),
            ('?', Mysql | Sqlite) => return Err(placeholder("?")),
            ('$', _) => self.dollar()?,
            (':', _) => self.colon()?,
            ('@', Sqlite) if is_word(self.peek(1)) => return Err(placeholder("@")),
            ('@', Mysql) => return Err("holds a variable of the session (`@`)".to_owned()),
            ('(' | '[', _) => self.bracket(c),
            (')' | ']', _) => self.close(c)?,
            (c, _) if is_word(c) => self.word()?,
            _ => self.at += 1,
        }
        Ok(())
    }

    fn bracket(&mut self, c: char) {
        self.open.push(c);
        self.at += 1;
    }

    fn close(&mut self, c: char) -> Result<(), String> {
        let opener = if c == ')' { '(' } else { '[' };
        if self.open.pop() != Some(opener) {
            return Err("closes a bracket that it did not open".to_owned());
        }
        self.at += 1;
        Ok(())
    }

    /// Goes on behind the closing quote, and gives what stood between. Two of them are one of the text.
    fn quoted(&mut self, close: char) -> Result<String, String> {
        let mut inside = String::new();
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                None => return Err("opens a quote and does not close it".to_owned()),
                Some('\0') => return Err("holds a NUL".to_owned()),
                Some(c) if *c == close => {
                    // Read as an escape by some engines, and under some settings, and as an end by others.
                    if close != '`' && close != ']' && inside.ends_with('\\') {
                        return Err("has a backslash before a quote, which stores read differently (write two quotes)".to_owned());
                    }
                    self.at += 1;
                    if self.text.get(self.at) != Some(&close) || close == ']' {
                        return Ok(inside);
                    }
                    inside.push(close);
                    self.at += 1;
                }
                Some(c) => {
                    inside.push(*c);
                    self.at += 1;
                }
            }
        }
    }

    /// A quoted name; before a bracket it is a function's.
    fn name(&mut self, close: char) -> Result<(), String> {
        let name = self.quoted(close)?;
        self.called(&name)
    }

    fn word(&mut self) -> Result<(), String> {
        let from = self.at;
        while self.text.get(self.at).is_some_and(|c| is_word(*c) || *c == '$') {
            self.at += 1;
        }
        let word: String = self.text[from..self.at].iter().collect();
        if self.language == Language::Mysql && word.eq_ignore_ascii_case("next") && self.next_word().eq_ignore_ascii_case("value")
        {
            return Err("moves a sequence (`NEXT VALUE FOR`)".to_owned());
        }
        if self.kind == Kind::Condition && word.eq_ignore_ascii_case("into") {
            return Err("holds the word `INTO`, which can write a file or a table".to_owned());
        }
        self.called(&word)
    }

    fn next_word(&self) -> String {
        self.text[self.at..].iter().skip_while(|c| c.is_whitespace()).take_while(|c| is_word(**c)).collect()
    }

    /// What a name means that is followed by a bracket.
    fn called(&self, name: &str) -> Result<(), String> {
        if self.text[self.at..].iter().find(|c| !c.is_whitespace()) != Some(&'(') {
            return Ok(());
        }
        match effects::of(name, self.language, self.kind) {
            Some(why) => Err(format!("calls `{}`, {why}", name.to_lowercase())),
            None => Ok(()),
        }
    }

    fn comment_to_line_end(&mut self, begin: &str) -> Result<(), String> {
        if self.kind != Kind::Query {
            return Err(format!("holds a comment (`{begin}`), and what stands behind it would not count"));
        }
        // Two minus signs in a row are a comment on MySQL only before a space.
        if begin == "--" && self.language == Language::Mysql && !self.peek(2).is_whitespace() {
            self.at += 2;
            return Ok(());
        }
        while self.text.get(self.at).is_some_and(|c| *c != '\n') {
            self.at += 1;
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        if self.kind != Kind::Query {
            return Err("holds a comment (`/*`), and what stands in it would not count".to_owned());
        }
        if self.is("/*!") || self.is("/*M!") {
            return Err("holds a comment that some servers carry out (`/*!`)".to_owned());
        }
        self.at += 2;
        let mut depth = 1;
        while depth > 0 {
            if self.at >= self.text.len() {
                return Err("opens a comment and does not close it".to_owned());
            }
            let (opens, closes) = (self.is("/*") && self.language == Language::Postgres, self.is("*/"));
            depth = depth + i32::from(opens) - i32::from(closes);
            self.at += if opens || closes { 2 } else { 1 };
        }
        Ok(())
    }

    /// `$1`, `$x`, `$tag$ … $tag$`. On MySQL a name may begin so.
    fn dollar(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at + 1..];
        let tag = rest.iter().take_while(|c| is_word(**c)).count();
        match (self.language, rest.get(tag)) {
            (Language::Mysql, _) => {
                self.at += 1;
                Ok(())
            }
            (Language::Postgres, Some('$')) => Err("holds a dollar-quoted text (write it in single quotes)".to_owned()),
            _ if tag > 0 => Err(placeholder("$")),
            _ => Err("holds a `$` that begins nothing".to_owned()),
        }
    }

    /// `:x`. PostgreSQL casts with `::`, names arguments with `:=` and cuts arrays with `[1:2]`.
    fn colon(&mut self) -> Result<(), String> {
        let (next, in_array) = (self.peek(1), self.open.last() == Some(&'['));
        match (self.language, next) {
            (Language::Postgres, ':' | '=') => self.at += 2,
            (Language::Postgres, _) if in_array => self.at += 1,
            (Language::Mysql, '=') => return Err("assigns a variable of the session (`:=`)".to_owned()),
            _ if is_word(next) => return Err(placeholder(":")),
            _ => self.at += 1,
        }
        Ok(())
    }
}

fn placeholder(sign: &str) -> String {
    format!("holds a placeholder (`{sign}`), and nothing would be put in its place")
}

#[cfg(test)]
mod tests {
    use super::super::Language::{Mysql, Postgres, Sqlite, Unknown};

    #[test]
    fn one_condition_passes_on_every_engine() {
        for condition in [
            "amount > 0",
            "name = 'it''s; -- # ? :x @y $1 /* */'",
            "\"a;b\" = 'x' AND (x OR y)",
            "note LIKE '%\\_%'",
            "a - -1 > 0 AND b / 2 > 1",
            "a$b = 1",
            "é = 'ü'",
        ] {
            for language in [Sqlite, Postgres, Mysql, Unknown] {
                assert_eq!(language.condition(condition), Ok(()), "{language:?}: {condition}");
            }
        }
    }

    #[test]
    fn what_would_escape_is_refused_on_every_engine() {
        for condition in [
            "",
            " ",
            "1=1; DROP TABLE x",
            "1=1 -- x",
            "1=1 /* x",
            "a /*! OR 1=1 */",
            "a) OR (b",
            "(a",
            "(a]",
            "'open",
            "a = 'x\\' OR 1=1 --'",
            "a = 'x\0'",
            "a = 1\0 AND b",
            "b = (SELECT 1 INTO OUTFILE '/tmp/x')",
        ] {
            for language in [Sqlite, Postgres, Mysql] {
                assert!(language.condition(condition).is_err(), "{language:?}: {condition}");
            }
        }
    }

    #[test]
    fn each_engine_has_comments_placeholders_and_quotes_of_its_own() {
        let cases: &[(&str, &[super::Language])] = &[
            ("status = 'closed' # AND region = 'EU'", &[Mysql]),
            ("data ? 'key' OR data ?| array['a']", &[Mysql, Sqlite]),
            ("data @> '{\"a\": 1}' AND data #>> '{a}' = 'x'", &[Mysql]),
            ("note @@ to_tsquery('x')", &[Mysql]),
            ("id = ?1", &[Mysql, Sqlite]),
            ("id = :x", &[Mysql, Sqlite, Postgres]),
            ("id = @x", &[Mysql, Sqlite]),
            ("id = @@version", &[Mysql, Sqlite]),
            ("(@x := id) > 0", &[Mysql, Sqlite]),
            ("id = $1", &[Sqlite, Postgres]),
            ("id = $x", &[Sqlite, Postgres]),
            ("id = #x", &[Mysql, Sqlite]),
            ("name = $$x$$", &[Sqlite, Postgres]),
            ("name = $tag$x$tag$", &[Sqlite, Postgres]),
            ("id::text = 'x'", &[Mysql, Sqlite]),
            ("tags[1:2] = '{a,b}' AND tags[lo:hi] IS NULL", &[Mysql]),
            ("make_interval(days := 3) > x", &[Mysql]),
            ("`a;b` = 1", &[Postgres]),
            ("[a;b] = 1", &[Postgres, Mysql]),
            ("sleep(1) = 0", &[Mysql]),
            ("`get_lock` ('x', 1) = 1", &[Mysql]),
            ("pg_catalog.setval('s', 1) > 0", &[Postgres, Mysql]),
            ("pg_try_advisory_xact_lock (1)", &[Postgres]),
            ("NEXT  VALUE FOR s > 1", &[Mysql]),
            ("random() > 0", &[Postgres, Sqlite]),
            ("rand() > 0.5", &[Mysql]),
        ];
        for (condition, refused_by) in cases {
            for language in [Sqlite, Postgres, Mysql] {
                let answer = language.condition(condition);
                assert_eq!(answer.is_err(), refused_by.contains(&language), "{language:?}: {condition}: {answer:?}");
            }
            assert!(Unknown.condition(condition).is_ok() || refused_by.len() == 3, "{condition}");
        }
    }

    #[test]
    fn a_query_may_hold_comments_and_nothing_behind_its_end() {
        for query in ["SELECT 1 -- one; two\n", "SELECT /* ; */ 1;\n", "SELECT ';'"] {
            assert_eq!(Mysql.query(query), Ok(()), "{query}");
            assert_eq!(Postgres.query(query), Ok(()), "{query}");
        }
        assert_eq!(Mysql.query("SELECT 5--1 # five; and one"), Ok(()));
        assert_eq!(Postgres.query("SELECT /* /* ; */ ; */ random() FROM t"), Ok(()));
        for query in ["SELECT 1; DELETE FROM t", "SELECT 1 /* open", "SELECT /*! 1 */", "SELECT ?", "SELECT get_lock('x', 1)"] {
            assert!(Mysql.query(query).is_err(), "{query}");
        }
    }
}
