# What Redis, its cluster and Valkey have in common: accounts, options, words. Sourced by their server files.

DEFAULT_PORT=6379

# Nobody gets in without a name. Commands of 2 ms are slow enough to be asked about.
OPTIONS=(--user default off
  --user worker on ">$PASSWORD" '~*' '&*' +@all
  --user reader on ">$PASSWORD" '~*' '&*' +@read +@connection +info
  --save '' --appendonly no --slowlog-log-slower-than 2000)
# Every test may have a database of its own.
ALONE=(--databases 512)

url() { echo "redis://worker:$PASSWORD@$HOST:$PORT/0"; }

# From a server that was given to us any answer will do, and ours is not the password to send there.
answers() {
  if [ "$FROM" = "$(url_variable)" ]; then
    [[ $(greeting 1 'PING\r\n') == [+-] ]]
  else
    [[ $(say_as_worker PING) == *+PONG* ]]
  fi
}

version() {
  [ "$FROM" = "$(url_variable)" ] || say_as_worker 'INFO server' | tr -d '\r' |
    sed -n 's/^\(redis\|valkey\)_version://p' | tail -n 1
}

say_as_worker() { greeting 20000 "AUTH worker $PASSWORD\r\n$1\r\nQUIT\r\n"; } # COMMAND
