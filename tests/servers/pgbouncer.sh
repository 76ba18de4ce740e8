# PgBouncer in transaction mode, with its defaults, before the PostgreSQL that the tests use: Debian's package.

IMAGE= # it must reach the server that the tests reach
STOP_SIGNAL=INT
DEFAULT_PORT=5432

url() { echo "postgres://$ACCOUNT@$HOST:$PORT/postgres"; }

ways_out() { echo "set $(url_variable) to a PgBouncer in transaction mode before STEWARD_TEST_POSTGRES_URL"; }

install() {
  [ -x /usr/sbin/pgbouncer ] || apt_install pgbouncer
  FROM="Debian's package"
}

# Started beside us; its port is known once it answers.
postgres_url() {
  local deadline=$((SECONDS + PATIENCE + 540))
  until [ -s "$RUN/postgres/about" ]; do
    [ "$SECONDS" -lt "$deadline" ] || die "PostgreSQL did not start"
    sleep 0.2
  done
  sed -n 's/^STEWARD_TEST_POSTGRES_URL=//p' "$RUN/postgres/exports"
}

# Two connections of the server for each database: the next transaction is on the other one.
start() {
  local server
  server=$(postgres_url)
  ACCOUNT=${server#*://}
  ACCOUNT=${ACCOUNT%%@*}
  printf '"%s" "%s"\n' "${ACCOUNT%%:*}" "${ACCOUNT#*:}" >"$DIR/users.txt"
  (
    parse_url "$server"
    cat <<END
[databases]
* = host=$HOST port=$PORT
by_statement = host=$HOST port=$PORT dbname=postgres pool_mode=statement

[pgbouncer]
END
  ) >"$DIR/pgbouncer.ini"
  cat >>"$DIR/pgbouncer.ini" <<END
listen_addr = 127.0.0.1
listen_port = $PORT
unix_socket_dir =
auth_type = plain
auth_file = $DIR/users.txt
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
max_client_conn = 200
END
  launch /usr/sbin/pgbouncer "$DIR/pgbouncer.ini"
}

# Asks for a session as far as the password.
answers() { [ "$(greeting 1 '\0\0\0\x29\0\3\0\0user\0postgres\0database\0postgres\0\0')" = R ]; }

version() { /usr/sbin/pgbouncer -V | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; }
