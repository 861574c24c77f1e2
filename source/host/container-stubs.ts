import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../core/plan.ts';

/* What stands in the place of container programs inside: they could reach no daemon, and say nothing of why. */

const programs = ['docker', 'docker-compose', 'podman', 'nerdctl'];

/** Where they are, before every other folder of the search path. */
const inside = '/run/fleet/bin';

/** Exit code 127: it was not run. */
const stub = (name: string) => `#!/bin/sh
echo 'fleet: ${name} is refused in a sandbox: who may start containers is root on this machine' >&2
echo '  hint: name what the project needs under services in .fleet/policy.yaml: postgres, redis, or a command' >&2
exit 127
`;

/**
 * Makes a stub for each container program that this machine has; what is not there stays not there.
 * @param folder of the sandbox's files, on the host
 * @param searchPath as it is inside
 * @param others folders of the person's search path that are not there inside
 */
export function containerStubs(
	folder: string,
	searchPath: readonly string[],
	others: readonly string[],
): {readonly mounts: readonly Mount[]; readonly path: readonly string[]} {
	const places = [...searchPath, ...others];
	const found = programs.filter(name => places.some(place => existsSync(path.join(place, name))));
	if (found.length === 0) {
		return {mounts: [], path: searchPath};
	}

	const source = path.join(folder, 'bin');
	mkdirSync(source, {recursive: true, mode: 0o755});
	for (const name of found) {
		writeFileSync(path.join(source, name), stub(name), {mode: 0o755});
	}

	return {mounts: [{source, target: inside, mode: 'read'}], path: [inside, ...searchPath]};
}
