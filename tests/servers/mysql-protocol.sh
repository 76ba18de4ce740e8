# What MySQL and MariaDB have in common on the wire and in accounts. Sourced by their server files.

DEFAULT_PORT=3306

# Both greet whoever connects with their version, once they are ready for sessions and not before.
answers() { [ -n "$(version)" ]; }

# MariaDB 10 puts 5.5.5- before its version, for clients of old.
version() { greeting 40 | grep -aoE '[0-9]+\.[0-9]+\.[0-9]+[-+.A-Za-z0-9]*' | sed 's/^5\.5\.5-//; q'; }

# For --init-file, a statement a line. Renamed, because root@localhost without a password would win over root@'%'.
root_from_anywhere() {
  echo "RENAME USER root@localhost TO root@'%';"
  echo "ALTER USER root@'%' IDENTIFIED BY '$PASSWORD';"
}
