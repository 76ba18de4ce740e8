# MariaDB: the official image, or Debian's package.
. tests/servers/mysql-protocol.sh

OPTIONS=(--innodb-buffer-pool-size=64M --skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=OFF
  --character-set-server=utf8mb4 --max-connections=400)

IMAGE=mariadb:10.11 IMAGE_PORT=3306
IMAGE_ENV=(-e "MARIADB_ROOT_PASSWORD=$PASSWORD" -e MARIADB_INITDB_SKIP_TZINFO=1)
IMAGE_OPTIONS=("${OPTIONS[@]}")

url() { echo "mysql://root:$PASSWORD@$HOST:$PORT/mysql"; }

install() {
  [ -x /usr/sbin/mariadbd ] || apt_install mariadb-server
  FROM="Debian's package"
}

# A temporary folder of its own: a MariaDB that starts removes the temporary tables of all others in /tmp.
start() {
  local folders=(--datadir="$DIR/data" --tmpdir="$DIR/tmp")
  "${AS_USER[@]}" mariadb-install-db --no-defaults "${folders[@]}" --skip-test-db >"$DIR/log" 2>&1 ||
    { log_tail "$DIR/log" && die "mariadb-install-db ended in an error"; }
  root_from_anywhere >"$DIR/init.sql"
  launch /usr/sbin/mariadbd --no-defaults "${folders[@]}" --init-file="$DIR/init.sql" --bind-address=127.0.0.1 --port="$PORT" \
    --socket="$DIR/socket" --pid-file="$DIR/mariadbd.pid" "${OPTIONS[@]}"
}
