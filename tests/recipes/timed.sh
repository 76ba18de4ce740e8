# Runs the tests with more threads than cores, since most of them wait, and says which took longest. Sourced by tests/run.

timed() { # COMMAND…
  local host log status=0
  log=$(mktemp)
  host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}
  export "CARGO_TARGET_${host}_RUNNER=$PWD/tests/recipes/with-times"
  "$@" 2>&1 | tee "$log" || status=$?
  slowest <"$log"
  rm -f "$log"
  return "$status"
}

# The ten slowest of what the test harness said. All of it is read: a pipe that is closed early would end the run in error.
slowest() {
  local all
  all=$(sed -nE 's/^test (.*) \.\.\. (ok|FAILED) <([0-9.]+)s>$/\3 \1/p' | sort -rn | sed -n 1,10p)
  if [ -n "$all" ]; then
    echo "the slowest, in seconds:"
    awk '{ printf "%8.1f  %s\n", $1, $2 }' <<<"$all"
  fi
}
