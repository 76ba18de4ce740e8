# A Redis cluster of three primaries without replicas: the official image, or Debian's package.
# Its nodes tell clients their addresses, so a container gets the very ports that are published.
. tests/servers/redis-protocol.sh

STOP_SIGNAL=TERM # the nodes are children, see redis-cluster-nodes.sh

IMAGE=redis:7
IMAGE_ENV=()

prepare() {
  local nodes=() port
  for _ in 1 2 3; do
    port=$(spare_port)
    PORTS+=("$port")
    nodes+=("$port:$(spare_port)")
  done
  IMAGE_PORT=${PORTS[0]}
  NODES=(bash -c "$(cat tests/servers/redis-cluster-nodes.sh)" -)
  ARGUMENTS=("$PASSWORD" "${nodes[*]}" "${OPTIONS[@]}")
  IMAGE_OPTIONS=("${NODES[@]}" 0.0.0.0 "${ARGUMENTS[@]}")
}

install() {
  [ -x /usr/bin/redis-server ] || apt_install redis-server
  FROM="Debian's package"
}

start() {
  PORT=${PORTS[0]}
  launch "${NODES[@]}" 127.0.0.1 "${ARGUMENTS[@]}"
}

url() { echo "redis://worker:$PASSWORD@$HOST:$PORT"; }
address() { (IFS=, && echo "$HOST:${PORTS[*]:-$PORT}"); }

# All three must have heard of each other. Of a cluster that was given to us the named node is enough.
answers() {
  local first=$PORT PORT
  if [ "$FROM" = "$(url_variable)" ]; then
    PORT=$first
    [[ $(greeting 1 'PING\r\n') == [+-] ]]
  else
    for PORT in "${PORTS[@]}"; do
      [[ $(say_as_worker 'CLUSTER INFO') == *cluster_state:ok* ]] || return
    done
  fi
}
