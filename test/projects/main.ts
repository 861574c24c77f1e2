// `npm run test:projects [-- --only NAME…] [--keep]`: real projects from the registries, each from `project add` to a
// merge, with the time of each step. Their sources are fetched when it runs. Exit code 1 if one fails.
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {projects} from './list.ts';
import type {Need, RealProject} from './project.ts';
import {Fleet, type Times} from './steps.ts';
import {bring} from './tools.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

type Outcome = {
	readonly project: RealProject;
	readonly times: Times;
	readonly tests: string;
	readonly result: 'merged' | 'failed' | 'left out';
	readonly because: string;
};

/** What the person's own shell has: nothing of npm's, of a run's, of git's, and not the Node that fleet brings along. */
function personsEnvironment(): Record<string, string> {
	const env = Object.fromEntries(
		Object.entries(process.env).filter(
			(entry): entry is [string, string] => entry[1] !== undefined && !/^(?:npm_|FLEET_|GIT_(?!SSL))/.test(entry[0]),
		),
	);
	const own = path.join(root, 'scripts', 'node');
	const search = (env['PATH'] ?? '')
		.split(':')
		.filter(
			folder => path.isAbsolute(folder) && !/\/node_modules\/|\/node_modules$/.test(folder) && !folder.startsWith(own),
		);
	return {...env, PATH: search.join(':'), LC_ALL: 'C.UTF-8'};
}

function seconds(ms: number | undefined): string {
	return ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`;
}

function row({project, times, tests, result, because}: Outcome): string {
	const cells = [
		project.name,
		project.kind,
		...[times.add, times.cold, times.warm, times.verify, times.merge].map(seconds),
		tests,
		result === 'merged' ? 'merged' : `${result}: ${because.split('\n')[0]!.slice(0, 100)}`,
	];
	return `| ${cells.join(' | ')} |`;
}

function attempt(
	project: RealProject,
	base: string,
	{env, folders}: {env: Record<string, string>; folders: readonly string[]},
): Outcome {
	const times: Times = {};
	const fleet = new Fleet({project, folder: path.join(base, project.name), env, toolchains: folders, times, root});
	try {
		fleet.lay();
		fleet.add();
		fleet.begin('first');
		const tests = fleet.verify();
		fleet.merge();
		fleet.again();
		return {project, times, tests, result: 'merged', because: ''};
	} catch (error) {
		const because = error instanceof Error ? error.message : String(error);
		process.stdout.write(`${because}\n`);
		return {project, times, tests: '', result: 'failed', because};
	} finally {
		fleet.end();
	}
}

const {values} = parseArgs({
	options: {only: {type: 'string', multiple: true}, keep: {type: 'boolean'}, list: {type: 'boolean'}},
});
const wanted = projects.filter(({name}) => values.only === undefined || values.only.includes(name));
if (wanted.length === 0 || values.list) {
	process.stdout.write(projects.map(({name, kind, from}) => `${name}: ${kind}, ${from}\n`).join(''));
	process.exit(values.list ? 0 : 2);
}

const base = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-projects-'));
const outcomes: Outcome[] = [];
try {
	const person = personsEnvironment();
	const tools = path.join(base, 'tools');
	mkdirSync(tools);
	const brought = bring(tools, person, new Set(wanted.flatMap(({needs}) => needs)));
	const env = {...person, PATH: brought.path};
	for (const project of wanted) {
		process.stdout.write(`\n${project.name} (${project.kind}, ${project.from})\n`);
		const lacking = project.needs.find((need: Need) => brought.missing.has(need));
		outcomes.push(
			lacking === undefined
				? attempt(project, base, {env, folders: brought.folders})
				: {project, times: {}, tests: '', result: 'left out', because: `${lacking}: ${brought.missing.get(lacking)}`},
		);
	}
} finally {
	if (values.keep) {
		process.stdout.write(`kept: ${base}\n`);
	} else {
		// Go's module cache is read-only, and a run's files may be another user's.
		spawnSync('chmod', ['-R', 'u+rwX', base], {stdio: 'ignore'});
		rmSync(base, {recursive: true, force: true});
	}
}

const table = [
	'| project | kind | add | cold | warm | verify | merge | tests | result |',
	'| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
	...outcomes.map(row),
].join('\n');
const count = (result: Outcome['result']) => outcomes.filter(outcome => outcome.result === result).length;
process.stdout.write(
	`\n${table}\n\n${count('merged')} passed, ${count('failed')} failed, ${count('left out')} skipped\n`,
);
if (process.env['PROJECTS_TABLE'] !== undefined) {
	writeFileSync(process.env['PROJECTS_TABLE'], `${table}\n`);
}

process.exitCode = count('failed') > 0 || count('merged') === 0 ? 1 : 0;
