//! Lines of words, as a shell reads them: `SET "a key" \x00\xff`. What a seed of keys is written in, and what a dump is.

/// The words of a line, any bytes. Between words are spaces; `'…'` is as it stands; elsewhere, also in `"…"`, `\xHH` is a
/// byte, `\n \r \t \0` are what they always are, and any other character behind `\` is itself.
pub fn words(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = vec![];
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => push(&mut word, c),
            (_, '\\') => escaped(&mut rest, word.get_or_insert_default())?,
            (_, c) => push(&mut word, c),
        }
    }
    match quote {
        Some(quote) => Err(format!("`{quote}` is not closed")),
        None => Ok(words.into_iter().chain(word).collect()),
    }
}

fn push(word: &mut Option<Vec<u8>>, c: char) {
    word.get_or_insert_default().extend(c.encode_utf8(&mut [0; 4]).bytes());
}

fn escaped(rest: &mut std::str::Chars<'_>, word: &mut Vec<u8>) -> Result<(), String> {
    match rest.next().ok_or("nothing follows `\\`")? {
        'x' => {
            let digits: String = rest.take(2).collect();
            let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2);
            word.push(byte.ok_or("`\\x` is followed by two hexadecimal digits")?);
        }
        'n' => word.push(b'\n'),
        'r' => word.push(b'\r'),
        't' => word.push(b'\t'),
        '0' => word.push(0),
        c => word.extend(c.encode_utf8(&mut [0; 4]).bytes()),
    }
    Ok(())
}

/// Any bytes as one word of such a line, in ASCII.
pub fn word(bytes: &[u8]) -> String {
    let inside: String = bytes
        .iter()
        .map(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            other => format!("\\x{other:02x}"),
        })
        .collect();
    format!("\"{inside}\"")
}

#[test]
fn a_line_is_read_as_a_shell_would_and_any_bytes_come_back() {
    let read = |line: &str| words(line).map(|words| words.into_iter().map(|word| word.to_vec()).collect::<Vec<_>>());
    assert_eq!(read(r#"SET a\ b 'c "\x41' "d\n\x00\xff""#).unwrap(), [&b"SET"[..], b"a b", b"c \"\\x41", b"d\n\0\xff"]);
    assert_eq!(read("  '' \"\"a é ").unwrap(), [&b""[..], b"a", "é".as_bytes()]);
    for broken in ["'a", "\"a", "a\\", "\\x1", "\\xg0"] {
        assert!(read(broken).is_err(), "{broken}");
    }
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(words(&word(&all)).unwrap(), [all]);
}
