# The nodes of redis-cluster.sh as one process, here or in a container: bash -c "$(cat THIS)" - BIND PASSWORD "PORT:BUS …" OPTION…
# When one node ends, all end; and none outlives the process, however that ends.
set -u
bind=$1 REDISCLI_AUTH=$2 nodes=$3 pids=() addresses=()
shift 3
export REDISCLI_AUTH
trap 'kill -KILL "${pids[@]}"; exit' TERM

for node in $nodes; do
  port=${node%:*}
  mkdir -p "node-$port"
  # The bus port would be the port + 10000, where client sockets are.
  setpriv --pdeathsig KILL redis-server --bind "$bind" --port "$port" --cluster-port "${node#*:}" --dir "node-$port" \
    --cluster-enabled yes --cluster-node-timeout 2000 --cluster-announce-ip 127.0.0.1 "$@" &
  pids+=($!)
  addresses+=("127.0.0.1:$port")
done
for address in "${addresses[@]}"; do
  until [ "$(redis-cli --user worker --no-auth-warning -p "${address#*:}" ping 2>&1)" = PONG ] || ! kill -0 "${pids[@]}"; do sleep 0.1; done
done
redis-cli --user worker --no-auth-warning --cluster create "${addresses[@]}" --cluster-yes && wait -n "${pids[@]}"
kill -KILL "${pids[@]}"
exit 1
