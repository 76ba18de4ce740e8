# From a list of names to servers that answer. Sourced by tests/run.

STARTED=() # the servers that are ours to stop

# Provides all servers at once, and runs a command meanwhile. The first of them to fail ends the run.
start_servers_and() { # COMMAND…
  local name ended
  local -A jobs
  ENGINE=$(container_engine)
  set -m # every job gets a process group of its own, so that `stop_all` reaches all of it
  for name in "${SERVERS[@]}"; do
    alive "$RUN/$name" && continue
    rm -rf "${RUN:?}/$name"
    STARTED+=("$name")
    provide "$name" </dev/null &
    jobs[$!]=$name
  done
  "$@" </dev/null 5>&- 9>&- &
  jobs[$!]=$1
  set +m
  while [ ${#jobs[@]} -gt 0 ]; do
    wait -n -p ended "${!jobs[@]}" || die "${jobs[$ended]} failed; stopping what was started"
    unset "jobs[$ended]"
  done
}

# Runs a command so that a signal to us reaches it, and its children, at once.
interruptible() { # COMMAND…
  set -m
  "$@" </dev/null 9>&- &
  set +m
  wait $!
}

stop_on_exit() {
  trap stop_all EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# Stops what we started, and only that: `up` may have found others running. Goes on after an error.
stop_all() {
  local job name
  set +e
  trap '' HUP INT TERM
  [ -n "$RUN" ] || return
  : >"$RUN/cancelled" # for a server that starts this very moment, see `launch`
  # KILL, because mysqld and mariadbd shrug TERM off while they make their first data. apt-get is
  # out of reach, see `apt_install`.
  for job in $(jobs -p); do disown "$job" && kill -KILL -- "-$job"; done 2>/dev/null
  for name in "${STARTED[@]}"; do stop_server "$RUN/$name"; done
  rm -f "$RUN/cancelled"
  if [ ! -e "$RUN/keep" ]; then
    remove "$RUN"
  elif ! compgen -G "$RUN/*/about" >/dev/null; then
    remove "$RUN" "$UP"
  fi
}

# Finds or starts one server. In a subshell, so every server file may use the same names.
provide() ( # NAME
  NAME=$1 DIR=$RUN/$1
  mkdir "$DIR"
  # shellcheck source=/dev/null
  . "tests/servers/$NAME.sh"
  if given; then
    take_given
  elif alive "$UP/$NAME"; then
    take_from_up
  else
    prepare
    if [ -n "$IMAGE" ] && [ -n "$ENGINE" ]; then
      start_container
    else
      start_here
    fi
    await
    exports >"$DIR/exports"
    about "$(version)" "$FROM" "$(address)"
  fi
)

take_given() {
  FROM=$(url_variable)
  parse_url "${!FROM}"
  case $HOST in
    '' | *%*) ;; # a socket: the tests will see
    *) answers || die "$FROM names $HOST:$PORT, where no $NAME answers" ;;
  esac
  echo "$FROM=${!FROM}" >"$DIR/exports"
  about "$(version)" "$FROM" "$(address)"
}

take_from_up() {
  cp "$UP/$NAME/exports" "$DIR/"
  IFS='|' read -r version _ address <"$UP/$NAME/about"
  about "$version" "tests/run up" "$address"
}

start_here() {
  install
  HOST=127.0.0.1 PORT=$(spare_port)
  mkdir "$DIR/tmp"
  if is_root; then chown nobody "$DIR" "$DIR/tmp"; fi
  start
}

about() { # VERSION FROM ADDRESS
  printf '%s|%s|%s\n' "$@" >"$DIR/about"
}

parse_url() { # sets HOST and PORT
  local authority=${1#*://}
  authority=${authority%%[/?]*}
  authority=${authority##*@}
  case $authority in
    \[*\]) HOST=$authority PORT=$DEFAULT_PORT ;;
    *:*) HOST=${authority%:*} PORT=${authority##*:} ;;
    *) HOST=$authority PORT=$DEFAULT_PORT ;;
  esac
  HOST=${HOST#[} HOST=${HOST%]}
}

# What a server file may say otherwise.
url_variable() {
  local store=${NAME//-/_}
  echo "STEWARD_TEST_${store^^}_URL"
}
given() {
  local variable
  variable=$(url_variable)
  [ -n "${!variable:-}" ]
}
prepare() { :; }
ways_out() { echo "start docker or podman, or set $(url_variable)"; }
exports() { echo "$(url_variable)=$(url)"; }
address() { echo "$HOST:$PORT"; }
