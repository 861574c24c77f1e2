import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {placeOfContent} from '../../source/core/git/filters.ts';
import {storedNotes} from '../../source/engine/handover/stored-notes.ts';
import {areTrusted, findFilters, trustFilters} from '../../source/engine/project/filters.ts';
import {openRepository} from '../../source/engine/project/projects.ts';
import {takeContent} from '../../source/host/lfs.ts';
import {lfsProgramText} from '../../source/host/lfs-program.ts';
import {attackContext} from '../support/attack.ts';

/* Files that git stores in another form: Git LFS by fleet's own program, a person's filters once they said yes. */

const context = attackContext();

async function withProject(work: (project: ThrowawayProject) => Promise<void>): Promise<void> {
	const project = await ThrowawayProject.make({...context, actor: 'person:tester'});
	try {
		await work(project);
	} finally {
		project.close();
	}
}

function write(root: string, files: Readonly<Record<string, string | Buffer>>): void {
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(path.join(root, name), content);
	}
}

const oidOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const pointerOf = (content: string | Buffer) =>
	`version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(content)}\nsize ${Buffer.byteLength(content)}`;

const attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\n';

async function withLfs(work: (project: ThrowawayProject) => Promise<void>): Promise<void> {
	await withProject(async project => {
		const {git, project: root} = project;
		git('lfs', 'install', '--local');
		write(root, {'.gitattributes': attributes, 'big.bin': 'content of a large file\n', 'far.bin': 'far away\n'});
		git('add', '--all');
		git('commit', '--quiet', '--message=lfs');
		rmSync(path.join(root, '.git/lfs/objects', placeOfContent(oidOf('far away\n'))));
		await work(project);
	});
}

test('a run sees what Git LFS keeps, where it is there, and what it writes becomes pointers with their content', () =>
	withLfs(async project => {
		const {git, project: root} = project;
		const {run, output} = await project.agent(
			'cat big.bin; head -c 7 far.bin; echo; git status --short; sleep 1.1; touch big.bin; git status --short; ' +
				'echo committed > one.bin; git add one.bin; git commit --quiet --message=one; git cat-file blob HEAD:one.bin; ' +
				'echo uncommitted > two.bin; rm one.bin; git checkout --quiet one.bin; cat one.bin; : > empty.bin',
			{filters: true},
		);
		assert.equal(
			output,
			`content of a large file\nversion\n${pointerOf('committed\n')}\ncommitted`,
			'content where it is, a pointer where it is not, and no change of what was only touched',
		);
		assert.equal((await project.handle(run)).verify, 'true');
		assert.equal(git('diff', '--name-only', 'main', 'fleet/attack').replaceAll('\n', ' '), 'empty.bin one.bin two.bin');
		assert.equal(git('cat-file', 'blob', 'fleet/attack:two.bin'), pointerOf('uncommitted\n'));
		for (const content of ['committed\n', 'uncommitted\n']) {
			assert.equal(
				readFileSync(path.join(root, '.git/lfs/objects', placeOfContent(oidOf(content))), 'utf8'),
				content,
				"its content is in the person's store",
			);
		}
	}));

test('which form a run sees is said', () =>
	withLfs(async project => {
		const {git, commonDir} = await openRepository(project.project);
		const filters = await findFilters({root: project.project}, 'HEAD');
		assert.deepEqual(filters, [{name: 'lfs'}]);
		assert.deepEqual(await storedNotes({git, commonDir}, 'HEAD', filters), [
			'as the filter "lfs" shows it: "big.bin"',
			'as pointers, since your repository does not have their content (git lfs pull): "far.bin"',
		]);
		assert.deepEqual(await storedNotes({git, commonDir}, 'HEAD'), [
			'as they are stored, not as the filter "lfs" shows them: "big.bin" and 1 more',
		]);
	}));

test("content in a pointer's place, and a pointer to nothing, never pass", () =>
	withLfs(async project => {
		const {run} = await project.agent(
			'git config --remove-section filter.lfs; echo raw > raw.bin; git add raw.bin; git commit --quiet --message=raw',
			{filters: true},
		);
		assert.match(
			(await project.handle(run)).verify,
			/^refused: its branch holds what is never merged: "raw\.bin" is stored through the filter "lfs"/,
		);
		const other = await project.agent(`printf '%s\\n' '${pointerOf('nowhere\n')}' > far.bin`, {
			name: 'nothing',
			filters: true,
		});
		assert.match(
			(await project.handle(other.run)).verify,
			/^refused: the snapshot of nothing is incomplete: the content of Git LFS that /,
		);
		// Git LFS removes what it has where a pointer tells another size.
		const sized = (content: string) => pointerOf(content).replace(/size .*/, 'size 7');
		const wrong = await project.agent(`printf '%s\\n' '${sized('content of a large file\n')}' > far.bin`, {
			name: 'size',
			filters: true,
		});
		assert.match(
			(await project.handle(wrong.run)).verify,
			/^refused: the snapshot of size is incomplete: .*another size/,
		);
		for (const [name, content] of [
			['plain-nothing', pointerOf('nowhere\n')],
			['plain-size', sized('content of a large file\n')],
			[
				'plain-extension',
				pointerOf('content of a large file\n').replace('oid', `ext-0-x sha256:${'b'.repeat(64)}\noid`),
			],
		] as const) {
			const plain = await project.agent(`printf '%s\\n' '${content}' > far.bin`, {name});
			assert.match((await project.handle(plain.run)).verify, /"far\.bin" is stored through the filter "lfs"/, name);
		}

		const good = await project.agent(`printf '%s\\n' '${pointerOf('content of a large file\n')}' > far.bin`, {
			name: 'good',
		});
		assert.equal((await project.handle(good.run)).verify, 'true');
	}));

test('content is taken over through no link, and only as what it is named after', t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-lfs-'));
	t.after(() => rmSync(folder, {recursive: true}));
	const [from, to] = [path.join(folder, 'from'), path.join(folder, 'to')];
	const put = (oid: string, make: (file: string) => void) => {
		const file = path.join(from, placeOfContent(oid));
		mkdirSync(path.dirname(file), {recursive: true});
		make(file);
		return takeContent(from, to, {oid, most: 100});
	};

	write(folder, {secret: 'secret\n'});
	assert.equal(
		put(oidOf('good\n'), file => writeFileSync(file, 'good\n')),
		5,
	);
	assert.equal(
		put(oidOf('bad\n'), file => writeFileSync(file, 'else\n')),
		undefined,
	);
	assert.equal(
		put(oidOf('secret\n'), file => symlinkSync(path.join(folder, 'secret'), file)),
		undefined,
	);
	const long = 'x'.repeat(101);
	assert.equal(
		put(oidOf(long), file => writeFileSync(file, long)),
		undefined,
	);
	const behind = oidOf('behind a link\n');
	write(folder, {[behind]: 'behind a link\n'});
	mkdirSync(path.join(from, behind.slice(0, 2)), {recursive: true});
	symlinkSync(folder, path.join(from, behind.slice(0, 2), behind.slice(2, 4)));
	assert.equal(takeContent(from, to, {oid: behind, most: 100}), undefined);
	assert.ok(existsSync(path.join(to, placeOfContent(oidOf('good\n')))));
});

test("fleet's own program stores and shows what git-lfs does, byte for byte", t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-lfs-'));
	t.after(() => rmSync(folder, {recursive: true}));
	const git = (...argv: string[]) =>
		execFileSync('git', ['-C', folder, ...argv], {
			env: {PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1'},
			encoding: 'latin1',
		});
	write(folder, {program: lfsProgramText});
	git('init', '--quiet');
	const files: Record<string, Buffer> = {
		'empty.bin': Buffer.alloc(0),
		'short.bin': Buffer.from('x'),
		'pointer.bin': Buffer.from(`${pointerOf('some\n')}\n`),
		'some.bin': Buffer.from('some\n'),
		'edge.bin': Buffer.alloc(1024, 0),
		'over.bin': Buffer.alloc(1025, 1),
		'packets.bin': Buffer.alloc(3 * 65_516 + 17, 'abc'),
		'a name.bin': Buffer.from([0, 1, 2, 255, 254, 10, 13]),
	};
	write(folder, {'.gitattributes': attributes, ...files});
	const settings = (process: string) => ['-c', `filter.lfs.process=${process}`, '-c', 'filter.lfs.required=true'];
	const ours = settings(`perl ${folder}/program ${folder}/store`);
	const theirs = settings('git-lfs filter-process');
	const stored = (with_: string[]) => {
		rmSync(path.join(folder, '.git/index'), {force: true});
		git(...with_, 'add', '.gitattributes', ...Object.keys(files));
		return git('ls-files', '--stage');
	};

	assert.equal(stored(ours), stored(theirs));
	for (const with_ of [ours, theirs]) {
		for (const name of Object.keys(files)) {
			rmSync(path.join(folder, name));
		}

		git(...with_, 'checkout-index', '--all', '--force');
		for (const [name, content] of Object.entries(files)) {
			const shown = name === 'pointer.bin' ? files['some.bin']! : content;
			assert.ok(shown.equals(readFileSync(path.join(folder, name))), name);
		}
	}
});

test("a person's filters run over a run's files once they said yes, and only as they were then", () =>
	withProject(async project => {
		const {git, project: root, folder} = project;
		const found = () => findFilters({root}, 'HEAD');
		write(root, {'.gitattributes': '*.key filter=rot\n*.nb filter=strip\n', 'a.key': 'secret\n'});
		git('config', 'filter.rot.clean', `touch ${folder}/ran; tr a-z n-za-m`);
		git('config', 'filter.rot.smudge', `touch ${folder}/ran; tr a-z n-za-m`);
		git('config', 'filter.strip.clean', 'grep -v output');
		git('add', '--all');
		git('commit', '--quiet', '--message=key');
		rmSync(path.join(folder, 'ran'));
		const one = await found();
		assert.deepEqual(
			one.map(({name}) => name),
			['rot'],
			'no file passes the other one yet',
		);
		assert.ok(!areTrusted(project.context, {id: 'p'}, one));
		trustFilters(project.context, {id: 'p'}, one);
		assert.ok(areTrusted(project.context, {id: 'p'}, one));
		assert.ok(!areTrusted(project.context, {id: 'other'}, one));
		write(root, {'n.nb': 'cell\noutput\n'});
		git('add', '--all');
		git('commit', '--quiet', '--message=notebook');
		rmSync(path.join(folder, 'ran'), {force: true});
		assert.ok(!areTrusted(project.context, {id: 'p'}, await found()), 'another filter is another question');

		const {run, output} = await project.agent(
			'cat a.key; git status --short; echo more >> a.key; git commit --quiet --all --message=more; ' +
				'echo again >> a.key; printf "new\\noutput\\n" > m.nb',
			{filters: true},
		);
		assert.equal(output, 'secret');
		assert.equal((await project.handle(run)).verify, 'true');
		assert.equal(git('show', 'fleet/attack:a.key'), 'frperg\nzber\nntnva');
		assert.equal(git('show', 'fleet/attack:m.nb'), 'new');
		assert.ok(!existsSync(path.join(folder, 'ran')), 'never on the host');

		const other = await project.agent(
			'git config --unset filter.strip.clean; git config filter.strip.required false; ' +
				'printf "new\\noutput\\n" > m.nb; git add m.nb; git commit --quiet --message=raw',
			{name: 'raw', filters: true},
		);
		assert.match(
			(await project.handle(other.run)).verify,
			/^refused: its branch holds what is never merged: "m\.nb" is not stored as the filter "strip" stores it/,
		);
	}));
