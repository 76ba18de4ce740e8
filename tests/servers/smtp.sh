# An SMTP server that keeps every mail and fails on demand: smtp_sink.py, on aiosmtpd in a venv.
. tests/servers/tls.sh

IMAGE= # the tests read its folder of mails, so it always runs here
VENV=$CACHE/aiosmtpd
STOP_SIGNAL=TERM

# All of them, or ours: no other server has the mails and the faults.
# STEWARD_TEST_SMTP_URL names one more server; the tests get it as it is.
given() {
  local name
  for name in STARTTLS_PORT TLS_PORT PLAIN_PORT USER PASSWORD CA MAIL FAULT; do
    name=STEWARD_TEST_SMTP_$name
    [ -n "${!name:-}" ] || return 1
  done
}

take_given() {
  compgen -v STEWARD_TEST_SMTP_ | while read -r name; do echo "$name=${!name}"; done >"$DIR/exports"
  HOST=127.0.0.1 PORT=$STEWARD_TEST_SMTP_PLAIN_PORT
  [ "$(greeting 3)" = 220 ] || die "STEWARD_TEST_SMTP_PLAIN_PORT names $HOST:$PORT, where no SMTP server answers"
  about "" "STEWARD_TEST_SMTP_*" "$HOST:$PORT"
}

ways_out() { echo "set all of STEWARD_TEST_SMTP_*"; }

prepare() { make_certificates "$DIR/tls"; }

# The system's Python first: one below /root is out of reach for `nobody`.
install() {
  local python=/usr/bin/python3
  [ -x "$python" ] || command -v python3 >/dev/null || apt_install python3 python3-venv
  [ -x "$python" ] || python=$(command -v python3)
  exec 6>"$VENV.lock" && flock -w 600 6
  if ! "${AS_USER[@]}" "$VENV/bin/python" -c 'import aiosmtpd' 2>/dev/null; then
    "$python" -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
    say "$NAME: installing aiosmtpd"
    rm -rf "$VENV"
    { "$python" -m venv "$VENV" && "$VENV/bin/pip" install -q aiosmtpd==1.4.6; } >"$DIR/pip.log" 2>&1 ||
      { log_tail "$DIR/pip.log" && die "pip did not install aiosmtpd"; }
  fi
  exec 6>&-
  FROM="Python package"
}

start() {
  # Read from $DIR: the checkout may be out of reach for `nobody`.
  cp tests/servers/smtp_sink.py "$DIR/"
  launch "$VENV/bin/python" -u "$DIR/smtp_sink.py" "$DIR" worker "$PASSWORD"
}

answers() { [ -s "$DIR/ports" ]; }
version() { "$VENV/bin/python" -c 'import aiosmtpd; print("aiosmtpd", aiosmtpd.__version__)'; }

exports() {
  sed 's/^/STEWARD_TEST_SMTP_/' "$DIR/ports"
  printf 'STEWARD_TEST_SMTP_%s\n' USER=worker PASSWORD="$PASSWORD" CA="$DIR/tls/ca.pem" MAIL="$DIR/mail" FAULT="$DIR/fault"
}

address() { sed -E 's/_PORT//; s/(.*)=(.*)/\2 \1/' "$DIR/ports" | tr '\n' ',' | sed 's/^/127.0.0.1:/; s/,$//; s/,/, /g'; }
