// What dependencies cost a run: cold and warm start, beside the package manager alone and a plain copy, and the disk.
// Needs a registry: packages are fetched from where this machine's npm fetches them.
import {execFileSync, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {firstByte, median, openTable, openUndo, report, seconds} from './table.ts';
import {Fleet} from '../../test/support/fleet.ts';

/** About 30,000 files in few packages: what is measured is files, not the registry. */
const dependencies = {
	'@mui/icons-material': '5.16.7',
	react: '18.3.1',
	'react-dom': '18.3.1',
	'@mui/material': '5.16.7',
	mocha: '11.0.1',
	express: '4.21.2',
};
const warmStarts = 7;
const runs = 10;

const {rows, add} = openTable();
const {hooks, undo} = openUndo();

function timed(work: () => void): number {
	const began = performance.now();
	work();
	return performance.now() - began;
}

const diskOf = (folder: string) =>
	Number(execFileSync('du', ['-s', '-B1', '--', folder], {encoding: 'utf8'}).split('\t')[0]);

const manifest = JSON.stringify({name: 'bench', version: '1.0.0', private: true, dependencies});
const npm = (...argv: string[]) => ['npm', ...argv, '--no-audit', '--no-fund', '--ignore-scripts'];
const hosts = [new URL(execFileSync('npm', ['config', 'get', 'registry'], {encoding: 'utf8'}).trim()).host];
const files = {'package.json': manifest, '.gitignore': 'node_modules\n'};
const plain = new Fleet(hooks, {files, policy: 'verify: ["true"]\n'});
const cold = path.join(plain.folder, 'alone');
mkdirSync(cold);
writeFileSync(path.join(cold, 'package.json'), manifest);
// Not what npm tells the program that it runs.
const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
const run = ([program, ...argv]: string[], home: string) => {
	const {status, stdout, stderr} = spawnSync(program!, argv, {
		cwd: cold,
		env: {...outer, HOME: home},
		encoding: 'utf8',
	});
	if (status !== 0) {
		throw new Error(`${program} ${argv.join(' ')}: ${status}\n${stdout}${stderr}`);
	}
};

run(npm('install', '--package-lock-only'), path.join(plain.folder, 'home-0'));
const lock = readFileSync(path.join(cold, 'package-lock.json'), 'utf8');
const alone = [1, 2].map(number => {
	rmSync(path.join(cold, 'node_modules'), {recursive: true, force: true});
	return timed(() => run(npm('ci'), path.join(plain.folder, `home-${number}`)));
});
add('npm ci alone, nothing cached', seconds(Math.min(...alone)));
const count = Number(execFileSync('sh', ['-c', 'find node_modules | wc -l'], {cwd: cold, encoding: 'utf8'}));
add('files and folders of the dependencies', String(count));
add(
	'a plain copy of them (cp -a)',
	seconds(timed(() => cpSync(path.join(cold, 'node_modules'), path.join(cold, 'copy'), {recursive: true}))),
);

const policy = `setup: ["${npm('ci').join(' ')}"]\nnetwork: ${JSON.stringify(hosts)}\nverify: ["test -d node_modules/mocha"]\n`;
const fleet = new Fleet(hooks, {files: {...files, 'package-lock.json': lock}, policy});
try {
	const first = await firstByte(fleet, 'cold');
	add(
		'a cold start of a run, to its first byte',
		seconds(first),
		`${(first / Math.min(...alone)).toFixed(2)} × npm ci alone`,
		'≤ 1.1 ×',
	);
	const starts: {with: number[]; without: number[]} = {with: [], without: []};
	for (let number = 0; number < warmStarts; number++) {
		starts.without.push(await firstByte(plain, `plain-${number}`));
		starts.with.push(await firstByte(fleet, `warm-${number}`));
	}

	add('a start without dependencies, to its first byte', seconds(median(starts.without)));
	add(
		'a warm start with them',
		seconds(median(starts.with)),
		`${seconds(median(starts.with) - median(starts.without))} more`,
		'≤ 0.5 s more',
	);
	const state = path.join(fleet.env['FLEET_HOME']!, 'state');
	const caches = path.join(state, 'caches');
	const used = () => diskOf(state) - (existsSync(caches) ? diskOf(caches) : 0);
	const layers = diskOf(path.join(state, 'layers'));
	for (let number = warmStarts; number < runs - 1; number++) {
		await firstByte(fleet, `warm-${number}`);
	}

	const all = used();
	const one = layers + (all - layers) / runs;
	add(
		`the disk of ${runs} runs`,
		`${Math.round(all / 1024 ** 2)} MiB`,
		`${(all / one).toFixed(2)} × one run's ${Math.round(one / 1024 ** 2)} MiB`,
		'≤ 1.2 ×',
	);
	fleet.run(['stop', 'cold']);
	const verified = timed(() => {
		fleet.must('run', '--name', 'work', '--', 'sh', '-c', 'echo > b.txt');
		while (fleet.stage('work') !== 'stopped') {
			spawnSync('sleep', ['0.1']);
		}

		fleet.must('verify', 'work');
	});
	add('a run that writes a file, and its verification with the dependencies', seconds(verified));
} finally {
	undo();
}

report(rows, process.argv.slice(2));
