/* Services of a project: servers that a run or a verification has for itself, on its own loopback. Pure. */

/** A service that fleet knows how to start, given the folder of its programs. */
export type KnownService = {
	/** Of one folder. */
	readonly programs: readonly string[];
	/** Folders besides the search path's: what a package does not link to. `*` is a version, the highest first. */
	readonly folders: readonly string[];
	/** The package that has them, as most systems call it. */
	readonly package: string;
	/** A shell script; its data go to `$FLEET_SERVICE`, a folder that is kept from attempt to attempt. */
	readonly command: string;
	readonly ready: string | number;
	readonly env: Readonly<Record<string, string>>;
};

/** Neither asks for a password: nobody but the run reaches its loopback. */
export const knownServices: Readonly<Record<string, KnownService>> = {
	postgres: {
		programs: ['postgres', 'initdb', 'pg_isready'],
		folders: ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/usr/libexec/postgresql*'],
		package: 'postgresql',
		// What an attempt that was ended left says that a server runs, by an id that another process has now.
		// What is written outlives the server, and need not outlive the machine.
		command: [
			'data="$FLEET_SERVICE/$(postgres --version | tr -cd 0-9.)"',
			'[ -s "$data/global/pg_control" ] || { rm -rf "$data"; initdb --pgdata="$data" --username=postgres --auth=trust ' +
				'--encoding=UTF8 --locale=C.UTF-8 --no-sync || exit; }',
			'rm -f "$data/postmaster.pid" "$FLEET_SERVICE"/.s.PGSQL.*',
			'exec postgres -D "$data" -c listen_addresses=127.0.0.1 -c port=5432 ' +
				'-c unix_socket_directories="$FLEET_SERVICE" -c fsync=off -c full_page_writes=off',
		].join('\n'),
		ready: 'pg_isready --quiet --host=127.0.0.1 --port=5432',
		env: {
			DATABASE_URL: 'postgresql://postgres@127.0.0.1:5432/postgres',
			PGHOST: '127.0.0.1',
			PGPORT: '5432',
			PGUSER: 'postgres',
			PGDATABASE: 'postgres',
		},
	},
	redis: {
		programs: ['redis-server'],
		folders: [],
		package: 'redis-server',
		command: 'exec redis-server --bind 127.0.0.1 --port 6379 --dir "$FLEET_SERVICE" --save "" --appendonly no',
		ready: 6379,
		env: {REDIS_URL: 'redis://127.0.0.1:6379'},
	},
};

const servicePattern = /^[a-z0-9][a-z0-9-]{0,30}$/;

export function isServiceName(text: string): boolean {
	return servicePattern.test(text);
}

/** A service as it is started. */
export type Service = {
	readonly name: string;
	/** Undefined for the command of a service that is known. */ readonly command: string | undefined;
	readonly ready: string | number | undefined;
	/** What is done once it is ready, at each start. */ readonly prepare: string | undefined;
	readonly env: Readonly<Record<string, string>>;
	/** Seconds until it is ready, at the most. */
	readonly timeout: number;
};

/** The variables of all services. */
export function serviceVariables(services: readonly Service[]): Record<string, string> {
	return Object.assign({}, ...services.map(({env}) => env)) as Record<string, string>;
}

/** The command that ends with 0 once something is ready. A port is looked for where the kernel lists who listens. */
function readyCommand(ready: string | number | undefined): string {
	if (typeof ready !== 'number') {
		return ready ?? ':';
	}

	const hex = ready.toString(16).toUpperCase().padStart(4, '0');
	return `grep -qs ":${hex} [0-9A-F]*:[0-9A-F]* 0A " /proc/net/tcp /proc/net/tcp6`;
}

/** The exit code where a service did not get ready. */
export const exitOfService = 98;

/** Below HOME, inside: a folder of each service's own, and its log beside it. */
export const servicesFolder = '.local/state/fleet/services';

/**
 * In a shell script, takes services from its arguments up to `--`: name, folder of its programs, command, what tells
 * that it is ready, seconds, what prepares it. Each is a session of its own, so that the keyboard's signals do not reach it, and a child
 * of nobody's: the agent must not have to wait for it. It ends with the sandbox.
 */
export const startServices =
	`while [ "$1" != -- ]; do export FLEET_SERVICE="$HOME/${servicesFolder}/$1"; mkdir -p "$FLEET_SERVICE"; ` +
	'rm -f "$FLEET_SERVICE.ended"; ( { PATH="$2${2:+:}$PATH" setsid sh -c "$3"; echo "fleet: ended with exit code $?"; ' +
	': > "$FLEET_SERVICE.ended"; } < /dev/null > "$FLEET_SERVICE.log" 2>&1 & ); i=0; ' +
	'until [ -e "$FLEET_SERVICE.ended" ] || PATH="$2${2:+:}$PATH" sh -c "$4" > /dev/null 2>&1 || [ "$i" -ge $(($5*5)) ]; ' +
	'do i=$((i+1)); sleep 0.2; done; ' +
	'if [ -e "$FLEET_SERVICE.ended" ] || ! PATH="$2${2:+:}$PATH" sh -c "$4" > /dev/null 2>&1; then ' +
	'printf "fleet: the service %s did not get ready; the end of its log:\\n" "$1" >&2; ' +
	`tail -n 20 "$FLEET_SERVICE.log" >&2; exit ${exitOfService}; fi; unset FLEET_SERVICE; ` +
	'PATH="$2${2:+:}$PATH" sh -c "$6" > /dev/null < /dev/null || ' +
	`{ printf "fleet: the service %s could not be prepared\\n" "$1" >&2; exit ${exitOfService}; }; shift 6; done; shift; `;

/** A service with the folder that its programs were found in; empty where it is not one that is known. */
export type FoundService = Service & {readonly folder: string};

/** The arguments for `startServices`. */
export function serviceArguments(services: readonly FoundService[]): string[] {
	return [
		...services.flatMap(({name, folder, command, ready, timeout, prepare}) => [
			name,
			folder,
			command ?? knownServices[name]!.command,
			readyCommand(ready),
			String(timeout),
			prepare ?? ':',
		]),
		'--',
	];
}
