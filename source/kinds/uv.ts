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
	type PythonFolder,
} from './python.ts';
import {stringsOf, valuesOf} from './toml.ts';

/** uv itself, in the versions that the project takes. */
function requirementOf({tables}: PythonFolder): string {
	const [versions = ''] = stringsOf(valuesOf(tables.get('tool.uv')).get('required-version'));
	if (versions === '' || !/^[\w.,<>=!~* ]+$/.test(versions)) {
		return 'uv';
	}

	return `'uv${/^\d/.test(versions) ? '==' : ''}${versions}'`;
}

/** Python packages by uv: the machine's where it is there, else one that setup fetches. */
export const uv: ProjectKind = {
	id: 'uv',
	title: 'uv',
	language: 'Python',
	manifests: pythonManifests,
	reads: [...pythonFiles, 'uv.lock'],
	detect(folder) {
		const python = readPython(folder);
		if (python?.manager !== 'uv') {
			return undefined;
		}

		const own = folder.has('uv') ? undefined : fetchedByPip('uv', requirementOf(python));
		const call = own?.program ?? 'uv';
		const lock = folder.paths.includes('uv.lock') ? 'uv.lock' : undefined;
		const groups = [...python.tables.keys()].includes('project.optional-dependencies') ? ' --all-extras' : '';
		// Without a lock file uv would write one that git does not have yet.
		const sync =
			lock === undefined
				? `${call} venv${ignoring(folder, '.venv')} && ${call} pip install -r pyproject.toml${groups} -e .${usesPytest(folder, python) ? ' pytest' : ''}`
				: `${call} sync --frozen${groups}`;
		const late =
			lock !== undefined && usesPytest(folder, python) && !wants(python, 'pytest')
				? [`${call} pip install pytest`]
				: [];
		return {
			...proposePython(folder, python, {
				program: own ? 'python3' : 'uv',
				setup: [...(own ? [own.setup] : []), sync, ...late],
				verify: verifyPython(
					folder,
					python,
					module => `${call} run --no-sync ${module.startsWith('unittest') ? 'python -m ' : ''}${module}`,
				),
				lock,
			}),
			preview: previewPython(folder, `${call} run --no-sync python`),
		};
	},
};
