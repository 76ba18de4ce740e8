# Neo4j Community 5: the official image, or the server put together from the jars of Maven Central.

RELEASE=5.26.30
TREE=$CACHE/neo4j
PATIENCE=180 # a Java server on a machine that compiles meanwhile

IMAGE=neo4j:5-community IMAGE_PORT=7687
IMAGE_ENV=(-e "NEO4J_AUTH=neo4j/$PASSWORD" -e NEO4J_server_memory_pagecache_size=64m -e NEO4J_server_memory_heap_max__size=512m
  -e NEO4J_db_tx__log_preallocate=false -e NEO4J_dbms_security_auth__max__failed__attempts=0)
IMAGE_OPTIONS=()

DEFAULT_PORT=7687

url() { echo "bolt://neo4j:$PASSWORD@$HOST:$PORT"; }

install() {
  command -v java >/dev/null && command -v mvn >/dev/null || apt_install maven default-jre-headless
  exec 6>"$TREE.lock" && flock -w 600 6
  if [ "$(cat "$TREE/.complete" 2>/dev/null)" != "$RELEASE" ]; then
    say "$NAME: fetching the jars of Neo4j $RELEASE"
    rm -rf "$TREE" "$TREE.part"
    mkdir -p "$TREE.part"
    fetch_jars || fetch_jars || { log_tail "$DIR/mvn.log" && die "Maven did not fetch Neo4j $RELEASE"; }
    rm -rf "$TREE.part/repository"
    echo "$RELEASE" >"$TREE.part/.complete"
    mv "$TREE.part" "$TREE"
  fi
  exec 6>&-
  FROM="Maven's jars"
}

fetch_jars() {
  cat >"$TREE.part/pom.xml" <<END_OF_POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>steward</groupId><artifactId>tests</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>$RELEASE</version></dependency></dependencies></project>
END_OF_POM
  timeout 600 mvn -B -q -ntp -f "$TREE.part/pom.xml" -Dmaven.repo.local="$TREE.part/repository" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$TREE.part/lib" >"$DIR/mvn.log" 2>&1
}

# Three wrong passwords must not lock the right one out: tests are wrong on purpose. Transaction logs would take 516 MB ahead.
start() {
  mkdir "$DIR"/{conf,data,logs,run,plugins,import}
  cat >"$DIR/conf/neo4j.conf" <<END_OF_CONF
server.bolt.listen_address=127.0.0.1:$PORT
server.bolt.advertised_address=127.0.0.1:$PORT
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
dbms.security.auth_max_failed_attempts=0
END_OF_CONF
  if is_root; then chown -R nobody "$DIR"; fi
  local java=(java -Xms64m -Xmx512m -XX:+UseG1GC -Djava.io.tmpdir="$DIR/tmp" -Dfile.encoding=UTF-8 -Dlog4j2.disable.jmx=true
    -Dio.netty.tryReflectionSetAccessible=true) package
  for package in java.nio java.io sun.nio.ch java.util.concurrent java.lang; do
    java+=(--add-opens="java.base/$package=ALL-UNNAMED")
  done
  java+=(-cp "$TREE/lib/*")
  (cd "$DIR" && NEO4J_HOME=$DIR NEO4J_CONF=$DIR/conf "${AS_USER[@]}" "${java[@]}" \
    org.neo4j.cli.AdminTool dbms set-initial-password "$PASSWORD") >"$DIR/log" 2>&1 ||
    { log_tail "$DIR/log" && die "set-initial-password ended in an error"; }
  launch "${java[@]}" org.neo4j.server.CommunityEntryPoint --console-mode --home-dir="$DIR" --config-dir="$DIR/conf"
}

# Ready is: it lets us in and carries out `RETURN 1`. From a server that was given to us, any answer to the handshake will
# do, and ours is not the password to send there.
answers() {
  if [ "$FROM" = "$(url_variable)" ]; then
    [ -n "$(greeting 4 "$HANDSHAKE")" ]
  else
    converse >/dev/null
  fi
}

# The server introduces itself: Neo4j/5.26.30.
version() { [ "$FROM" = "$(url_variable)" ] || converse | grep -aoE 'Neo4j/[0-9.]+' | sed 's/.*\///; q'; }

# Speaks Bolt 4.4, says HELLO, RUN, PULL, and prints what is answered up to the row 1 (B1 71 91 01); fails without it.
HANDSHAKE='\x60\x60\xB0\x17\0\0\4\4\0\0\0\0\0\0\0\0\0\0\0\0'
converse() {
  local words
  words=$(
    message '\xB1\x01\xA4' "$(text user_agent)" "$(text tests/1)" "$(text scheme)" "$(text basic)" \
      "$(text principal)" "$(text neo4j)" "$(text credentials)" "$(text "$PASSWORD")"
    message '\xB3\x10' "$(text 'RETURN 1')" '\xA0\xA0'
    message '\xB1\x3F\xA1' "$(text n)" '\xFF'
  )
  # shellcheck disable=SC2016 # the inner shell expands
  LC_ALL=C timeout 5 bash -c '
    exec 3<>"/dev/tcp/$0/$1" && printf "$2" >&3 && head -c 4 <&3 >/dev/null && printf "$3" >&3 || exit
    while [[ $said != *$'\''\xB1\x71\x91\x01'\'' ]]; do
      IFS= read -r -N 1 byte <&3 || exit
      said+=$byte
    done
    printf "%s\n" "$said"' "$HOST" "$PORT" "$HANDSHAKE" "$words" 2>/dev/null
}

message() { # PART…: escaped bytes; after their length, before an empty chunk
  local all length
  all=$(printf '%s' "$@")
  # shellcheck disable=SC2059 # it is a format
  length=$(printf "$all" | wc -c)
  printf '\\x%02x\\x%02x%s\\0\\0' $((length / 256)) $((length % 256)) "$all"
}

text() { printf '\\x%02x%s' $((0x80 + ${#1})) "$1"; } # at most 15 characters
