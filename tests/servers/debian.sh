# Debian's packages: installed (needs root), or unpacked in a folder (needs nobody's leave).
# Sourced by the server files.

# Installs packages and starts no service: where systemd is PID 1, Debian would.
# In a session of its own: an interrupted run must not leave dpkg half way.
apt_install() { # PACKAGE…
  command -v apt-get >/dev/null || die "$* is not installed, and this is not Debian: install it, or $(ways_out)"
  is_root || die "$* is not installed: run as root once, or $(ways_out)"
  say "$NAME: apt-get install $*"
  # shellcheck disable=SC2016 # the inner shell expands
  flock -w 600 "$CACHE/apt.lock" setsid --wait bash -c '
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap "rm -f $policy" EXIT
      printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || true
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
  ' - "$@" >"$DIR/apt.log" 2>&1 </dev/null 9>&- || { log_tail "$DIR/apt.log" && die "apt-get install $* ended in an error"; }
}

# unpack FOLDER SUITE PACKAGE…: the packages of another Debian suite with all their libraries, in
# a folder of their own. No maintainer script runs; apt checks the signatures. Cached.
unpack() {
  local tree=$1 suite=$2
  shift 2
  exec 6>"$tree.lock" && flock -w 600 6
  if [ "$(cat "$tree/.unpacked" 2>/dev/null)" != "$suite $*" ]; then
    command -v apt-get >/dev/null || die "this is not Debian: $(ways_out)"
    say "$NAME: unpacking $* of Debian $suite"
    rm -rf "$tree" "$tree.part"
    mkdir -p "$tree.part"
    download "$tree.part/apt" "$suite" "$@" >"$DIR/apt.log" 2>&1 ||
      { log_tail "$DIR/apt.log" && die "Debian $suite did not give $*"; }
    local package
    for package in "$tree.part"/apt/archives/*.deb; do dpkg-deb -x "$package" "$tree.part"; done
    rm -rf "$tree.part"/{apt,usr/share/{doc,man,locale,info,lintian}}
    echo "$suite $*" >"$tree.part/.unpacked"
    mv "$tree.part" "$tree"
  fi
  exec 6>&-
}

# An apt that believes nothing is installed, with its own lists, and this machine's mirror and ways to reach it.
download() { # FOLDER SUITE PACKAGE…
  local apt=$1 suite=$2
  shift 2
  mkdir -p "$apt"/{etc/preferences.d,sources,state/lists/partial,archives/partial}
  : >"$apt/status"
  cat >"$apt/sources/suite.sources" <<END
Types: deb
URIs: $(debian_mirror)
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
  {
    cat <<END
Dir::Etc "$apt/etc";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Debug::NoLocking "true";
END
    apt-config dump | grep -E '^Acquire::(Check-(Valid-Until|Date)|http|https|Retries)' || true
  } >"$apt/apt.conf"
  export APT_CONFIG=$apt/apt.conf
  apt-get -qq update && apt-get -y -qq --download-only install "$@"
}

debian_mirror() {
  local mirror
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    awk '/^(URIs:|deb )/ { for (i = 2; i <= NF; i++) if ($i ~ /:\/\/.*\/debian\/?$/ && !n++) print $i }')
  [ -n "$mirror" ] || die "/etc/apt names no Debian mirror: $(ways_out)"
  echo "$mirror"
}
