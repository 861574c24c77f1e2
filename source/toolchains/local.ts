import {closeSync, openSync, readSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../core/plan.ts';
import {findSuspects} from '../core/secrets/suspects.ts';
import type {Toolchain} from '../core/toolchain.ts';
import {isFolder, isProgram, isWithin, namesIn, readOnly, readText, realPlace} from './look.ts';

/* ~/.local/bin and ~/bin: what pipx, uv, installers and the person put there. */

/** The first bytes of a file; empty where it cannot be read. */
function beginning(file: string): string {
	const buffer = Buffer.alloc(256);
	try {
		const descriptor = openSync(file, 'r');
		try {
			return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0)).toString('latin1');
		} finally {
			closeSync(descriptor);
		}
	} catch {
		// Not readable: nothing that a run could start.
		return '';
	}
}

/** Where tools are installed, each in a folder of its own, to which links in the folder of programs lead. */
function treesOf(home: string, environment: Readonly<Record<string, string | undefined>>): string[] {
	const data = environment['XDG_DATA_HOME'] ?? path.join(home, '.local/share');
	return [
		environment['PIPX_HOME'] === undefined
			? path.join(data, 'pipx/venvs')
			: path.join(environment['PIPX_HOME'], 'venvs'),
		path.join(home, '.local/pipx/venvs'),
		path.join(data, 'uv/tools'),
		path.join(data, 'uv/python'),
	];
}

/** The Python that a virtual environment is made of. */
function baseOf(tree: string): string[] {
	const [, base] = /^home = (.+)\/bin$/m.exec(readText(path.join(tree, 'pyvenv.cfg')) ?? '') ?? [];
	return base === undefined || base === '/usr' ? [] : [base];
}

/** Bytes of a script that are looked through; a longer one stays outside. */
const maxScriptBytes = 256 * 1024;

/** Words beside which people write logins, and addresses with one. A script with any of them stays outside. */
const loginWords =
	/token|secret|passw|passphrase|credential|bearer|cookie|auth|api[_-]?key|private[_-]?key|:\/\/[^/\s'"]*@/i;

/** Whether a script can be shown: nothing in it looks like a login, by word or by shape. */
function isPlainScript(file: string): boolean {
	const text = readText(file, maxScriptBytes);
	if (text === undefined || !text.startsWith('#!') || text.includes('\0') || loginWords.test(text)) {
		return false;
	}

	const lines = text.split('\n').map((line, index) => ({number: index + 1, text: line}));
	return findSuspects(file, lines).length === 0;
}

/**
 * Programs, what pipx and uv installed for them, and scripts without a login. Scripts of people's own hold tokens
 * now and then: one in which anything looks like it stays outside, and the person can name its folder as a toolchain.
 */
export const local: Toolchain = {
	id: 'local',
	title: '~/.local/bin (pipx, uv)',
	variables: ['PIPX_HOME', 'XDG_DATA_HOME'],
	find(folder, {home, environment}) {
		if (![path.join(home, '.local/bin'), path.join(home, 'bin')].includes(folder) || !isFolder(folder)) {
			return undefined;
		}

		const trees = treesOf(home, environment);
		const mounts: Mount[] = [];
		const places = new Set<string>();
		for (const name of namesIn(folder)) {
			const file = path.join(folder, name);
			const real = realPlace(file);
			if (real === undefined || !isProgram(real)) {
				continue;
			}

			const tree = trees.find(place => isWithin(real, place) && real !== place);
			if (tree !== undefined) {
				const own = path.join(tree, real.slice(tree.length + 1).split('/')[0]!);
				places.add(own);
				baseOf(own).forEach(base => places.add(base));
				mounts.push({source: real, target: file, mode: 'read'});
			} else if (beginning(real).startsWith('\u007FELF') || isPlainScript(real)) {
				mounts.push({source: real, target: file, mode: 'read'});
			}
		}

		return mounts.length === 0
			? undefined
			: {
					title: `${mounts.length} programs of ${folder}`,
					path: [folder],
					mounts: [...readOnly(...places), ...mounts],
					env: {},
				};
	},
};
