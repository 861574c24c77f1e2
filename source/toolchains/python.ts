import path from 'node:path';
import {Refusal} from '../core/refusal.ts';
import type {Toolchain} from '../core/toolchain.ts';
import {isFolder, isWithin, namesIn, nearest, newestOf, readOnly, readText, realPlace} from './look.ts';

/** Python by pyenv, whose programs are shims. */
export const pyenv: Toolchain = {
	id: 'pyenv',
	title: 'pyenv',
	variables: ['PYENV_ROOT', 'PYENV_VERSION'],
	find(folder, shell) {
		const root = shell.environment['PYENV_ROOT'] ?? path.join(shell.home, '.pyenv');
		if (!isWithin(folder, root)) {
			return undefined;
		}

		if (folder !== path.join(root, 'shims')) {
			// pyenv itself, and shims of its plugins: they change what is installed, which stays outside.
			return isWithin(folder, path.join(root, 'versions'))
				? version(path.dirname(folder))
				: {...nothing, title: 'pyenv'};
		}

		const text =
			shell.environment['PYENV_VERSION'] ??
			nearest(shell, ['.python-version'])?.text ??
			readText(path.join(root, 'version')) ??
			'system';
		const wanted = text.split(/[\s:]+/).filter(name => /^[\w.-]+$/.test(name) && name !== 'system');
		const installed = namesIn(path.join(root, 'versions'));
		const places: string[] = [];
		for (const name of wanted) {
			const known = newestOf(installed, name);
			if (known === undefined) {
				return new Refusal(`the project wants Python ${name}, which is not installed`, `pyenv install ${name}`);
			}

			places.push(path.join(root, 'versions', known));
		}

		const found = places.map(place => version(place));
		return {
			title: places.length === 0 ? 'pyenv' : `Python ${places.map(place => path.basename(place)).join(', ')} (pyenv)`,
			path: found.flatMap(one => one.path),
			mounts: found.flatMap(one => one.mounts),
			env: {},
		};
	},
};

const nothing = {path: [], mounts: [], env: {}};

/** One installed version; of a virtual environment, the Python that it is made of, too. */
function version(place: string) {
	const real = realPlace(place) ?? place;
	const [, base] = /^home = (.+)\/bin$/m.exec(readText(path.join(real, 'pyvenv.cfg')) ?? '') ?? [];
	return {
		title: `Python ${path.basename(place)}`,
		path: [path.join(real, 'bin')],
		mounts: readOnly(real, ...(base !== undefined && isFolder(base) ? [base] : [])),
		env: {},
	};
}
