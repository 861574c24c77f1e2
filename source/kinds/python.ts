import type {ProjectFolder, Proposed} from '../core/project-kind.ts';
import {hostsIn, unique} from './hosts.ts';
import {stringsOf, tablesOf, valuesOf} from './toml.ts';

/* What pip, uv and poetry have in common: manifests, what tests are run by, the index. */

/** Which tool keeps a folder's packages. */
export type PythonManager = 'uv' | 'poetry' | 'pip';

/** A folder of Python, and what its manifest says. */
export type PythonFolder = {
	readonly manager: PythonManager;
	/** The file by which that is known. */
	readonly by: string;
	/** Tables of pyproject.toml. */
	readonly tables: ReadonlyMap<string, string>;
	/** Requirements of all files and groups, as they are written. */
	readonly wanted: readonly string[];
};

const ofTests = ['dev', 'test', 'tests', 'testing'];

/** Files of requirements at their usual names, those of the project before those of its tests. */
const requirementsNames: readonly string[] = [
	'requirements',
	'requirements/base',
	...ofTests.flatMap(name => [
		`requirements-${name}`,
		`requirements_${name}`,
		`${name}-requirements`,
		`requirements/${name}`,
	]),
].flatMap(name => [`${name}.txt`, `${name}.in`]);

/** The names by which each of these kinds is known. */
export const pythonManifests: readonly string[] = [
	'pyproject.toml',
	'setup.py',
	'setup.cfg',
	'uv.lock',
	'poetry.lock',
	...requirementsNames,
];

/** The names that each of these kinds reads. */
export const pythonFiles: readonly string[] = [
	'pyproject.toml',
	'setup.py',
	'setup.cfg',
	'tox.ini',
	'pytest.ini',
	'.gitignore',
	...requirementsNames,
];

/**
 * Those that are there; what one was made into counts in its place. Where tests have one of their own, what developers
 * install besides (documents, release tools) is left out: it is more, and may pin this very project.
 */
export function requirementsFiles({paths}: ProjectFolder): string[] {
	const there = requirementsNames.filter(name => paths.includes(name));
	const hasTests = there.some(name => /\btests?\b/.test(name.replaceAll('_', '-')));
	const names = there.filter(name => !hasTests || !/\bdev\w*\b/.test(name.replaceAll('_', '-')));
	return names.filter(name => name.endsWith('.txt') || !names.includes(name.replace(/\.in$/, '.txt')));
}

/** @returns undefined where nothing says that this is Python */
export function readPython(folder: ProjectFolder): PythonFolder | undefined {
	const {paths} = folder;
	const pyproject = folder.text('pyproject.toml') ?? '';
	const tables = tablesOf(pyproject);
	const is = (name: string) => paths.includes(name);
	const isProject = tables.has('project') || tables.has('build-system') || tables.has('dependency-groups');
	const candidates: ReadonlyArray<readonly [PythonManager, string, boolean]> = [
		['uv', 'uv.lock', is('uv.lock')],
		['poetry', 'poetry.lock', is('poetry.lock')],
		['uv', 'pyproject.toml', tables.has('tool.uv')],
		['poetry', 'pyproject.toml', tables.has('tool.poetry')],
		['pip', 'pyproject.toml', isProject],
		['pip', 'setup.py', is('setup.py')],
		['pip', 'setup.cfg', is('setup.cfg')],
		['pip', requirementsFiles(folder)[0] ?? '', requirementsFiles(folder).length > 0],
	];
	const [manager, by] = candidates.find(([, , holds]) => holds) ?? [];
	if (manager === undefined || by === undefined) {
		return undefined;
	}

	return {
		manager,
		by,
		tables,
		wanted: [
			...[...tables]
				.filter(([name]) => /depend|group/.test(name))
				.flatMap(([, table]) => [...valuesOf(table).keys(), ...stringsOf(table)]),
			...stringsOf(valuesOf(tables.get('project')).get('dependencies')),
			...requirementsFiles(folder).flatMap(name => (folder.text(name) ?? '').split('\n')),
			...(folder.text('setup.cfg') ?? '').split('\n'),
			...(folder.text('setup.py') ?? '').split(/["']/),
			...(folder.text('tox.ini') ?? '').split('\n'),
		].map(line => line.trim()),
	};
}

/** Whether a package is among what is wanted, in any version. */
export function wants({wanted}: Pick<PythonFolder, 'wanted'>, name: string): boolean {
	return wanted.some(line => line.toLowerCase().startsWith(name) && !/^[\w.-]/.test(line.slice(name.length)));
}

const isTest = (name: string) => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(name);

/** Whether pytest runs the tests: it is configured, wanted, or there is what only it reads. */
export function usesPytest(folder: ProjectFolder, python: PythonFolder): boolean {
	return (
		folder.paths.some(name => name === 'pytest.ini' || /(?:^|\/)conftest\.py$/.test(name)) ||
		python.tables.has('tool.pytest.ini_options') ||
		python.tables.has('tool.pytest') ||
		/^\[(?:tool:)?pytest\]/m.test(`${folder.text('setup.cfg')}\n${folder.text('tox.ini')}`) ||
		wants(python, 'pytest')
	);
}

/**
 * The commands that verify. @param python what starts a module of the environment, such as `.venv/bin/python -m`
 */
export function verifyPython(folder: ProjectFolder, found: PythonFolder, module: (name: string) => string): string[] {
	const linted = wants(found, 'ruff') && (found.tables.has('tool.ruff') || folder.paths.includes('ruff.toml'));
	return [
		...(linted ? [module('ruff check .')] : []),
		...(usesPytest(folder, found) ? [module('pytest')] : []),
		...(!usesPytest(folder, found) && folder.paths.some(name => isTest(name))
			? [module(`unittest discover${testFolder(folder)}`)]
			: []),
	];
}

/** Where unittest has to be told, since it looks into packages alone. */
function testFolder({paths}: ProjectFolder): string {
	const folders = ['tests', 'test'];
	const found = folders.find(name => paths.some(file => file.startsWith(`${name}/`) && isTest(file)));
	return found === undefined || paths.includes(`${found}/__init__.py`) ? '' : ` -s ${found}`;
}

/** The server that shows the project while it is worked on. */
export function previewPython({paths}: ProjectFolder, python: string): string | undefined {
	return paths.includes('manage.py') ? `${python} manage.py runserver` : undefined;
}

/** The package index, and what files name besides or in its place. */
export function indexes(folder: ProjectFolder, python: PythonFolder, lock?: string): string[] {
	const texts = [...requirementsFiles(folder), ...(lock === undefined ? [] : [lock])].map(name => folder.text(name));
	const own = [...python.tables]
		.filter(([name]) => name === 'tool.uv.index' || name === 'tool.poetry.source' || name === 'tool.uv.sources')
		.map(([, table]) => table);
	return unique([
		'pypi.org',
		'files.pythonhosted.org',
		...[...texts, ...own].flatMap(text => hostsIn(text, /((?:git\+)?(?:https?|ssh):\/\/[^\s"',;\]}#]+)/g)),
	]);
}

/** What the three have in common of a proposal. */
export function proposePython(
	folder: ProjectFolder,
	python: PythonFolder,
	own: Pick<Proposed, 'program' | 'setup' | 'verify'> & {
		readonly lock?: string | undefined;
		readonly notes?: readonly string[];
	},
): Proposed {
	const {lock, notes = [], ...rest} = own;
	return {
		...rest,
		by: python.by,
		network: indexes(folder, python, lock),
		inputs: unique([
			...['pyproject.toml', 'setup.py', 'setup.cfg', '.python-version'].filter(name => folder.paths.includes(name)),
			...(python.manager === 'pip' ? requirementsFiles(folder) : []),
			lock,
		]),
		preview: undefined,
		notes,
	};
}

/** A program of PyPI that is not on the machine: what setup fetches, and how it is called from then on. */
export function fetchedByPip(name: string, spec: string): {readonly setup: string; readonly program: string} {
	// In HOME, which runs and verifications have as setup left it, and apart from the packages of the project.
	const home = `"$HOME/.tools/${name}"`;
	return {
		setup: `python3 -m venv ${home} && ${home}/bin/python -m pip install --quiet ${spec}`,
		program: `${home}/bin/${name}`,
	};
}

/** A file that has git ignore the folder that it lies in, where nothing else does. */
export function ignoring(folder: ProjectFolder, environment: string): string {
	const named = new RegExp(
		String.raw`^\s*/?\.?${environment.replace('.', '')}/?\s*$|^\s*/?${environment.replace('.', String.raw`\.`)}/?\s*$`,
		'm',
	);
	return named.test(folder.text('.gitignore') ?? '') ? '' : ` && echo '*' > ${environment}/.gitignore`;
}
