//! The people of the company, in two scripts, with the faults that a real table of users has.

use super::rng::Rng;
use crate::store::value::Cell;

/// DataModel names, as written and in Latin letters.
const FAMILIES: &[(&str, &str)] = &[
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("欧阳", "ouyang"),
    ("赵", "zhao"),
    ("Kowalska", "kowalska"),
    ("Müller", "mueller"),
    ("O'Brien", "obrien"),
    ("García", "garcia"),
    ("Nguyễn", "nguyen"),
];

/// Given names for the Chinese families, and for the others.
const GIVEN: [&[(&str, &str)]; 2] = [
    &[("伟", "wei"), ("娜", "na"), ("秀英", "xiuying"), ("敏", "min"), ("建国", "jianguo"), ("小龙", "xiaolong")],
    &[("Anna", "anna"), ("José", "jose"), ("Siobhán", "siobhan"), ("Jürgen", "juergen"), ("Mai", "mai"), ("Tom", "tom")],
];

/// The families that are written in Chinese come first.
const CHINESE: u64 = 7;

/// Every so many users, one has no email.
const NO_EMAIL: i64 = 167;
/// Every so many users, one came back under the email of the user before, in other capitals.
const TWICE: i64 = 50;

/// A user's row: id, username, email, phone, first name, last name, created at.
pub(super) fn user(rng: &mut Rng, id: i64, created: String) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    // The same draw for both ids of a pair, so that the second is the first in other capitals.
    let twice = id % TWICE == 0;
    let (data_model, given) = names(&mut Rng::new(0x5eed + (id - i64::from(twice)).unsigned_abs() * 0x9e37));
    let name = format!("{}.{}{}", given.1, data_model.1, id - i64::from(twice));
    let email = match id {
        id if id % NO_EMAIL == 0 => Cell::Null,
        _ if twice => Cell::Text(format!("{}@Example.COM", name.to_uppercase())),
        _ => Cell::Text(format!("{name}@example.com")),
    };
    let phone = if rng.below(20) == 0 { Cell::Null } else { Cell::Text(format!("+86 000 {:08}", rng.below(100_000_000))) };
    let username = format!("{}{id}", given.1);
    vec![Cell::Int(id), Cell::Text(username), email, phone, text(given.0), text(data_model.0), Cell::Text(created)]
}

type Name = (&'static str, &'static str);

fn names(rng: &mut Rng) -> (Name, Name) {
    let data_model = rng.below(FAMILIES.len() as u64);
    let given = GIVEN[usize::from(data_model >= CHINESE)];
    (FAMILIES[data_model as usize], given[rng.below(given.len() as u64) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_emails_differ_from_the_one_before_only_in_capitals() {
        let email = |id| user(&mut Rng::new(1), id, String::new())[2].shown();
        assert_ne!(email(50), email(49));
        assert_eq!(email(50).to_lowercase(), email(49));
        assert_eq!(email(NO_EMAIL), "NULL");
    }
}
