#!/bin/sh
# `fleet`. Where Node itself cannot start, which a run may cause that takes what an account has in all, `fleet stop` and
# `fleet pause` still work: by a signal to the run's supervisor, which needs nothing but this shell.
here=$(readlink -f -- "$0")
here=${here%/*}
case ${1-} in
stop | pause | freeze) ;;
*) exec node "$here/fleet.js" "$@" ;;
esac

node "$here/fleet.js" "$@"
code=$?
case $code in
# Not found, not startable; ended by SIGABRT, SIGBUS, SIGKILL, SIGSEGV, SIGTRAP: fleet did not answer.
126 | 127 | 132 | 133 | 134 | 135 | 137 | 139) ;;
*) exit "$code" ;;
esac

. "$here/panic.sh"
