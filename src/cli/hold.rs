//! `steward hold`: legal holds that a person puts down, lists and releases. They live in the ledger, with who and why.

use super::app::{self, App, ledger, ledger_if_any, no_ledger};
use super::table::listing;
use super::{Ended, Globals, current_user::current_user, exit::Exit, out, stderr};
use crate::config::settings::Config;
use crate::diagnostic::suggest;
use crate::job::outcome::Outcome;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::hold::{LedgerHold, NewHold, Origin, Release};
use crate::policy::condition::Language;
use crate::policy::dataset::DatasetName;
use crate::policy::hold::{Hold, HoldOrigin};
use crate::runner::holds::file_holds;
use crate::store::error::StoreFailure;
use crate::store::redis::holds::KeyHolds;
use crate::store::registry::{AnyStore, Stores};
use crate::store::sql::query::condition;
use crate::store::sql::schema::catalog;
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;

/// Keep rows that nothing may remove or alter: put down, list and release legal holds
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct HoldCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Add(AddHold),
    List(ListHolds),
    Release(ReleaseHold),
}

/// Put down a hold; in force from the next batch of any job on
#[derive(Debug, Args)]
struct AddHold {
    /// Its name, such as case-114
    name: String,
    /// The rows' dataset: store.table or store.schema.table; its archives are covered too
    #[arg(long, value_name = "DATASET")]
    dataset: String,
    /// Which rows, in the store's own language; all of them when left out
    #[arg(long, value_name = "CONDITION")]
    r#where: Option<String>,
    /// Why
    #[arg(long, value_name = "REASON")]
    because: String,
    /// Who asked for it
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List the holds in force: of files, of the ledger, and those that vanished from their file
#[derive(Debug, Args)]
struct ListHolds {
    /// Those that were released, too
    #[arg(long)]
    released: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// End every hold of that name that the ledger keeps
#[derive(Debug, Args)]
struct ReleaseHold {
    /// Its name
    name: String,
    /// Why it may end
    #[arg(long, value_name = "REASON")]
    why: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl HoldCommand {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        match self.what {
            What::Add(add) => add.run(&globals.config).await,
            What::List(list) => list.run(&globals.config).await,
            What::Release(release) => release.run(&globals.config).await,
        }
    }
}

#[derive(Serialize)]
struct Added<'a> {
    hold: &'a str,
    dataset: String,
    r#where: Option<&'a str>,
    by: &'a str,
    /// Whether the live table was asked; else the first run will.
    checked: bool,
    ledger_head: String,
}

impl AddHold {
    async fn run(self, path: &Path) -> Ended {
        let name = said("the name", &self.name)?;
        let because = said("`--because`", &self.because)?;
        let condition = self.r#where.as_deref().map(|text| said("`--where`", text)).transpose()?;
        let owner = self.owner.as_deref().map(|text| said("`--owner`", text)).transpose()?;
        let config = App::config(path)?;
        let dataset = dataset(&self.dataset, &config)?;
        if let Some(place) = place_in_files(path, name) {
            return Err(Exit::usage(&format!("the hold `{name}` stands in a file already ({place}); nothing was added"))
                .with_help("choose another name: what releases one of them would release both"));
        }
        self.read_condition(&config, &dataset, condition)?;
        let checked = self.check(&config, &dataset, condition).await?;
        let by = current_user();
        let hold = NewHold {
            name: name.to_owned(),
            dataset: dataset.to_string(),
            condition: condition.map(str::to_owned),
            because: because.to_owned(),
            owner: owner.map(str::to_owned),
            by: by.clone(),
        };
        let ledger = ledger(&config).await?;
        let head = ledger.add_hold(&hold, now()).await.map_err(|error| refused(&error))?;
        ledger.close().await;
        if self.json {
            out::json(&Added {
                hold: name,
                dataset: hold.dataset,
                r#where: condition,
                by: &by,
                checked,
                ledger_head: head.hash,
            })?;
        } else {
            let rows = condition.map_or_else(|| "all rows".to_owned(), |condition| format!("rows with {condition}"));
            out::say(&format!(
                "hold `{name}` is in force: {rows} of `{}` and of its archives stay, from the next batch on\nby {by}; ledger head {}\n",
                hold.dataset, head.hash
            ))?;
        }
        Ok(Exit::quiet())
    }

    /// Refuses a condition of which not all would count, whether its store answers or not.
    fn read_condition(&self, config: &Config, dataset: &DatasetName, condition: Option<&str>) -> Result<(), Exit> {
        let store = config.store(&dataset.store);
        let language = store.map_or(Language::Unknown, |store| store.language(&|name| std::env::var(name).ok()));
        let Some(Err(fault)) = condition.map(|text| language.condition(text)) else { return Ok(()) };
        let code = crate::diagnostic::codes::CONDITION_TEXT;
        let text = format!("[{code}] the condition of hold `{}` {fault}; the hold was not added", self.name);
        Err(Exit::of(Outcome::Refused, &text).with_help("write one condition in the store's own language, in which all counts"))
    }

    /// Asks the live table whether the hold can be evaluated; a store that is away is no reason not to hold.
    async fn check(&self, config: &Config, dataset: &DatasetName, condition: Option<&str>) -> Result<bool, Exit> {
        let stores = config.store(&dataset.store).map(|store| app::address(store, &config.base));
        let unchecked = |why: &str| {
            let help = "`steward plan` shows whether it works; a hold that cannot be evaluated refuses its dataset";
            stderr::warning(&format!("the hold was not checked against `{dataset}`: {why}"), Some(help));
        };
        let address = match stores {
            Some(Ok(address)) => address,
            Some(Err(end)) => {
                unchecked(end.why());
                return Ok(false);
            }
            None => return Ok(false),
        };
        match asked(address, dataset, condition, &self.name).await {
            Ok(()) => Ok(true),
            Err(StoreFailure::Refused { code, text, help }) => {
                Err(Exit::of(Outcome::Refused, &format!("[{code}] {text}; the hold was not added")).with_help(&help))
            }
            Err(failure) => {
                unchecked(&failure.to_string());
                Ok(false)
            }
        }
    }
}

async fn asked(
    address: crate::store::address::StoreAddress,
    dataset: &DatasetName,
    condition: Option<&str>,
    name: &str,
) -> Result<(), StoreFailure> {
    let stores = Stores::new([address])?;
    let whose = format!("hold `{name}`");
    if let AnyStore::Graph(store) = stores.any(&dataset.store)? {
        return store.try_condition("hold", dataset, condition, &whose).await;
    }
    if let AnyStore::Keys(_) = stores.any(&dataset.store)? {
        return KeyHolds::check(name, dataset, condition);
    }
    let mut session = stores.get(&dataset.store)?.reading("hold").await?;
    let table = catalog::must_find(&mut session, dataset).await?;
    match condition {
        Some(text) => {
            condition::check(&mut session, &table, text, &whose).await?;
            condition::check_rows(&mut session, &table, text, &whose).await
        }
        None => Ok(()),
    }
}

/// A dataset whose store is declared.
fn dataset(text: &str, config: &Config) -> Result<DatasetName, Exit> {
    let dataset: DatasetName = text.parse().map_err(|error| Exit::usage(&format!("{error}")))?;
    if config.store(&dataset.store).is_some() {
        return Ok(dataset);
    }
    let near = suggest::suggestion(&dataset.store, config.stores.iter().map(|store| store.name.as_str())).unwrap_or_default();
    Err(Exit::usage(&format!("unknown store `{}` in `{text}`; {near}", dataset.store)))
}

/// Words that say something and stay on one line.
fn said<'a>(what: &str, text: &'a str) -> Result<&'a str, Exit> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Exit::usage(&format!("{what} says nothing")));
    }
    if text.contains(char::is_control) {
        return Err(Exit::usage(&format!("{what} holds a control character")));
    }
    Ok(text)
}

#[derive(Serialize)]
struct Listed {
    holds: Vec<HoldLine>,
}

#[derive(Serialize)]
struct HoldLine {
    hold: String,
    dataset: String,
    r#where: Option<String>,
    because: String,
    owner: Option<String>,
    /// `file`, `command` or `remembered`.
    origin: &'static str,
    /// Where it stands or stood, or who put it down.
    noted: Option<String>,
    since: Option<DateTime<Utc>>,
    released: Option<Release>,
}

impl ListHolds {
    async fn run(self, path: &Path) -> Ended {
        let declarations = App::read(path)?;
        let files = &declarations.policies.holds;
        let mut holds: Vec<HoldLine> = files.iter().map(HoldLine::of_file).collect();
        if let Some(ledger) = ledger_if_any(&declarations.config).await? {
            holds.extend(of_ledger(&ledger, files, self.released).await.map_err(|error| no_ledger(&error))?);
        }
        if self.json {
            out::json(&Listed { holds })?;
        } else if holds.is_empty() {
            out::say("no holds\n")?;
        } else {
            out::say(&listing(["HOLD", "DATASET", "CONDITION", "REASON", "OWNER", "SOURCE"], holds.iter().map(HoldLine::cells)))?;
        }
        Ok(Exit::quiet())
    }
}

/// What the ledger adds to the files: holds of `hold add`, and those that vanished from their file.
async fn of_ledger(ledger: &Ledger, files: &[Hold], released: bool) -> Result<Vec<HoldLine>, LedgerError> {
    let known = ledger.holds().await?;
    let remembered = ledger.remembered_holds(&file_holds(files)).await?;
    let commands = known.iter().filter(|hold| hold.in_force() && hold.origin == Origin::Command);
    let over = known.iter().filter(|hold| released && !hold.in_force());
    let lines = commands.map(|hold| HoldLine::of_ledger(hold, "command"));
    let lines = lines.chain(remembered.iter().map(|hold| HoldLine::of_ledger(hold, "remembered")));
    Ok(lines.chain(over.map(|hold| HoldLine::of_ledger(hold, hold.origin.word()))).collect())
}

impl HoldLine {
    fn of_file(hold: &Hold) -> Self {
        let noted = match &hold.origin {
            HoldOrigin::File(place) => Some(place.to_string()),
            HoldOrigin::Command | HoldOrigin::Remembered => None,
        };
        Self {
            hold: hold.name.clone(),
            dataset: hold.dataset.to_string(),
            r#where: hold.r#where.clone(),
            because: hold.because.clone(),
            owner: hold.owner.clone(),
            origin: "file",
            noted,
            since: None,
            released: None,
        }
    }

    fn of_ledger(hold: &LedgerHold, origin: &'static str) -> Self {
        Self {
            hold: hold.name.clone(),
            dataset: hold.dataset.clone(),
            r#where: hold.condition.clone(),
            because: hold.because.clone(),
            owner: hold.owner.clone(),
            origin,
            noted: hold.noted.clone(),
            since: Some(hold.since),
            released: hold.released.clone(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let noted = self.noted.clone().unwrap_or_default();
        let since = self.since.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default();
        let from = match (&self.released, self.origin) {
            (Some(release), _) => {
                let at = release.at.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("released {at} by {}: {}", release.by, release.why)
            }
            (None, "command") => format!("hold add, {since}, by {noted}"),
            (None, "remembered") => format!("once at {noted}, in force until it is released"),
            (None, _) => noted,
        };
        [
            self.hold.clone(),
            self.dataset.clone(),
            self.r#where.clone().unwrap_or_else(|| "all".into()),
            self.because.clone(),
            self.owner.clone().unwrap_or_else(|| "–".into()),
            from,
        ]
    }
}

#[derive(Serialize)]
struct Released<'a> {
    hold: &'a str,
    by: &'a str,
    why: &'a str,
    /// Where a file still declares it: then it stays in force.
    still_in_file: Option<String>,
    ledger_head: String,
}

impl ReleaseHold {
    async fn run(self, path: &Path) -> Ended {
        let name = said("the name", &self.name)?;
        let why = said("`--why`", &self.why)?;
        let config = App::config(path)?;
        let still_in_file = place_in_files(path, name);
        // Nothing is made for a release: what was never recorded cannot be released.
        let known = match ledger_if_any(&config).await? {
            Some(ledger) => ledger.holds().await.map_err(|error| no_ledger(&error))?,
            None => vec![],
        };
        if !known.iter().any(|hold| hold.in_force() && hold.name == name) {
            return Err(nothing_to_release(name, still_in_file.as_deref(), &known));
        }
        let (by, ledger) = (current_user(), ledger(&config).await?);
        let head = ledger.release_hold(name, &by, why, now()).await.map_err(|error| refused(&error))?;
        ledger.close().await;
        if let Some(place) = &still_in_file {
            let text = format!("{place} still declares the hold `{name}`: the file holds it until it is taken out there");
            stderr::warning(&text, None);
        }
        if self.json {
            out::json(&Released { hold: name, by: &by, why, still_in_file, ledger_head: head.hash })?;
        } else {
            let now = if still_in_file.is_some() { "released in the ledger, and still in force" } else { "released" };
            out::say(&format!("hold `{name}` is {now}\nby {by}; ledger head {}\n", head.hash))?;
        }
        Ok(Exit::quiet())
    }
}

fn nothing_to_release(name: &str, in_file: Option<&str>, known: &[LedgerHold]) -> Exit {
    if let Some(place) = in_file {
        return Exit::of(
            Outcome::Refused,
            &format!("the hold `{name}` stands in a file ({place}) and not in the ledger; nothing was released"),
        )
        .with_help("take it out of the file; once a run has seen it there, release it here as well");
    }
    let names = known.iter().filter(|hold| hold.in_force()).map(|hold| hold.name.as_str());
    let near = suggest::nearest(name, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Exit::usage(&format!("no hold `{name}` is in force{near}")).with_help("`steward hold list` shows those that are")
}

/// Where a file declares a hold of that name; unknown while the declarations are wrong, which says so.
fn place_in_files(path: &Path, name: &str) -> Option<String> {
    let Ok(declarations) = App::quietly(path) else {
        let text = format!("the declarations are not valid, so files were not searched for a hold `{name}`");
        stderr::warning(&text, None);
        return None;
    };
    let hold = declarations.policies.holds.iter().find(|hold| hold.name == name)?;
    HoldLine::of_file(hold).noted
}

fn refused(error: &LedgerError) -> Exit {
    match error {
        LedgerError::HoldInForce { .. } | LedgerError::NoSuchHold { .. } => {
            Exit::usage(&error.to_string()).with_help(error.help())
        }
        other => no_ledger(other),
    }
}

fn now() -> DateTime<Utc> {
    crate::clock::now().trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_nothing_or_steer_a_terminal_are_typed_wrongly() {
        assert_eq!(said("x", " litigation "), Ok("litigation"));
        for text in ["", "  ", "a\nb", "\u{1b}[2J"] {
            assert_eq!(said("x", text).unwrap_err().code(), 2, "{text:?}");
        }
    }

    #[test]
    fn a_hold_that_only_a_file_declares_is_not_released_here() {
        assert_eq!(nothing_to_release("a", Some("policies/x.yaml:1:1"), &[]).code(), 4);
        assert_eq!(nothing_to_release("a", None, &[]).code(), 2);
    }
}
