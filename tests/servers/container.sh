# The official images, where a container engine runs. Sourced by tests/run.

# docker or podman, when it is there and really runs: a client without its daemon is common.
container_engine() {
  local engine
  for engine in docker podman; do
    if command -v "$engine" >/dev/null && timeout 10 "$engine" info >/dev/null 2>&1; then
      echo "$engine"
      return
    fi
  done
}

PORTS=() # of a server that has several, or that must know what it is reached at; a server file may set them

# Starts $IMAGE with $IMAGE_ENV and $IMAGE_OPTIONS; the engine chooses the port, unless there are $PORTS. Certificates are copied
# rather than mounted: an engine in a machine of its own sees none of our folders.
start_container() {
  local container publish=(-p "127.0.0.1::$IMAGE_PORT") port
  FROM="$IMAGE in $ENGINE"
  if [ ${#PORTS[@]} -gt 0 ]; then
    publish=()
    for port in "${PORTS[@]}"; do publish+=(-p "127.0.0.1:$port:$port"); done
  fi
  container=$(basename "$RUN")-$NAME
  echo "$ENGINE $container" >"$DIR/container"
  "$ENGINE" image inspect "$IMAGE" >/dev/null 2>&1 || say "$NAME: $ENGINE pulls $IMAGE"
  timeout 600 "$ENGINE" create --name "$container" "${publish[@]}" "${IMAGE_ENV[@]}" \
    "$IMAGE" "${IMAGE_OPTIONS[@]}" >"$DIR/log" 2>&1 ||
    { cat "$DIR/log" >&2 && die "$ENGINE cannot create a container of $IMAGE"; }
  if [ -d "$DIR/tls" ]; then "$ENGINE" cp "$DIR/tls" "$container:$IMAGE_TLS" >/dev/null; fi
  "$ENGINE" start "$container" >/dev/null
  HOST=127.0.0.1
  PORT=$("$ENGINE" port "$container" "$IMAGE_PORT/tcp" | sed -n '1s/.*://p')
}
