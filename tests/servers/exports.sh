# What the tests and the reader get to know about the servers. Sourced by tests/run.

show_table() {
  local name version from address
  {
    row store version from address
    for name in "${SERVERS[@]}"; do
      IFS='|' read -r version from address <"$RUN/$name/about"
      row "$name" "${version:--}" "$from" "$address"
    done
    row sqlite - "built in" -
  } >&2
}
row() { printf '%-13s  %-26s  %-31s  %s\n' "$@"; }

export_all() {
  local line
  while IFS= read -r line; do export "${line?}"; done < <(cat "$RUN"/*/exports)
}

# For `eval`, and into a file that remembers every line of ours.
print_exports() {
  local name line value
  for name in "${SERVERS[@]}"; do
    while IFS= read -r line; do
      value=${line#*=}
      echo "export ${line%%=*}=${value@Q}"
      if alive "$RUN/$name" && ! ours "$line"; then echo "$line" >>"$CACHE/up.exports"; fi
    done <"$RUN/$name/exports"
  done
}

# In a shell that did `eval "$(tests/run up)"` the variables say nothing about now: after a `down`
# nobody answers there. Only what the caller set himself counts; the rest is told by what is up now.
forget_what_up_exported() {
  local name
  for name in $(compgen -e STEWARD_TEST_); do
    if ours "$name=${!name}"; then unset "$name"; fi
  done
}
ours() { grep -qsxF "$1" "$CACHE/up.exports"; }
