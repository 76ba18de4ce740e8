# Redis: the official image, or Debian's package.
. tests/servers/redis-protocol.sh

IMAGE=redis:7 IMAGE_PORT=6379
IMAGE_ENV=()
IMAGE_OPTIONS=(redis-server "${OPTIONS[@]}" "${ALONE[@]}")

install() {
  [ -x /usr/bin/redis-server ] || apt_install redis-server
  FROM="Debian's package"
}

start() { launch redis-server --bind 127.0.0.1 --port "$PORT" --dir "$DIR" "${OPTIONS[@]}" "${ALONE[@]}"; }
