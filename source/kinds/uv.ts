import type {ProjectKind} from '../core/project-kind.ts';
import {
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

/** Python packages by uv. */
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

		const lock = folder.paths.includes('uv.lock') ? 'uv.lock' : undefined;
		const groups = [...python.tables.keys()].includes('project.optional-dependencies') ? ' --all-extras' : '';
		// Without a lock file uv would write one that git does not have yet.
		const sync =
			lock === undefined
				? `uv venv${ignoring(folder, '.venv')} && uv pip install -r pyproject.toml${groups} -e .${usesPytest(folder, python) ? ' pytest' : ''}`
				: `uv sync --frozen${groups}`;
		const late =
			lock !== undefined && usesPytest(folder, python) && !wants(python, 'pytest') ? ['uv pip install pytest'] : [];
		return {
			...proposePython(folder, python, {
				program: 'uv',
				setup: [sync, ...late],
				verify: verifyPython(
					folder,
					python,
					module => `uv run --no-sync ${module.startsWith('unittest') ? 'python -m ' : ''}${module}`,
				),
				lock,
			}),
			preview: previewPython(folder, 'uv run --no-sync python'),
		};
	},
};
