# Makes what is missing from a template that compiles and passes. Sourced by tests/run.

CASE=tests/recipes/case # a case to begin from

# A case that is not there yet is made, played once and believed; read what it says, and change what it declares.
play_case() { # NAME
  local folder=tests/cases/$1
  [[ $1 =~ ^[a-z][a-z0-9_]*$ ]] || die "a case is named by a sentence: tests/run case what_is_due_goes_and_nothing_else"
  if [ ! -d "$folder" ]; then
    cp -r "$CASE" "$folder"
    say "made $folder; it deletes what is older than two years"
    export UPDATE_CASES=1
  fi
  STEWARD_CASE=$1 run_tests --test integration cases::every_case_holds
}

# A kind of check, as `row_count` is one, which is the shortest: change what it measures, and what it says of itself.
make_check_kind() { # NAME
  local folder=src/actions/checks
  copy "$folder/row_count.rs" "$folder/$1.rs" "$1" "s/row_count/$1/g"
  add_line "$folder/mod.rs" '^mod ' "mod $1;"
  add_line "$folder/mod.rs" '^    [a-z_]+::KIND,' "    $1::KIND,"
  add_line docs/reference/checks.md '^\| `[a-z_]+` \| .* \|$' "| \`$1\` | how many rows a table has, or nodes a label |  |"
  write_schemas
}

# An action, as `delete` is one, which is the shortest: it removes rows until it is told to do something else.
make_action() { # NAME
  local type
  type=$(sed -E 's/(^|_)([a-z])/\U\2/g' <<<"$1")
  copy src/actions/delete.rs "src/actions/$1.rs" "$1" \
    "s/\bDeleteRows\b/$type/g; s/const NAME: &'static str = \"delete\"/const NAME: \&'static str = \"${1//_/-}\"/"
  add_line src/actions/mod.rs '^pub mod ' "pub mod $1;"
  add_line src/actions/mod.rs 'of::<.*>\(\),' "    Entry::of::<$1::$type>(),"
  write_schemas
}

copy() { # FROM TO NAME SED
  [[ $3 =~ ^[a-z][a-z0-9_]*$ ]] || die "a name in lower case, its words joined by _, please"
  [ ! -e "$2" ] || die "$2 is there already"
  sed "$4" "$1" >"$2"
  say "made $2 from $1"
}

# A line behind the last one of its kind in a file.
add_line() { # FILE PATTERN LINE
  local last
  last=$(grep -nE "$2" "$1" | tail -n 1 | cut -d: -f1)
  [ -n "$last" ] || die "$1 has no line like $2"
  sed -i "${last}a\\$3" "$1"
  say "added to $1: $3"
}

# What editors read follows from the tables.
write_schemas() {
  cargo fmt
  UPDATE_SCHEMAS=1 cargo test --locked --lib schemas
}
