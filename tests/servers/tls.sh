# Certificates for a server of ours. Sourced by the server files.

# A CA and a certificate for localhost and 127.0.0.1, of version 3, which rustls insists on.
# The key may be read by all: it is worth nothing, and inside a container the server is another user.
make_certificates() { # FOLDER: gets ca.pem, server.pem, server.key
  command -v openssl >/dev/null || apt_install openssl
  mkdir -p "$1"
  (
    cd "$1"
    new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${new_key[@]}" -days 3650 -subj "/CN=steward tests CA" -keyout ca.key -out ca.pem \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
    openssl req "${new_key[@]}" -subj /CN=localhost -keyout server.key -out server.csr
    printf '%s\n' subjectAltName=DNS:localhost,IP:127.0.0.1 basicConstraints=CA:FALSE extendedKeyUsage=serverAuth >server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile server.ext -out server.pem
    chmod 644 ./*
  ) >"$DIR/tls.log" 2>&1 || { log_tail "$DIR/tls.log" && die "openssl made no certificates"; }
}
