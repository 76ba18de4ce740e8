//! Names in Cypher: labels, types and properties, quoted so that nothing in them is anything but a name.

/// `` `User` ``; a backtick in it is doubled. A backslash before a `u` is kept from meaning a character of its own: Cypher
/// reads `\u0060` as a backtick wherever it stands, so the backslash itself is written that way.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``").replace("\\u", "\\u005Cu"))
}

/// A property of the node `n`: ``n.`created_at` ``.
pub fn property(name: &str) -> String {
    format!("n.{}", quote(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_nothing_but_a_name() {
        assert_eq!(quote("User"), "`User`");
        assert_eq!(quote("a`) DETACH DELETE n //"), "`a``) DETACH DELETE n //`");
        assert_eq!(property("a\\u0060b"), "n.`a\\u005Cu0060b`");
    }
}
