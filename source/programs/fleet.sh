#!/bin/sh
# `fleet`. Where Node itself cannot start, which a run may cause that takes what an account has in all, `fleet stop` and
# `fleet pause` still work: by a signal to the run's supervisor, which needs nothing but this shell.
here=$(readlink -f -- "$0")
here=${here%/*}
node=node
# In a checkout: the Node that it was built with, which may be one of its own.
if [ -r "$here/../scripts/node/path" ]; then
	read -r own <"$here/../scripts/node/path"
	[ ! -x "$own" ] || node=$own
fi

case ${1-} in
stop | pause | freeze) ;;
*)
	if ! command -v "$node" >/dev/null; then
		printf 'fleet: there is no Node on PATH\n  hint: install Node 22.22 or later\n' >&2
		exit 2
	fi

	exec "$node" "$here/fleet.cjs" "$@"
	;;
esac

"$node" "$here/fleet.cjs" "$@"
code=$?
case $code in
# Not found, not startable; ended by SIGABRT, SIGBUS, SIGKILL, SIGSEGV, SIGTRAP: fleet did not answer.
126 | 127 | 132 | 133 | 134 | 135 | 137 | 139) ;;
*) exit "$code" ;;
esac

. "$here/panic.sh"
