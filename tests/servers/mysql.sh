# MySQL 9: the official image, or Debian unstable's (no Debian release has MySQL), unpacked in a folder.
. tests/servers/mysql-protocol.sh
. tests/servers/tls.sh

TREE=$CACHE/mysql
OPTIONS=(--mysqlx=OFF --secure-file-priv=NULL --performance-schema=OFF --innodb-buffer-pool-size=64M --skip-log-bin
  --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=OFF --max-connections=400)

IMAGE=mysql:9 IMAGE_PORT=3306
IMAGE_ENV=(-e "MYSQL_ROOT_PASSWORD=$PASSWORD" -e MYSQL_INITDB_SKIP_TZINFO=1)
IMAGE_TLS=/steward-tests-tls
IMAGE_OPTIONS=("${OPTIONS[@]}" --ssl-ca="$IMAGE_TLS/ca.pem" --ssl-cert="$IMAGE_TLS/server.pem" --ssl-key="$IMAGE_TLS/server.key")

# caching_sha2_password, the only way in by default, needs TLS over TCP.
url() { echo "mysql://root:$PASSWORD@$HOST:$PORT/mysql?ssl-mode=VERIFY_IDENTITY&ssl-ca=$DIR/tls/ca.pem"; }

prepare() { make_certificates "$DIR/tls"; }

install() {
  unpack "$TREE" sid mysql-server-core
  FROM="Debian unstable's, unpacked"
}

# Without a chroot, and so without root: by the loader and the libraries that came with it.
mysqld() { # sets MYSQLD
  local libraries
  libraries=$(echo "$TREE"/usr/lib/*-linux-gnu)
  MYSQLD=("$libraries"/ld-linux-*.so.* --library-path "$libraries"
    "$TREE/usr/sbin/mysqld" --no-defaults --basedir="$TREE/usr" --plugin-dir="$TREE/usr/lib/mysql/plugin"
    --datadir="$DIR/data" --tmpdir="$DIR/tmp" "${OPTIONS[@]}")
}

start() {
  mysqld
  "${AS_USER[@]}" "${MYSQLD[@]}" --initialize-insecure >"$DIR/log" 2>&1 ||
    { log_tail "$DIR/log" && die "mysqld --initialize-insecure ended in an error"; }
  root_from_anywhere >"$DIR/init.sql"
  launch "${MYSQLD[@]}" --init-file="$DIR/init.sql" --bind-address=127.0.0.1 --port="$PORT" \
    --socket="$DIR/socket" --pid-file="$DIR/mysqld.pid" \
    --ssl-ca="$DIR/tls/ca.pem" --ssl-cert="$DIR/tls/server.pem" --ssl-key="$DIR/tls/server.key"
}
