//! Rows that share what should be one row's alone: `duplicate: [email], normalize: email`.

use super::kind::Kind;
use super::look;
use super::sample::Sampler;
use crate::action::{Context, Measured};
use crate::diagnostic::catalogue as codes;
use crate::policy::quality::check::Check;
use crate::policy::quality::normal::Normal;
use crate::policy::quality::shape::{Also, Counts, On, Shape, Takes};
use crate::store::duplicates::{Grouped, Groups};
use crate::store::failure::StoreFailure;
use crate::store::looked::Looked;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Counts the rows beyond the first of each group, out of the rows that have a value in every column.
///
/// The store groups what is plain ASCII, in one reading of the table. The few rows beyond it come here in pages, are brought
/// to their form, and are looked up among the others: so all stores agree, whatever their collations say.
pub const KIND: Kind = Kind {
    shape: &Shape {
        key: "duplicate",
        about: "rows beyond the first that share the values of these columns; NULL is shared with nobody",
        takes: Takes::Names,
        with: &[
            Also {
                key: "normalize",
                about: "when two texts are the same: byte for byte (none, the default), without white space around them (trim), \
                        in small letters too (lower), the domain in its ASCII form too (email)",
                takes: Takes::Word(&["none", "trim", "lower", "email"]),
                needed: false,
            },
            Also {
                key: "plus_tags",
                about: "with `normalize: email`: whether `li+news@x.com` is `li@x.com` (ignore) or not (keep, the default)",
                takes: Takes::Word(&["keep", "ignore"]),
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
/// Forms looked up at once.
const LOOKED_UP: usize = 20_000;

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let normal = normal(check)?;
    let columns = check.given.names(check.shape.key);
    let mut looked = look::at(cx, check).await?;
    let groups = Groups::of(&looked, columns, normal)?;
    let grouped = groups.count(&mut looked, check.samples).await?;
    let odd = if grouped.odd == 0 { Odd::default() } else { odd(&mut looked, &groups, &grouped).await? };
    let mut measured = Measured {
        value: grouped.surplus + odd.surplus(),
        of: Some(grouped.of),
        nothing_seen: grouped.of == 0,
        ..Measured::default()
    };
    if let (Some(dataset), Some(samples)) = (check.table(), usize::try_from(check.samples).ok()) {
        let sampler = Sampler::new(cx, dataset);
        let forms = grouped.samples.iter().chain(&odd.samples).take(samples);
        let row = |form: &Vec<String>| sampler.row(&columns.iter().zip(form).collect::<Vec<_>>());
        measured.samples = forms.map(row).collect();
    }
    if grouped.odd == 0 {
        measured.query = Some(grouped.query);
    } else {
        measured.notes.push(format!(
            "{} rows are not plain ASCII and were compared in the worker, which adds {} to the {} of: {}",
            odd.rows,
            odd.surplus(),
            grouped.surplus,
            grouped.query
        ));
    }
    Ok(measured)
}

fn normal(check: &Check) -> Result<Normal, StoreFailure> {
    let without_tag = check.given.text("plus_tags") == Some("ignore");
    let normal = match check.given.text("normalize") {
        Some("trim") => Normal::Trim,
        Some("lower") => Normal::Lower,
        Some("email") => return Ok(Normal::Email { without_tag }),
        _ => Normal::None,
    };
    if check.given.text("plus_tags").is_some() {
        let text = format!("the check `{}` names `plus_tags` without `normalize: email`", check.name);
        return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "add `normalize: email`, or take `plus_tags` out"));
    }
    Ok(normal)
}

/// What the worker saw of the odd rows.
#[derive(Default)]
struct Odd {
    rows: u64,
    /// Digests of the forms seen: 16 bytes each, so a million of them are no burden.
    seen: HashSet<[u8; 16]>,
    /// Forms that rows in plain ASCII have as well.
    shared: u64,
    samples: Vec<Vec<String>>,
}

impl Odd {
    /// Rows beyond the first of their group: every row but those that begin one.
    fn surplus(&self) -> u64 {
        self.rows - (self.seen.len() as u64 - self.shared)
    }

    /// Takes a row in; true when its form is new.
    fn see(&mut self, form: &[String]) -> bool {
        self.rows += 1;
        let digest = Sha256::digest(serde_json::Value::from(form.to_vec()).to_string());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let new = self.seen.insert(short);
        if !new {
            self.keep(form);
        }
        new
    }

    fn keep(&mut self, form: &[String]) {
        if self.samples.len() < 100 && !self.samples.iter().any(|known| known == form) {
            self.samples.push(form.to_vec());
        }
    }
}

async fn odd(looked: &mut Looked, groups: &Groups, grouped: &Grouped) -> Result<Odd, StoreFailure> {
    let too_many = |rows: u64| {
        let text = format!(
            "{rows} rows of `{}` are not plain ASCII, and at most {MOST_ODD} are compared in the worker; nothing was counted",
            looked.table().label()
        );
        StoreFailure::refused(codes::CHECK_UNFIT, text, "narrow the check with `where`, or keep the form in a column of its own")
    };
    if grouped.odd > MOST_ODD {
        return Err(too_many(grouped.odd));
    }
    let mut odd = Odd::default();
    let Some(mut walk) = groups.odd_rows(looked).await? else { return Ok(odd) };
    let mut plain: Vec<Vec<String>> = vec![];
    while let Some(page) = walk.next(looked).await? {
        for row in page {
            let (form, can_be_plain) = groups.form_of(&row.cells);
            if odd.see(&form) && can_be_plain {
                plain.push(form);
            }
        }
        if plain.len() >= LOOKED_UP {
            look_up(looked, groups, &mut odd, &mut plain).await?;
        }
    }
    look_up(looked, groups, &mut odd, &mut plain).await?;
    Ok(odd)
}

async fn look_up(looked: &mut Looked, groups: &Groups, odd: &mut Odd, plain: &mut Vec<Vec<String>>) -> Result<(), StoreFailure> {
    let shared = groups.among_the_plain(looked, plain).await?;
    odd.shared += shared.len() as u64;
    shared.iter().for_each(|form| odd.keep(form));
    plain.clear();
    Ok(())
}
