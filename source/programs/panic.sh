# What `fleet stop` and `fleet pause` fall back to, with nothing but the shell's own commands: no process is started, and
# no descriptor is needed but for one file at a time. By itself: sh dist/panic.sh stop RUN, or pause RUN, or pause --all.
verb=${1-}
name=
[ "$#" -gt 0 ] && shift
while [ "$#" -gt 0 ]; do
	case $1 in
	--because) [ "$#" -gt 1 ] && shift ;;
	--all) name=$1 ;;
	-*) ;;
	*) name=${name:-$1} ;;
	esac
	shift
done

case $verb in
stop) signal=TERM ;;
pause | freeze) signal=USR2 ;;
*) name= ;;
esac

if [ "$name" = '' ]; then
	echo 'fleet: Node cannot start; name one run' >&2
	echo "  hint: fleet stop RUN, or fleet pause --all" >&2
	exit 2
fi

# Calls its arguments for every supervisor that is this account's, with the run and the process.
each() {
	for place in /proc/[0-9]*; do
		title=
		{ IFS= read -r title < "$place/cmdline"; } 2> /dev/null
		case $title in
		'fleet-supervisor '*) ;;
		*) continue ;;
		esac

		run=${title#fleet-supervisor }
		run=${run%% *}
		if kill -0 "${place#/proc/}" 2> /dev/null; then
			"$@" "$run" "${place#/proc/}"
		fi
	done
}

# A beginning is enough where only one run has it.
match() {
	case $1 in
	"$name") whole=yes ;;
	"$name"*) others=$((others + 1)) ;;
	esac
}

tell() {
	case $name in
	--all) ;;
	*)
		case $1 in
		"$name") ;;
		"$name"*) [ "$whole" = '' ] && [ "$others" -eq 1 ] || return 0 ;;
		*) return 0 ;;
		esac
		;;
	esac

	kill -s "$signal" "$2" 2> /dev/null && told="$told $1"
}

# On a machine that is short of everything one look may see nothing.
told=
for try in 1 2 3; do
	whole=
	others=0
	each match
	each tell
	[ "$told" != '' ] && break
done

if [ "$told" = '' ]; then
	echo "fleet: Node cannot start, and no supervisor of a run \"$name\" was found" >&2
	echo '  hint: end what takes the account'"'"'s resources; ps -u "$USER" shows it' >&2
	exit 2
fi

echo "told to $verb, by a signal since Node cannot start:$told"
