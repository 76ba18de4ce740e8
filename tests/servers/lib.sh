# Words, folders, ports and processes: what tests/run and the server files share. Sourced, never run.
#
# Every server has a folder of its own, $DIR = $RUN/NAME:
#   log      what the server says               pid        the process that is ours: id and start
#   exports  NAME=VALUE lines for the tests     container  or the container that is ours
#   about    version, where from, address       signal     what stops the process
set -euo pipefail
export LC_ALL=C.UTF-8

PASSWORD=s3cret-Pw # of every server started here; they listen on 127.0.0.1 only
PATIENCE=60        # seconds that a server may take to answer

say() { printf '%s\n' "$*" >&2; }
die() {
  say "tests/run: ${NAME:+$NAME: }$*"
  exit 1
}
is_root() { [ "$(id -u)" = 0 ]; }

# Database servers refuse to run as root, and `nobody` exists everywhere.
AS_USER=()
if is_root; then AS_USER=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups); fi

# What was downloaded stays here. Not below /root, where `nobody` could not read it.
CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/steward-tests
if is_root; then CACHE=/var/cache/steward-tests; fi
CACHE=${STEWARD_TEST_CACHE:-$CACHE}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
"${AS_USER[@]}" test -x "$CACHE" || die "\`nobody\` cannot enter $CACHE, and servers run as \`nobody\` under root: set STEWARD_TEST_CACHE"
NAME=        # the server that this subshell is about
RUN=         # the folder of this run
UP=$CACHE/up # a link to the folder of the servers that `tests/run up` keeps running

# --- folders ------------------------------------------------------------------------------------

# A new $RUN in /tmp: socket paths must be short, and `nobody` must get in. Its lock is held for
# as long as we live, so that a later run can tell a folder in use from one left by a kill -9.
new_run_folder() { # [keep]: the servers outlive us
  exec 8>"$CACHE/folders.lock" && flock -w 60 8
  sweep
  RUN=$(mktemp -d /tmp/steward-tests-XXXXXX)
  chmod 755 "$RUN"
  exec 9>"$RUN/lock" && flock 9
  if [ "${1:-}" = keep ]; then : >"$RUN/keep" && ln -sfn "$RUN" "$UP"; fi
  exec 8>&-
}

# Stops what a run left behind that was killed before it could clean up.
sweep() {
  local left
  for left in /tmp/steward-tests-??????; do
    if [ ! -O "$left/lock" ] || [ -e "$left/keep" ]; then continue; fi
    if flock -n "$left/lock" true; then remove_run_folder "$left"; fi
  done
}

remove_run_folder() {
  local dir
  for dir in "$1"/*/; do stop_server "$dir"; done
  remove "$1"
}

# A process killed a moment ago may still add a file to what is being removed.
remove() {
  for _ in {1..50}; do
    rm -rf "$@" 2>/dev/null && return
    sleep 0.1
  done
  say "tests/run: could not remove $*"
}

# --- ports --------------------------------------------------------------------------------------

# Below the ephemeral range, so that no client socket takes it meanwhile; from one counter, so
# that two runs at once never get the same.
spare_port() {
  local port
  exec 7>"$CACHE/port.lock" && flock -w 60 7
  port=$(cat "$CACHE/port" 2>/dev/null || echo $((20000 + RANDOM % 12000)))
  while port=$((port < 31999 ? port + 1 : 20000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port" >"$CACHE/port"
  exec 7>&-
  echo "$port"
}

# greeting BYTES [SEND]: the first bytes that $HOST:$PORT says; fails when nothing answers.
greeting() {
  # shellcheck disable=SC2016 # the inner shell expands
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "$3" >&3 && head -c "$2" <&3' \
    "$HOST" "$PORT" "$1" "${2:-}" 2>/dev/null | tr '\0' '\n'
}

# --- processes ----------------------------------------------------------------------------------

# Starts a server detached, in a session of its own, with its log and pid in $DIR.
# It writes its own pid and only then looks whether the run was cancelled (see `stop_all`): so
# whoever cancels either finds the pid or is seen.
launch() {
  echo "${STOP_SIGNAL:-KILL}" >"$DIR/signal"
  # shellcheck disable=SC2016 # the inner shell expands
  (cd "$DIR" && TMPDIR=$DIR/tmp exec setsid bash -c \
    'echo $$ "$(cut -d" " -f22 /proc/$$/stat)" >pid && [ ! -e ../cancelled ] && exec "$@"' - \
    "${AS_USER[@]}" "$@" >"$DIR/log" 2>&1 </dev/null 5>&- 9>&-) &
  until [ -s "$DIR/pid" ]; do sleep 0.01; done
}

alive() { # DIR
  local engine container pid start
  if [ -s "$1/container" ]; then
    read -r engine container <"$1/container"
    [ "$("$engine" inspect -f '{{.State.Running}}' "$container" 2>/dev/null)" = true ]
  elif [ -s "$1/pid" ]; then
    read -r pid start <"$1/pid"
    [ "$(started "$pid")" = "$start" ]
  else
    false
  fi
}

# When a process began; empty when it is gone or a zombie. A pid alone may be somebody else's by now.
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" && $1 != "X" { print $20 }'; }

# Waits until the server answers. One that died meanwhile, or takes too long, ends the run.
await() {
  local deadline=$((SECONDS + PATIENCE))
  until answers; do
    alive "$DIR" || { log_tail "$DIR/log" && die "died while starting"; }
    [ "$SECONDS" -lt "$deadline" ] || { log_tail "$DIR/log" && die "did not answer within $PATIENCE s"; }
    sleep 0.1
  done
}

log_tail() { # FILE
  local engine container
  if [ -s "$DIR/container" ]; then
    read -r engine container <"$DIR/container"
    "$engine" logs --tail 20 "$container" >"$DIR/log" 2>&1 || true
  fi
  tail -n 20 "$1" | sed "s/^/  $NAME | /" >&2
}

# The data goes with the server, so nothing has to shut down gently.
stop_server() { # DIR
  local engine container pid
  if [ -s "$1/container" ]; then
    read -r engine container <"$1/container"
    "$engine" rm -fv "$container" >/dev/null 2>&1 || true
  elif alive "$1"; then
    read -r pid _ <"$1/pid"
    kill -s "$(cat "$1/signal")" "$pid" 2>/dev/null || true
    for _ in {1..100}; do
      alive "$1" || break
      sleep 0.05
    done
    if alive "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  remove "$1"
}
