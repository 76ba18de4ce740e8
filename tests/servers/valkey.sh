# Valkey: the official image, or Debian unstable's (Debian 12 has none), unpacked in a folder.
. tests/servers/redis-protocol.sh

TREE=$CACHE/valkey

IMAGE=valkey/valkey:8 IMAGE_PORT=6379
IMAGE_ENV=()
IMAGE_OPTIONS=(valkey-server "${OPTIONS[@]}" "${ALONE[@]}")

install() {
  unpack "$TREE" sid valkey-server
  FROM="Debian unstable's, unpacked"
}

# By the loader and the libraries that came with it, see mysql.sh.
start() {
  local libraries
  libraries=$(echo "$TREE"/usr/lib/*-linux-gnu)
  launch "$libraries"/ld-linux-*.so.* --library-path "$libraries" \
    "$TREE/usr/bin/valkey-server" --bind 127.0.0.1 --port "$PORT" --dir "$DIR" "${OPTIONS[@]}" "${ALONE[@]}"
}
