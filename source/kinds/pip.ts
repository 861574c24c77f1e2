import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';
import {
	ignoring,
	previewPython,
	proposePython,
	pythonFiles,
	pythonManifests,
	readPython,
	requirementsFiles,
	usesPytest,
	verifyPython,
	wants,
	type PythonFolder,
} from './python.ts';
import {stringsOf, valuesOf} from './toml.ts';

/** Names under which projects keep what their tests need. */
const testGroups = ['test', 'tests', 'testing', 'dev', 'develop', 'development'];

/** What pip is told to install, and the requirements that come with it as they are written. */
type Installed = {readonly argv: readonly string[]; readonly wanted: readonly string[]};

/** Extras of setup.cfg, and what they hold. */
function setupExtras(text: string | undefined): ReadonlyMap<string, string> {
	const section = /^\[options\.extras_require\]\n((?:(?!\[).*\n?)*)/m.exec(text ?? '')?.[1] ?? '';
	return new Map(
		[...section.matchAll(/^(\w[\w-]*)\s*=(.*(?:\n[ \t]+.*)*)/gm)].map(([, name, value]) => [name!, value!]),
	);
}

/** Files of requirements, the project as it lies there, what its tests need. */
function installed(folder: ProjectFolder, {tables}: PythonFolder): Installed {
	const isPackage =
		tables.has('project') ||
		tables.has('build-system') ||
		['setup.py', 'setup.cfg'].some(name => folder.paths.includes(name));
	const files = requirementsFiles(folder);
	const ofTests = (all: ReadonlyMap<string, string>) => [...all].filter(([name]) => testGroups.includes(name));
	const extras = [
		...ofTests(valuesOf(tables.get('project.optional-dependencies'))),
		...ofTests(setupExtras(folder.text('setup.cfg'))),
	];
	const groups = ofTests(valuesOf(tables.get('dependency-groups'))).slice(0, 1);
	return {
		argv: [
			...files.map(name => `-r ${name}`),
			...(isPackage ? [`-e ${extras.length === 0 ? '.' : `'.[${extras.map(([name]) => name).join(',')}]'`}`] : []),
			...groups.map(([name]) => `--group ${name}`),
		],
		wanted: [
			...files.flatMap(name => (folder.text(name) ?? '').split('\n')),
			...[...extras, ...groups].flatMap(([, value]) => [...stringsOf(value), ...value.split('\n')]),
		].map(line => line.trim()),
	};
}

/** Python packages by pip, in a virtual environment beside the project. */
export const pip: ProjectKind = {
	id: 'pip',
	title: 'pip',
	language: 'Python',
	manifests: pythonManifests,
	reads: pythonFiles,
	detect(folder) {
		const python = readPython(folder);
		if (python?.manager !== 'pip') {
			return undefined;
		}

		const {argv, wanted} = installed(folder, python);
		// What runs the tests, where what is installed does not bring it.
		const what = usesPytest(folder, python) && !wants({wanted}, 'pytest') ? [...argv, 'pytest'] : argv;
		const verify = verifyPython(folder, python, module => `.venv/bin/python -m ${module}`);
		if (what.length === 0) {
			return undefined;
		}

		return {
			...proposePython(folder, python, {
				program: 'python3',
				setup: [
					`python3 -m venv .venv${ignoring(folder, '.venv')}`,
					// Groups are known to pip since 25.1; an environment has the version that came with Python.
					...(what.some(one => one.startsWith('--group')) ? ['.venv/bin/python -m pip install --upgrade pip'] : []),
					`.venv/bin/python -m pip install ${what.join(' ')}`,
				],
				verify,
			}),
			preview: previewPython(folder, '.venv/bin/python'),
		};
	},
};
