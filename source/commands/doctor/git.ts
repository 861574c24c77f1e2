import {execFile} from 'node:child_process';
import type {Availability} from '../../core/seams.ts';

function output(argv: string[]): Promise<string | undefined> {
	return new Promise(resolve => {
		execFile(argv[0]!, argv.slice(1), {timeout: 5000}, (error, stdout) => resolve(error ? undefined : stdout.trim()));
	});
}

/** Whether git is here, and new enough. */
export async function checkGit(): Promise<Availability> {
	const version = (await output(['git', '--version']))?.replace('git version ', '');
	if (version === undefined) {
		return {works: false, version: '', because: 'git is not installed', hint: 'fleet doctor --fix', missing: ['git']};
	}

	const [major = 0, minor = 0] = version.split('.').map(Number);
	return major > 2 || (major === 2 && minor >= 38)
		? {works: true, version, because: `git ${version} merges in memory`, hint: ''}
		: {
				works: false,
				version,
				because: `git ${version} is too old: merge-tree --write-tree needs 2.38`,
				hint: 'upgrade git',
			};
}
