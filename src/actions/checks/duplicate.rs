//! Rows that share what should be one row's alone: `duplicate: [email], normalize: email`.

use super::kind::Kind;
use super::sample::Sampler;
use super::target;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::normal::Normal;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use crate::store::sql::query::duplicates::{Group, Groups};
use crate::store::sql::query::table_query::Looked;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};

/// Counts the rows beyond the first of each group, out of the rows that have a value in every column.
///
/// The store groups the rows in one reading of the table, and tells the groups of several rows and those whose form it cannot
/// compute: what is beyond plain ASCII, or spells a domain in it (`xn--`). The worker brings these to their form; those that plain rows can share are looked up.
/// So all stores agree, whatever their collations say. Both readings see the table as the first found it.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "duplicate",
        about: "rows beyond the first that share the values of these columns; NULLs never count as duplicates",
        takes: ParamType::Names,
        with: &[
            ParamSpec {
                key: "normalize",
                about: "when two texts are the same: byte for byte (none, the default), without white space around them (trim), \
                        in small letters too (lower), the domain in its ASCII form too (email)",
                takes: ParamType::Word(&["none", "trim", "lower", "email"]),
                needed: false,
            },
            ParamSpec {
                key: "plus_tags",
                about: "with `normalize: email`: whether `li+news@x.com` is `li@x.com` (ignore) or not (keep, the default)",
                takes: ParamType::Word(&["keep", "ignore"]),
                needed: false,
            },
        ],
        on: On::Table,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

/// More rows than this beyond plain ASCII are not compared here: the check ends as `error`, never with a wrong number.
const MOST_ODD: u64 = 1_000_000;

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let normal = normal(check)?;
    let columns = check.params.names(check.shape.key);
    let mut looked = target::at(cx, check).await?;
    let groups = Groups::of(&mut looked, columns, normal).await?;
    let samples = usize::try_from(check.samples).unwrap_or(usize::MAX);
    let (mut plain, mut odd) = (Plain::default(), Odd::default());
    let see = |group: Group| if group.odd { odd.see(&groups, &group) } else { plain.see(group, samples) };
    let mut other = another(cx, check, &groups).await;
    let together = match &mut other {
        Some(other) => looked.begin_together(other).await?,
        None => {
            looked.session().begin_snapshot().await?;
            false
        }
    };
    let of = match other.as_mut().filter(|_| together) {
        Some(other) => groups.each_halved(&mut looked, other, see).await?,
        None => groups.each(&mut looked, see).await?,
    };
    drop(other);
    if odd.rows > 0 {
        odd.among_the_plain(&mut looked, &groups).await?;
    }
    let mut measured =
        Measured { value: plain.surplus + odd.surplus(), of: Some(of), nothing_seen: of == 0, ..Measured::default() };
    if let Some(dataset) = check.table() {
        let sampler = Sampler::new(cx, dataset);
        let beside = odd.samples.iter().filter(|form| !plain.samples.contains(*form));
        let forms = plain.samples.iter().chain(beside).take(samples);
        let row = |form: &Vec<String>| sampler.row(&columns.iter().zip(form).collect::<Vec<_>>());
        measured.samples = forms.map(row).collect();
    }
    let query = groups.query(&looked);
    if odd.rows == 0 {
        measured.query = Some(query);
    } else {
        measured.notes.push(format!(
            "{} rows are not plain ASCII, or spell a domain in it (`xn--`), and were compared in the worker, which adds {} to the {} of: {query}",
            odd.rows,
            odd.surplus(),
            plain.surplus,
        ));
    }
    Ok(measured)
}

/// A second session where it helps. One does all of it as well, so nothing is lost where no other is to be had.
async fn another(cx: &Context, check: &Check, groups: &Groups) -> Option<Looked> {
    let lends_two = target::store(cx, check).is_ok_and(|store| store.connections() > 1);
    if lends_two && groups.can_be_halved() { target::at(cx, check).await.ok() } else { None }
}

fn normal(check: &Check) -> Result<Normal, StoreFailure> {
    let without_tag = check.params.text("plus_tags") == Some("ignore");
    let normal = match check.params.text("normalize") {
        Some("trim") => Normal::Trim,
        Some("lower") => Normal::Lower,
        Some("email") => return Ok(Normal::Email { without_tag }),
        _ => Normal::None,
    };
    if check.params.text("plus_tags").is_some() {
        let text = format!("the check `{}` names `plus_tags` without `normalize: email`", check.name);
        return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "add `normalize: email`, or take `plus_tags` out"));
    }
    Ok(normal)
}

/// What the worker saw of the groups that the store could form itself.
#[derive(Default)]
struct Plain {
    surplus: u64,
    /// The smallest forms, so that they are the same the next time.
    samples: BTreeSet<Vec<String>>,
}

impl Plain {
    fn see(&mut self, group: Group, samples: usize) {
        self.surplus += group.rows.saturating_sub(1);
        self.samples.insert(group.form);
        if self.samples.len() > samples {
            self.samples.pop_last();
        }
    }
}

/// What the worker saw of the odd rows.
#[derive(Default)]
struct Odd {
    rows: u64,
    /// Digests of the forms seen: 16 bytes each, so a million of them are no burden.
    seen: HashSet<[u8; 16]>,
    /// Forms among them that rows in plain ASCII can have, to be looked up.
    open: Vec<Vec<String>>,
    /// Forms that rows in plain ASCII have as well.
    shared: u64,
    samples: Vec<Vec<String>>,
}

impl Odd {
    /// Rows beyond the first of their group: every row but those that begin one.
    fn surplus(&self) -> u64 {
        self.rows - (self.seen.len() as u64 - self.shared)
    }

    /// Takes a group in. Beyond the most that can be compared it is counted alone, to say how many there are.
    fn see(&mut self, groups: &Groups, group: &Group) {
        self.rows += group.rows;
        if self.rows > MOST_ODD {
            return;
        }
        let (form, can_be_plain) = groups.form_of(&group.form);
        let digest = Sha256::digest(serde_json::Value::from(form.clone()).to_string());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let new = self.seen.insert(short);
        if !new || group.rows > 1 {
            self.keep(&form);
        }
        if new && can_be_plain {
            self.open.push(form);
        }
    }

    fn keep(&mut self, form: &[String]) {
        if self.samples.len() < 100 && !self.samples.iter().any(|known| known == form) {
            self.samples.push(form.to_vec());
        }
    }

    /// Looks up which forms plain rows have too.
    async fn among_the_plain(&mut self, looked: &mut Looked, groups: &Groups) -> Result<(), StoreFailure> {
        groups.must_compare_odd(looked)?;
        if self.rows > MOST_ODD {
            let text = format!(
                "{} rows of `{}` are not plain ASCII, or spell a domain in it (`xn--`), and at most {MOST_ODD} are compared in the worker; nothing was counted",
                self.rows,
                looked.table().label()
            );
            let way_out = "narrow the check with `where`, or keep the form in a column of its own";
            return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, way_out));
        }
        let shared = groups.among_the_plain(looked, std::mem::take(&mut self.open)).await?;
        self.shared += shared.len() as u64;
        shared.iter().for_each(|form| self.keep(form));
        Ok(())
    }
}
