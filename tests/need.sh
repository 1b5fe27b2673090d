#!/bin/sh
# need.sh PACKAGE...: makes sure that these Debian packages are installed. As root, or with sudo that asks
# for no password, it installs what is missing; otherwise it says the line that does.
missing=
for package in "$@"; do
  case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    *" installed") ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
command -v dpkg-query >/dev/null || { echo "cprof: this is not Debian; install the equivalent of:$missing" >&2; exit 0; }

if [ "$(id -u)" = 0 ]; then sudo=
elif sudo -n true 2>/dev/null; then sudo=sudo
else
  echo "cprof: these Debian packages are missing; install them with: sudo apt-get install$missing" >&2
  exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q -y install --no-install-recommends $missing >&2 ||
  { $sudo apt-get -q update >&2 && $sudo apt-get -q -y install --no-install-recommends $missing >&2; }
