import {isUtf8} from 'node:buffer';
import {execFileSync, spawnSync} from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {Checkout} from '../../source/engine/handover/bring-along.ts';
import {capture} from '../../source/engine/handover/capture.ts';
import type {Context} from '../../source/engine/context.ts';
import {createRun} from '../../source/engine/run/create.ts';
import {mergeTrees} from '../../source/engine/handover/facts.ts';
import {addProject} from '../../source/engine/project/projects.ts';
import {changesOf, findProblems} from '../../source/engine/handover/vet.ts';
import {Git} from '../../source/host/git.ts';
import {Journal} from '../../source/host/journal.ts';
import {adminName} from '../../source/host/worktree.ts';
import {ownerOf} from '../../source/host/run-owner.ts';
import {Chance} from './chance.ts';

/*
 * Random repositories and random work in them, taken over and merged by fleet, and by plain git on another way: a
 * clone, `git add --all`, `git commit`, `git merge`. Trees must be the same, and nothing of the person's may be lost.
 */

const names = [
	'a.txt',
	'b.txt',
	'c.bin',
	'dir/a.txt',
	'dir/d e',
	'dir/sub/f.txt',
	'dir/sub/g',
	'\u00C3\u00BCn\u00C3\u00AF',
	'-dash',
	'"quote"',
	'*star',
	' lead',
	'bad\u00FF',
	'deep/er/and/er/f',
	'UP',
	'x.log',
	'dir/x.log',
	'build/out',
	'a',
	'a/b',
	'dir',
	'$(id)',
	'back\\slash',
	'[x]',
	'run.sh',
];
const rules = ['*.log\n', 'build/\n', '/a\n', '*.txt\n!a.txt\n', 'dir/*\n!dir/a.txt\n', '# none\n', '\\*star\n'];
const attributes = [
	'* text=auto\n',
	'*.txt text eol=crlf\n',
	'*.txt text eol=lf\n',
	'*.bin binary\n',
	'*.txt merge=union\n',
	'b.txt merge=binary\n',
	'* -text\n',
	'*.txt ident\n',
	'*.txt diff=x\n',
	'[attr]m merge=union\n*.txt m\n',
];

type Step = {
	readonly what: 'write' | 'append' | 'remove' | 'mode' | 'link' | 'move' | 'commit' | 'amend' | 'force-add';
	readonly name: string;
	readonly other: string;
	readonly content: string;
	readonly first: boolean;
};

function content(chance: Chance): string {
	const end = chance.pick(['\n', '\n', '\n', '\r\n']);
	const lines = Array.from({length: chance.below(12)}, (_, number) =>
		chance.once(0.8)
			? `line ${number}`
			: chance.pick(['$Id$', '', 'caf\u00C3\u00A9', '\u00FF\u00FE', 'x'.repeat(300), String(chance.below(1000))]),
	);
	return chance.once(0.05)
		? `\0binary${chance.below(1000)}`
		: lines.map(line => line + (chance.once(0.03) ? '\r\n' : end)).join('') + (chance.once(0.1) ? 'no end' : '');
}

function nameOf(chance: Chance): string {
	if (chance.once(0.08)) {
		return chance.pick(['.gitignore', 'dir/.gitignore']);
	}

	return chance.once(0.08) ? chance.pick(['.gitattributes', 'dir/.gitattributes']) : chance.pick(names);
}

function contentFor(chance: Chance, name: string): string {
	if (name.endsWith('.gitignore')) {
		return chance.pick(rules);
	}

	return name.endsWith('.gitattributes') ? chance.pick(attributes) : content(chance);
}

function steps(chance: Chance, count: number, commits: boolean): Step[] {
	return Array.from({length: count}, () => {
		const name = nameOf(chance);
		const what =
			commits && chance.once(0.15)
				? chance.pick(['commit', 'commit', 'amend', 'force-add'] as const)
				: chance.pick(['write', 'write', 'append', 'append', 'remove', 'mode', 'link', 'move'] as const);
		const text = contentFor(chance, name);
		return {
			what: name.includes('.git') && (what === 'link' || what === 'move') ? 'write' : what,
			name,
			other: chance.pick(names),
			content: text,
			first: chance.once(0.5),
		};
	});
}

const bytes = (name: string) => Buffer.from(name, 'latin1');
const join = (folder: string, name: string) => Buffer.concat([Buffer.from(`${folder}/`), bytes(name)]);
const status = (folder: string, name: string) => {
	try {
		return lstatSync(join(folder, name));
	} catch {
		// Also where a file is on the way.
		return undefined;
	}
};

/** Makes room for a path: what stands in its way goes, as when a person replaces a file by a folder. */
function makeRoom(folder: string, name: string): void {
	const parts = name.split('/');
	for (let count = 1; count < parts.length; count++) {
		const parent = parts.slice(0, count).join('/');
		if (status(folder, parent)?.isDirectory() === false) {
			rmSync(join(folder, parent));
		}
	}

	if (parts.length > 1) {
		mkdirSync(join(folder, parts.slice(0, -1).join('/')), {recursive: true});
	}

	remove(folder, name);
}

function remove(folder: string, name: string): void {
	if (status(folder, name)) {
		rmSync(join(folder, name), {recursive: true, force: true});
	}
}

/** Does a step in a folder. @param git commits there @returns the names that it touched */
function perform(step: Step, folder: string, git: (...argv: string[]) => void): string[] {
	const {what, name, other} = step;
	const at = status(folder, name);
	switch (what) {
		case 'write': {
			makeRoom(folder, name);
			writeFileSync(join(folder, name), bytes(step.content));
			return [name];
		}

		case 'append': {
			if (at?.isFile()) {
				const old = readFileSync(join(folder, name), 'latin1');
				writeFileSync(join(folder, name), bytes(step.first ? step.content + old : old + step.content));
			}

			return [name];
		}

		case 'remove': {
			remove(folder, name);
			return [name];
		}

		case 'mode': {
			if (at?.isFile()) {
				chmodSync(join(folder, name), (at.mode & 0o111) === 0 ? 0o755 : 0o644);
			}

			return [name];
		}

		case 'link': {
			makeRoom(folder, name);
			symlinkSync(bytes(step.first ? other : 'nowhere/at all'), join(folder, name));
			return [name];
		}

		case 'move': {
			if (at && !`${other}/`.startsWith(`${name}/`) && !`${name}/`.startsWith(`${other}/`)) {
				makeRoom(folder, other);
				if (status(folder, name)) {
					renameSync(join(folder, name), join(folder, other));
				}
			}

			return [name, other];
		}

		case 'commit':
		case 'amend': {
			git('add', '--all');
			git('commit', '--quiet', '--allow-empty', '--message=step', ...(what === 'amend' ? ['--amend'] : []));
			return [];
		}

		case 'force-add': {
			// Node hands a program no argument that is not UTF-8.
			if (at?.isFile() && isUtf8(bytes(name))) {
				git('--literal-pathspecs', 'add', '--force', '--', Buffer.from(name, 'latin1').toString('utf8'));
			}

			return [];
		}
	}
}

/** Everything in a folder but its git folder: what each path is, byte for byte. */
function snapshot(folder: string): Map<string, string> {
	const found = new Map<string, string>();
	const visit = (prefix: string) => {
		for (const name of readdirSync(prefix === '' ? Buffer.from(folder) : join(folder, prefix), {
			encoding: 'latin1',
		} as never)) {
			const inner = prefix === '' ? name : `${prefix}/${name}`;
			if (inner === '.git') {
				continue;
			}

			const at = status(folder, inner)!;
			if (at.isDirectory()) {
				visit(inner);
			} else {
				found.set(
					inner,
					at.isSymbolicLink()
						? `link ${readlinkSync(join(folder, inner), {encoding: 'latin1'} as never)}`
						: `${at.mode & 0o111 ? 'x' : '-'} ${readFileSync(join(folder, inner), 'latin1')}`,
				);
			}
		}
	};

	visit('');
	return found;
}

function tree(git: (...argv: string[]) => string, commit: string): Map<string, string> {
	return new Map(
		git('ls-tree', '-r', '-z', commit)
			.split('\0')
			.filter(line => line !== '')
			.map(line => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]),
	);
}

export type Round = {readonly problem?: string; readonly outcome: string};

/** One repository, one run, one merge. @returns what is wrong, if anything, and how far it came */
export async function fuzzRound(context: Context, seed: number): Promise<Round> {
	const chance = new Chance(seed);
	const project = await ThrowawayProject.make({...context, actor: 'person:tester'});
	const {folder, project: root} = project;
	const env = {
		PATH: process.env['PATH']!,
		HOME: path.join(folder, 'home'),
		LC_ALL: 'C',
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_AUTHOR_NAME: 'x',
		GIT_AUTHOR_EMAIL: 'x',
		GIT_COMMITTER_NAME: 'x',
		GIT_COMMITTER_EMAIL: 'x',
		GIT_TERMINAL_PROMPT: '0',
	};
	const gitIn =
		(where: string, extra: Record<string, string> = {}) =>
		(...argv: string[]) =>
			execFileSync('git', [...(extra['GIT_DIR'] ? [] : ['-C', where]), ...argv], {
				cwd: where,
				env: {...env, ...extra},
				encoding: 'latin1',
				stdio: ['ignore', 'pipe', 'pipe'],
				maxBuffer: 64 * 1024 ** 2,
			}).replace(/\n$/, '');
	const homeBefore = process.env['HOME'];
	process.env['HOME'] = env.HOME;
	try {
		const person = gitIn(root);
		// A copy of it is to be as clean as it is itself.
		person('config', 'core.checkStat', 'minimal');
		person('config', 'core.trustctime', 'false');
		// The repository, and rules that only the person has.
		if (chance.once(0.2)) {
			person('config', 'core.autocrlf', chance.pick(['true', 'input']));
		}

		if (chance.once(0.3)) {
			writeFileSync(path.join(folder, 'home', 'ignored'), chance.pick(rules));
			writeFileSync(
				path.join(folder, 'home', '.gitconfig'),
				`[core]\n\texcludesFile = ${path.join(folder, 'home', 'ignored')}\n`,
			);
		}

		if (chance.once(0.2)) {
			writeFileSync(path.join(root, '.git', 'info', 'exclude'), chance.pick(rules));
		}

		if (chance.once(0.2)) {
			writeFileSync(path.join(root, '.git', 'info', 'attributes'), chance.pick(attributes));
		}

		if (chance.once(0.5)) {
			writeFileSync(path.join(root, '.gitattributes'), chance.pick(attributes));
		}

		for (const step of steps(chance, 12, false)) {
			perform(step, root, person);
		}

		const hasSubmodule = chance.once(0.12);
		let older = '';
		if (hasSubmodule) {
			const inner = path.join(folder, 'inner');
			mkdirSync(inner);
			const inside = gitIn(inner);
			inside('init', '--quiet');
			for (const number of [1, 2]) {
				writeFileSync(path.join(inner, 'file'), `${number}\n`);
				inside('add', 'file');
				inside('commit', '--quiet', '--message=x');
				older ||= inside('rev-parse', 'HEAD');
			}

			rmSync(path.join(root, 'module'), {recursive: true, force: true});
			person('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '--force', inner, 'module');
		}

		const filtered = chance.once(0.15);
		if (filtered) {
			mkdirSync(path.join(root, 'keys'));
			writeFileSync(path.join(root, 'keys', 'a.key'), 'stored\n');
			person('add', '--all', '--force', 'keys');
			writeFileSync(path.join(root, 'keys', '.gitattributes'), '*.key filter=rot\n');
			person('config', 'filter.rot.clean', `touch ${folder}/ran; tr a-z n-za-m`);
			person('config', 'filter.rot.smudge', `touch ${folder}/ran; tr a-z n-za-m`);
			person('add', '--force', 'keys/.gitattributes');
		}

		// Normalised from the start: whether git looks at a file again
		// is else a matter of the second in which it was written.
		person('-c', 'filter.rot.clean=cat', 'add', '--all');
		person('-c', 'filter.rot.clean=cat', 'commit', '--quiet', '--allow-empty', '--message=base');
		rmSync(path.join(folder, 'ran'), {force: true});
		const base = person('rev-parse', 'HEAD');

		// The run, and the same work in a plain clone.
		const {project: known} = await addProject(project.context, root);
		const run = await createRun(project.context, {
			project: known,
			agent: 'command',
			argv: ['true'],
			name: 'fuzz',
			allow: [],
			because: '',
		});
		const places = project.context.paths.run('fuzz');
		const plain = path.join(folder, 'plain');
		gitIn(folder)('clone', '--quiet', '--no-checkout', root, plain);
		for (const name of ['exclude', 'attributes']) {
			if (existsSync(path.join(root, '.git', 'info', name))) {
				mkdirSync(path.join(plain, '.git', 'info'), {recursive: true});
				cpSync(path.join(root, '.git', 'info', name), path.join(plain, '.git', 'info', name));
			}
		}

		const inPlain = gitIn(plain);
		const crlf = spawnSync('git', ['-C', root, 'config', 'core.autocrlf'], {env, encoding: 'utf8'}).stdout.trim();
		if (crlf !== '') {
			inPlain('config', 'core.autocrlf', crlf);
		}

		inPlain('checkout', '--quiet', '--force', '-B', 'work', base);
		const admin = adminName(places);
		const P = places.privateGit;
		const agent = gitIn(run.worktree, {
			GIT_DIR: path.join(P, 'worktrees', admin),
			GIT_WORK_TREE: run.worktree,
			GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(root, '.git', 'objects'),
			GIT_CONFIG_COUNT: '2',
			GIT_CONFIG_KEY_0: 'core.attributesFile',
			GIT_CONFIG_VALUE_0: path.join(P, 'fleet-attributes'),
			GIT_CONFIG_KEY_1: 'core.excludesFile',
			GIT_CONFIG_VALUE_1: path.join(P, 'fleet-ignored'),
		});
		if (
			hasSubmodule &&
			existsSync(path.join(run.worktree, 'module')) &&
			readFileSync(path.join(run.worktree, 'module', 'file'), 'utf8').trim() !== '2'
		) {
			return {outcome: 'problem', problem: 'the submodule was not filled'};
		}

		const [one, two] = [snapshot(run.worktree), snapshot(plain)];
		for (const name of new Set([...one.keys(), ...two.keys()])) {
			if (one.get(name) !== two.get(name) && !name.startsWith('module/')) {
				return {
					outcome: 'problem',
					problem:
						`the worktree has ${JSON.stringify(name)} otherwise than a clone: ` +
						`${JSON.stringify([one.get(name), two.get(name)])}`,
				};
			}
		}

		let touched = new Set<string>();
		for (const step of steps(chance, 2 + chance.below(10), true)) {
			perform(step, run.worktree, agent);
			for (const name of perform(step, plain, inPlain)) {
				touched.add(name);
			}

			if (step.what === 'commit' || step.what === 'amend') {
				touched = new Set();
			}
		}

		if (hasSubmodule && chance.once(0.5)) {
			for (const git of [agent, inPlain]) {
				git('update-index', '--add', '--cacheinfo', `160000,${older},module`);
			}
		}

		const uid = ownerOf('fuzz');
		if (uid !== undefined) {
			execFileSync('find', [run.worktree, P, '-uid', '0', '-exec', 'chown', '-h', `${uid}:${uid}`, '{}', '+']);
		}

		const before = spawnSync('git', ['--git-dir', path.join(P, 'worktrees', admin), 'rev-parse', 'HEAD'], {
			env,
			encoding: 'utf8',
		}).stdout.trim();
		const journal = Journal.open(places)!;
		let head: string;
		try {
			journal.append({type: 'run.started', attempt: 1, pid: process.pid, sandbox: 'fuzz', notes: []}, 'fleet', false);
			journal.append({type: 'run.exited', code: 0, signal: null, because: 'done'}, 'fleet', false);
			const captured = await capture(project.context, journal);
			if (captured.incomplete !== undefined) {
				return {outcome: 'problem', problem: `not all was captured: ${captured.notes.join('; ')}`};
			}

			head = captured.head;
			const again = await capture(project.context, journal);
			if (again.head !== head) {
				return {outcome: 'problem', problem: 'a second capture gives another commit'};
			}
		} finally {
			journal.close();
		}

		inPlain('add', '--all');
		inPlain('commit', '--quiet', '--allow-empty', '--message=rest');
		const [ours, theirs, tip] = [
			tree(person, head),
			tree(inPlain, 'HEAD'),
			tree(person, spawnSync('git', ['-C', root, 'cat-file', '-e', before], {env}).status === 0 ? before : base),
		];
		for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
			// What nobody touched stays as it is stored; plain git may look at it again, within the same second.
			const kept = ours.get(name) === tip.get(name) && ours.has(name) && !touched.has(name);
			if (ours.get(name) !== theirs.get(name) && !kept) {
				return {
					outcome: 'problem',
					problem:
						`${JSON.stringify(name)} was taken over as ${ours.get(name)}, plain git has ${theirs.get(name)}, ` +
						`before it was ${tip.get(name)}`,
				};
			}
		}

		// The person goes on, and the two are merged.
		if (chance.once(0.5)) {
			for (const step of steps(chance, 1 + chance.below(5), false).filter(
				({name, other}) => !`${name} ${other}`.includes('keys'),
			)) {
				perform(step, root, person);
			}

			person('-c', 'filter.rot.clean=cat', 'add', '--all');
			person('-c', 'filter.rot.clean=cat', 'commit', '--quiet', '--allow-empty', '--message=goes on');
			person('-c', 'filter.rot.smudge=cat', 'reset', '--quiet', '--hard');
		}

		const commonDir = path.join(root, '.git');
		const git = new Git({gitDir: commonDir});
		const target = person('rev-parse', 'HEAD');
		const merged = await mergeTrees({git, commonDir}, target, head);
		const second = path.join(folder, 'second');
		gitIn(folder)('clone', '--quiet', '--no-checkout', root, second);
		for (const name of ['exclude', 'attributes']) {
			if (existsSync(path.join(root, '.git', 'info', name))) {
				mkdirSync(path.join(second, '.git', 'info'), {recursive: true});
				cpSync(path.join(root, '.git', 'info', name), path.join(second, '.git', 'info', name));
			}
		}

		const inSecond = gitIn(second);
		inSecond('checkout', '--quiet', '--force', '-B', 'work', target);
		inSecond('fetch', '--quiet', root, head);
		const plainMerge = spawnSync('git', ['-C', second, 'merge', '--quiet', '--no-ff', '--no-edit', 'FETCH_HEAD'], {
			env,
			encoding: 'latin1',
		});
		const unclean = plainMerge.status !== 0 && inSecond('ls-files', '--unmerged') !== '';
		if (plainMerge.status !== 0 && !unclean && !/would be overwritten|not uptodate/.test(plainMerge.stderr)) {
			return {outcome: 'problem', problem: `plain git does not merge: ${plainMerge.stderr}`};
		}

		if (plainMerge.status === 0 || unclean) {
			if ('tree' in merged !== (plainMerge.status === 0)) {
				return {
					outcome: 'problem',
					problem: `the merge is ${JSON.stringify(merged)}, plain git says ${plainMerge.status}: ${plainMerge.stdout}`,
				};
			}

			if ('tree' in merged && inSecond('rev-parse', 'HEAD^{tree}') !== merged.tree) {
				return {
					outcome: 'problem',
					problem: `the merged trees differ: ${inSecond('diff', '--stat', 'HEAD^{tree}', merged.tree)}`,
				};
			}
		}

		if (!('tree' in merged)) {
			return {outcome: 'conflict'};
		}

		const problems = await findProblems({git, commonDir, root}, run, {base: target, head, tree: merged.tree});
		if (problems.some(({because}) => !/through the filter/.test(because) || !filtered)) {
			return {
				outcome: 'problem',
				problem: `refused without a reason: ${problems.map(({because}) => because).join('; ')}`,
			};
		}

		if (existsSync(path.join(folder, 'ran'))) {
			return {outcome: 'problem', problem: "a filter of the person's ran before anything was merged"};
		}

		// What the person has lying about, and what they were about to do.
		for (const step of steps(chance, chance.below(6), false)) {
			if (!step.name.includes('.git')) {
				perform(step, root, person);
			}
		}

		for (const name of [...tree(person, 'HEAD').keys()].filter(() => chance.once(0.05))) {
			spawnSync(
				'git',
				[
					'-C',
					root,
					'update-index',
					chance.pick(['--assume-unchanged', '--skip-worktree']),
					Buffer.from(name, 'latin1').toString('utf8'),
				],
				{env},
			);
		}

		const commit = person('commit-tree', merged.tree, '-p', target, '-p', head, '-m', 'merge');
		const kept = new Set(person('ls-files', '-z').split('\0'));
		const all = snapshot(root);
		const differing = new Set(person('diff-files', '--name-only', '-z').split('\0'));
		const asked = path.join(folder, 'asked');
		execFileSync('cp', ['-a', root, asked]);
		const plainAsked = spawnSync(
			'git',
			[
				'-C',
				asked,
				'-c',
				'filter.rot.smudge=cat',
				'-c',
				'filter.rot.clean=cat',
				'merge',
				'--quiet',
				'--ff-only',
				commit,
			],
			{env, encoding: 'latin1'},
		);
		const changes = await changesOf(git, target, commit);
		const checkout = new Checkout(new Git({gitDir: commonDir, workTree: root}), commonDir);
		const because = await checkout.inTheWay(target, commit, changes);
		const now = snapshot(root);
		for (const [name, what] of all) {
			if (now.get(name) !== what) {
				return {outcome: 'problem', problem: `looking changed ${JSON.stringify(name)}`};
			}
		}

		if (because !== undefined) {
			const lost = [...all].some(
				([name, what]) => (!kept.has(name) || differing.has(name)) && snapshot(asked).get(name) !== what,
			);
			const flagged = /told to overlook/.test(because);
			return plainAsked.status === 0 && !lost && !flagged
				? {outcome: 'problem', problem: `refused where plain git loses nothing: ${because}`}
				: {outcome: 'in the way'};
		}

		person('update-ref', 'refs/heads/main', commit);
		const became = await checkout.bringAlong(target, commit, changes);
		if (!became.startsWith('updated')) {
			return {outcome: 'problem', problem: became};
		}

		const after = snapshot(root);
		const wanted = tree(person, 'HEAD');
		for (const [name, what] of all) {
			if (
				(!kept.has(name) || (differing.has(name) && !changes.some(change => change.path === name))) &&
				after.get(name) !== what
			) {
				return {
					outcome: 'problem',
					problem:
						`${JSON.stringify(name)} of the person's was lost (${kept.has(name) ? 'changed' : 'not kept'}, ` +
						`${person('ls-files', '-v', '-s', '--', Buffer.from(name, 'latin1').toString('utf8'))}, ` +
						`now ${wanted.get(name)}): ${JSON.stringify([what, after.get(name)]).replaceAll(/x{20,}/g, 'xx')}`,
				};
			}
		}

		for (const change of changes) {
			if (
				change.after === undefined
					? after.has(change.path) && kept.has(change.path)
					: change.after.mode !== '160000' && !after.has(change.path)
			) {
				return {outcome: 'problem', problem: `${JSON.stringify(change.path)} is not as the merge has it`};
			}
		}

		if (plainAsked.status === 0) {
			const plainly = snapshot(asked);
			for (const name of new Set([...after.keys(), ...plainly.keys()])) {
				if (after.get(name) !== plainly.get(name) && wanted.has(name)) {
					return {
						outcome: 'problem',
						problem:
							`${JSON.stringify(name)} is in the checkout otherwise than plain git has it: ` +
							`${JSON.stringify([after.get(name), plainly.get(name)])}`,
					};
				}
			}
		} else {
			return {outcome: 'problem', problem: `brought along where plain git refuses: ${plainAsked.stderr}`};
		}

		return {outcome: problems.length > 0 ? 'refused' : 'merged'};
	} catch (error) {
		return {outcome: 'problem', problem: (error as Error).stack ?? String(error)};
	} finally {
		if (homeBefore === undefined) {
			delete process.env['HOME'];
		} else {
			process.env['HOME'] = homeBefore;
		}

		project.close();
	}
}
