# PostgreSQL: the official image, or the newest version installed here, or Debian's package.

OPTIONS=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB -c max_connections=200)

IMAGE=postgres:15 IMAGE_PORT=5432
IMAGE_ENV=(-e "POSTGRES_PASSWORD=$PASSWORD")
IMAGE_OPTIONS=("${OPTIONS[@]}")

DEFAULT_PORT=5432
STOP_SIGNAL=QUIT # ends its children and frees its shared memory, which KILL would not

url() { echo "postgres://postgres:$PASSWORD@$HOST:$PORT/postgres"; }

install() {
  [ -n "$(bin)" ] || apt_install postgresql
  FROM="Debian's package"
}

bin() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | while read -r dir; do [ ! -x "$dir/initdb" ] || echo "$dir"; done | tail -n 1; }

start() {
  echo "$PASSWORD" >"$DIR/password"
  (cd "$DIR" && "${AS_USER[@]}" "$(bin)/initdb" -D data -U postgres --pwfile=password --auth-local=trust --auth-host=scram-sha-256 \
    -E UTF8 --locale=C.UTF-8 --no-sync) >"$DIR/log" 2>&1 || { log_tail "$DIR/log" && die "initdb ended in an error"; }
  launch "$(bin)/postgres" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$DIR" "${OPTIONS[@]}"
}

# Asks for a session as far as the password. R: go on; E: an error, for one that still starts up
# (from a server that was given to us, any answer will do).
answers() {
  case $(greeting 1 '\0\0\0\x17\0\3\0\0user\0postgres\0\0') in
    R) ;;
    E) [ "$FROM" = "$(url_variable)" ] ;;
    *) false ;;
  esac
}

version() {
  case $FROM in
    Debian*) "$(bin)/postgres" --version ;;
    "$IMAGE"*) "$ENGINE" exec "$(basename "$RUN")-$NAME" postgres --version ;;
  esac | grep -oE '[0-9]+\.[0-9]+' | head -n 1
}
