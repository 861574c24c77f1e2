import type {ProjectKind} from '../core/project-kind.ts';
import {
	fetchedByPip,
	ignoring,
	previewPython,
	proposePython,
	pythonFiles,
	pythonManifests,
	readPython,
	usesPytest,
	verifyPython,
	wants,
} from './python.ts';

/**
 * Python packages by poetry, the machine's or one that setup fetches, in an environment beside the project: what it names
 * one below HOME by is its path.
 */
export const poetry: ProjectKind = {
	id: 'poetry',
	title: 'Poetry',
	language: 'Python',
	manifests: pythonManifests,
	reads: [...pythonFiles, 'poetry.lock', 'poetry.toml'],
	detect(folder) {
		const python = readPython(folder);
		if (python?.manager !== 'poetry') {
			return undefined;
		}

		const own = folder.has('poetry') ? undefined : fetchedByPip('poetry', 'poetry');
		const call = own?.program ?? 'poetry';
		const lock = folder.paths.includes('poetry.lock') ? 'poetry.lock' : undefined;
		const extras = ['tool.poetry.extras', 'project.optional-dependencies'].some(name => python.tables.has(name));
		const late =
			usesPytest(folder, python) && !wants(python, 'pytest') ? [`${call} run python -m pip install pytest`] : [];
		return {
			...proposePython(folder, python, {
				program: own ? 'python3' : 'poetry',
				setup: [
					...(own ? [own.setup] : []),
					`POETRY_VIRTUALENVS_IN_PROJECT=true ${call} install --no-interaction${extras ? ' --all-extras' : ''}` +
						ignoring(folder, '.venv'),
					...late,
				],
				verify: verifyPython(folder, python, module => `.venv/bin/python -m ${module}`),
				lock,
				notes: lock === undefined ? ['no poetry.lock: setup would make one, which is then a change of the run'] : [],
			}),
			preview: previewPython(folder, '.venv/bin/python'),
		};
	},
};
