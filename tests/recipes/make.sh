# Makes what is missing from a template that compiles and passes. Sourced by tests/run.

TEMPLATES=tests/recipes/templates

# A case that is not there yet is made, played once and believed; read what it says, and change what it declares.
play_case() { # NAME
  local folder=tests/cases/$1
  [[ $1 =~ ^[a-z][a-z0-9_]*$ ]] || die "a case is named by a sentence: tests/run case what_is_due_goes_and_nothing_else"
  if [ ! -d "$folder" ]; then
    cp -r "$TEMPLATES/case" "$folder"
    say "made $folder; it deletes what is older than two years"
    export UPDATE_CASES=1
  fi
  STEWARD_CASE=$1 run_tests --test integration cases::every_case_holds
}

# FILE is made from a template in which `example` and `Example` stand for the name.
from_template() { # TEMPLATE NAME FILE
  local camel
  camel=$(sed -E 's/(^|_)([a-z])/\U\2/g' <<<"$2")
  [[ $2 =~ ^[a-z][a-z0-9_]*$ ]] || die "a name in lower case, words joined by _, please: not \`$2\`"
  [ ! -e "$3" ] || die "$3 is there already"
  sed -e "s/example_name/${2//_/-}/g" -e "s/example/$2/g" -e "s/Example/$camel/g" "$1" >"$3"
  say "made $3"
}

# A line behind the last one of its kind in a file.
add_line() { # FILE PATTERN LINE
  local last
  last=$(grep -nE "$2" "$1" | tail -n 1 | cut -d: -f1)
  [ -n "$last" ] || die "$1 has no line like $2"
  sed -i "${last}a\\$3" "$1"
  say "added to $1: ${3#"${3%%[![:space:]]*}"}"
}
