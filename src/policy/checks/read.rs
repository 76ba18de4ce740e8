//! A check from its entry: its kind by the one key that names it, then every key as the kind's shape says.

use super::check::{Check, Subject};
use super::params::Params;
use super::spec::{CheckSpec, Counts, On, ParamType};
use super::threshold::Threshold;
use super::validate;
use super::values;
pub use super::values::Kinds;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::policy::condition::{self, Language};
use crate::policy::dataset::DatasetName;
use crate::yaml::fields::Fields;
use crate::yaml::node::{At, Key, Node, Value};
use crate::yaml::reading::Reading;

/// The keys that every check may have.
pub const COMMON: &[(&str, &str)] = &[
    ("name", "Unique among checks; left out, it is the kind and the dataset."),
    ("dataset", "What it looks at: a table, or a whole store."),
    ("where", "Which rows or nodes count, in the store's own language."),
    ("warn", "Beyond this it warns: `> 0`, `> 1 %`."),
    ("fail", "Beyond this it fails, and the run ends with 1."),
    ("samples", "How many samples it may keep, masked; 5 by default, at most 100."),
];
/// Samples when nobody says how many.
const SAMPLES: u32 = 5;
/// A report is for people.
const MOST_SAMPLES: u64 = 100;

/// The check that an entry declares; none, with notes, when it cannot be one.
pub fn check(node: &Node, owner: Option<&str>, kinds: Kinds<'_>, reading: &mut Reading<'_>) -> Option<Check> {
    let notes = reading.notes.len();
    let shape = kind(node, kinds.shapes, reading)?;
    let common = COMMON.iter().map(|(key, _)| *key);
    let known: Vec<&str> = common.chain([shape.key]).chain(shape.with.iter().map(|also| also.key)).collect();
    let fields = Fields::open(node, "this check", &known, reading)?;
    let mut given = Params::default();
    let mut put = |key, takes, needed, reading: &mut Reading<'_>| match node.get(key) {
        Some(value) => given.0.extend(values::given(value, takes, kinds, reading).map(|value| (key, value))),
        None if needed => reading.note(
            Diagnostic::error(codes::MISSING_KEY, format!("a check `{}` needs the key `{key}`", shape.key)).at(&node.place),
        ),
        None => {}
    };
    put(shape.key, shape.takes, true, reading);
    for also in shape.with {
        put(also.key, also.takes, also.needed, reading);
    }
    validate::given(shape, &given, node, reading);
    let on = subject(&fields, shape, node, reading)?;
    let condition: Option<At<String>> = fields.take("where", reading);
    let language = on.as_ref().map_or(Language::Unknown, |on| (kinds.language)(on.store()));
    let condition = condition.and_then(|written| self::condition(&written, shape, language, reading));
    query(node, shape, &given, language, reading);
    let (warn, fail) = bounds(node, shape, reading);
    let name: Option<At<String>> = fields.take("name", reading);
    let samples = samples(fields.take("samples", reading), reading);
    let mut check = Check {
        name: String::new(),
        owner: owner.map(str::to_owned),
        shape,
        on,
        r#where: condition.map(|condition| condition.value),
        params: given,
        warn,
        fail,
        samples,
        place: node.place.clone(),
    };
    check.name = name.map_or_else(|| format!("{} {}", shape.key, check.dataset()), |name| name.value);
    (reading.notes.len() == notes).then_some(check)
}

/// Which rows count, where the kind looks at rows.
fn condition(written: &At<String>, shape: &CheckSpec, language: Language, reading: &mut Reading<'_>) -> Option<At<String>> {
    if shape.takes_where() {
        return condition::declared(written, language, reading);
    }
    let message = format!("`where` changes nothing in a check `{}`: it does not look at the rows of one dataset", shape.key);
    let help = match shape.takes {
        ParamType::Ends => "write it at an end of the reference: `from: { field: core.users.id, where: \"…\" }`",
        ParamType::Query => "write it into the query",
        ParamType::Policies => "take `where` out: the policies say which rows are due",
        _ => "take `where` out",
    };
    reading.note(Diagnostic::error(codes::WHERE_UNUSED, message).at(&written.place).help(help));
    None
}

/// Notes a query that is more than one, or holds what nothing is put in place of.
fn query(node: &Node, shape: &CheckSpec, given: &Params, language: Language, reading: &mut Reading<'_>) {
    let (ParamType::Query, Some(text), Some(value)) = (shape.takes, given.text(shape.key), node.get(shape.key)) else { return };
    if let Err(fault) = language.query(text) {
        reading.note(condition::refused("the query", &fault, &value.place));
    }
}

/// The one kind whose key stands here.
fn kind(node: &Node, shapes: &[&'static CheckSpec], reading: &mut Reading<'_>) -> Option<&'static CheckSpec> {
    let Value::Map(pairs) = &node.value else {
        reading.wrong_kind(node, "the keys of a check");
        return None;
    };
    let words = || shapes.iter().map(|shape| shape.key);
    let mut named: Vec<(&Key, &'static CheckSpec)> = vec![];
    for (key, _) in pairs {
        named.extend(shapes.iter().find(|shape| shape.key == key.text).map(|shape| (key, *shape)));
    }
    // A key may belong to another kind there: `keys` beside `memory`.
    if let [(_, only)] = named.as_slice() {
        return Some(only);
    }
    let main =
        named.iter().filter(|(_, shape)| !named.iter().any(|(_, other)| other.with.iter().any(|also| also.key == shape.key)));
    match main.collect::<Vec<_>>().as_slice() {
        [(_, only)] => Some(only),
        [] => {
            let strange = pairs.iter().find(|(key, _)| COMMON.iter().all(|(common, _)| *common != key.text));
            let meant = strange.and_then(|(key, _)| suggest::nearest(&key.text, words()).map(|meant| (key, meant)));
            let diagnostic = Diagnostic::error(codes::CHECK_KIND, "nothing here says what is checked");
            reading.note(match meant {
                Some((key, meant)) => diagnostic.at(&key.place).help(format!("did you mean `{meant}`?")),
                None => diagnostic.at(&node.place).help(format!("add one of: {}", words().collect::<Vec<_>>().join(", "))),
            });
            None
        }
        [(first, _), (second, _), ..] => {
            let message = format!("`{}` and `{}` are two checks", first.text, second.text);
            reading.note(
                Diagnostic::error(codes::CHECK_KIND, message)
                    .at(&second.place)
                    .also(&first.place, "the first is here")
                    .help("write two entries"),
            );
            None
        }
    }
}

fn subject(fields: &Fields<'_>, shape: &CheckSpec, node: &Node, reading: &mut Reading<'_>) -> Option<Option<Subject>> {
    let written = fields.take::<At<String>>("dataset", reading);
    if written.is_none() && node.get("dataset").is_some() {
        return None;
    }
    let missing = |help: &str, reading: &mut Reading<'_>| {
        let message = format!("a check `{}` needs the key `dataset`", shape.key);
        reading.note(Diagnostic::error(codes::MISSING_KEY, message).at(&node.place).help(help));
    };
    match (shape.on, written) {
        (On::Nothing, None) => Some(None),
        (On::Nothing, Some(written)) => {
            let message = format!("a check `{}` names its datasets itself", shape.key);
            reading.note(Diagnostic::error(codes::UNKNOWN_KEY, message).at(&written.place).help("take `dataset` out"));
            None
        }
        (On::Table | On::TableOrLabel, None) => {
            missing("the table: `core.users`", reading);
            None
        }
        (_, None) => {
            missing("the store's name alone", reading);
            None
        }
        (On::Table | On::TableOrLabel, Some(written)) => match written.value.parse::<DatasetName>() {
            Ok(dataset) => Some(Some(Subject::Table(dataset))),
            Err(error) => {
                reading.note(Diagnostic::error(codes::UNREADABLE_VALUE, error.to_string()).at(&written.place));
                None
            }
        },
        (_, Some(written)) if written.value.contains('.') => {
            let message =
                format!("a check `{}` looks at a whole store, and `{}` is more than its name", shape.key, written.value);
            let store = written.value.split('.').next().unwrap_or_default().to_owned();
            reading.note(
                Diagnostic::error(codes::UNREADABLE_VALUE, message).at(&written.place).help(format!("write `dataset: {store}`")),
            );
            None
        }
        (_, Some(written)) => Some(Some(Subject::Store(written.value))),
    }
}

/// The bounds as written, or the kind's own warning.
fn bounds(node: &Node, shape: &CheckSpec, reading: &mut Reading<'_>) -> (Option<Threshold>, Option<Threshold>) {
    let mut bound = |key: &str| {
        let value = node.get(key)?;
        let text = reading.text(value)?;
        let read: Option<Threshold> = text.parse().ok().filter(|bound: &Threshold| bound.fits(shape.counts));
        if read.is_none() {
            let message = format!("invalid threshold `{text}` for a check `{}`", shape.key);
            reading.note(Diagnostic::error(codes::BOUND, message).at(&value.place).help(bound_help(&text, shape.counts)));
        }
        read.map(|bound| At::new(bound, value.place.clone()))
    };
    let (warn, fail) = (bound("warn"), bound("fail"));
    validate::bounds(shape, warn.as_ref(), fail.as_ref(), reading);
    if node.get("warn").is_some() || node.get("fail").is_some() {
        return (warn.map(|bound| bound.value), fail.map(|bound| bound.value));
    }
    let own = shape.warns.and_then(|text| text.parse().ok());
    if own.is_none() {
        let message = format!("a check `{}` needs `warn` or `fail`", shape.key);
        reading.note(
            Diagnostic::error(codes::BOUND, message)
                .at(&node.place)
                .help(format!("say what is too much: {}", examples(shape.counts))),
        );
    }
    (own, None)
}

/// What was probably meant: most people forget the sign.
fn bound_help(text: &str, counts: Counts) -> String {
    let signed = format!("> {}", text.trim());
    match signed.parse::<Threshold>() {
        Ok(bound) if bound.fits(counts) => format!("write what is too much: `{signed}`"),
        _ => format!("write {}", examples(counts)),
    }
}

const fn examples(counts: Counts) -> &'static str {
    match counts {
        Counts::Things => "`> 0`, `> 100`, `> 1 %` or `< 10`",
        Counts::Percent => "a share: `> 85 %`",
        Counts::Time => "a time with its unit: `> 1000 ms`, `> 10 s`",
        Counts::Bytes => "a size with its unit: `> 10 GB`",
    }
}

fn samples(written: Option<At<u64>>, reading: &mut Reading<'_>) -> u32 {
    let Some(written) = written else { return SAMPLES };
    if written.value > MOST_SAMPLES {
        let message = format!("{} samples are more than a report may keep", written.value);
        reading.note(Diagnostic::error(codes::LIMIT, message).at(&written.place).help(format!("at most {MOST_SAMPLES}")));
    }
    u32::try_from(written.value.min(MOST_SAMPLES)).unwrap_or(SAMPLES)
}
