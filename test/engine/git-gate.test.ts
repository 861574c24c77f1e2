import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {seed} from '../../source/attacks/project.ts';
import type {Run} from '../../source/core/run/run.ts';
import {Checkout} from '../../source/engine/handover/bring-along.ts';
import {mergeTrees} from '../../source/engine/handover/facts.ts';
import {changesOf, findProblems} from '../../source/engine/handover/vet.ts';
import {Git} from '../../source/host/git.ts';

/* What a merge may hold, and what it may touch of a person's: against repositories made by plain git. */

type Place = {
	folder: string;
	project: string;
	git: (...argv: string[]) => string;
	at(name: string): string;
	write(files: Record<string, string>): void;
	commit(message?: string): string;
};

/** A repository of a person's, and its files' first commit. */
function place(t: TestContext, files: Record<string, string> = {}): Place {
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-gate-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	const project = path.join(folder, 'project');
	const git = seed(project, path.join(folder, 'home'), files);
	const at = (name: string) => path.join(project, name);
	const write = (files: Record<string, string>) => {
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(path.dirname(at(name)), {recursive: true});
			writeFileSync(at(name), content);
		}
	};

	return {
		folder,
		project,
		git,
		at,
		write,
		commit(message = 'work') {
			git('add', '--all');
			git('commit', '--quiet', `--message=${message}`);
			return git('rev-parse', 'HEAD');
		},
	};
}

/** What the gate says of what a branch did. The branch is left, and the checkout is as it was. */
async function gate(
	{project, git}: Place,
	work: () => void,
	options: {included?: string[]; staged?: boolean; ignoreCase?: boolean} = {},
): Promise<string> {
	const base = git('rev-parse', 'main');
	git('checkout', '--quiet', '-B', 'work');
	work();
	git(...(options.staged ? ['status'] : ['add', '--all']));
	git('commit', '--quiet', '--message=work');
	const head = git('rev-parse', 'HEAD');
	git('config', 'core.ignorecase', String(options.ignoreCase ?? false));
	git('checkout', '--quiet', '--force', 'main');
	git('clean', '-fdxq');
	const run = {id: 'r', base, project: {root: project}, included: options.included} as unknown as Run;
	const gitDir = path.join(project, '.git');
	const problems = await findProblems({git: new Git({gitDir}), commonDir: gitDir, root: project}, run, {
		base,
		head,
		tree: git('rev-parse', `${head}^{tree}`),
	});
	return problems.map(({because}) => because).join('\n');
}

const pointer = (digit: string) =>
	`version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 3\n`;

test('a file that is stored in another form is not changed by a run, whatever becomes of its attribute', async t => {
	const project = place(t, {
		'.gitattributes': '*.key filter=crypt\n*.bin filter=lfs\n[attr]secret filter=crypt\n',
		'a.key': 'STORED\n',
		'a.bin': pointer('a'),
		'sub/.gitattributes': 'b.txt secret\n',
		'sub/b.txt': 'STORED\n',
	});
	const {git, write, at} = project;
	const refusal = /"a\.key" is stored through the filter "crypt"/;
	assert.match(await gate(project, () => write({'a.key': 'plain\n'})), refusal);
	assert.match(
		await gate(project, () => write({'a.key': 'plain\n', '.gitattributes': ''})),
		refusal,
		'with the attribute taken away',
	);
	assert.match(await gate(project, () => write({'a.key': 'plain\n', '.gitattributes': '*.key -filter\n'})), refusal);
	assert.match(
		await gate(project, () => write({'.gitattributes': '*.bin filter=lfs\n'})),
		/would no longer have "a\.key" pass through the filter "crypt"/,
	);
	assert.match(
		await gate(project, () => write({'.gitattributes': '* filter=lfs\n'})),
		/would have "a\.txt" pass through the filter "lfs"/,
	);
	assert.match(
		await gate(project, () => write({'sub/b.txt': 'plain\n'})),
		/"sub\/b\.txt" is stored/,
		'a macro, deeper down',
	);
	assert.match(await gate(project, () => write({'new.key': 'plain\n'})), /"new\.key" is stored/);
	assert.match(
		await gate(project, () => write({'a.bin': 'content\n'})),
		/"a\.bin" is stored through the filter "lfs"/,
		"content in a pointer's place",
	);
	assert.match(
		await gate(project, () => {
			rmSync(at('a.bin'));
			write({'a.key': pointer('b')});
		}),
		refusal,
		'a pointer is for LFS alone',
	);
	const pointers = () => write({'a.bin': pointer('b'), 'new.bin': pointer('c'), 'a.txt': 'two\n'});
	assert.match(await gate(project, pointers), /"a\.bin" is stored.*\n"new\.bin" is stored/, 'content that is nowhere');
	for (const [digit, content] of [
		['b', 'two'],
		['c', 'four'],
	] as const) {
		const folder = at(`.git/lfs/objects/${digit.repeat(2)}/${digit.repeat(2)}`);
		mkdirSync(folder, {recursive: true});
		writeFileSync(path.join(folder, digit.repeat(64)), content);
	}

	assert.match(await gate(project, pointers), /^"new\.bin" is stored/, 'content of another size');
	writeFileSync(at(`.git/lfs/objects/cc/cc/${'c'.repeat(64)}`), 'two');
	assert.equal(await gate(project, pointers), '');
	assert.equal(await gate(project, () => git('mv', 'a.key', 'sub/c.key')), '', 'moved as it is stored');
	assert.equal(await gate(project, () => rmSync(at('a.key'))), '');
	// What the person alone knows of.
	mkdirSync(at('.git/info'), {recursive: true});
	writeFileSync(at('.git/info/attributes'), '*.ipynb filter=strip\n');
	assert.match(
		await gate(project, () => write({'n.ipynb': 'output\n'})),
		/"n\.ipynb" is stored through the filter "strip"/,
	);
	writeFileSync(at('.git/info/attributes'), '');
	mkdirSync(path.join(project.folder, 'xdg', 'git'), {recursive: true});
	writeFileSync(path.join(project.folder, 'xdg', 'git', 'attributes'), '*.doc filter=strip\n');
	const before = process.env['XDG_CONFIG_HOME'];
	process.env['XDG_CONFIG_HOME'] = path.join(project.folder, 'xdg');
	try {
		assert.match(
			await gate(project, () => write({'n.doc': 'output\n'})),
			/"n\.doc" is stored through the filter "strip"/,
		);
	} finally {
		if (before === undefined) {
			delete process.env['XDG_CONFIG_HOME'];
		} else {
			process.env['XDG_CONFIG_HOME'] = before;
		}
	}
});

test("what would be a repository, a submodule or another of git's own is not merged", async t => {
	const project = place(t, {'half/HEAD': 'ref: refs/heads/main\n', 'half/objects/x': ''});
	const {git, write, at, folder} = project;
	assert.match(await gate(project, () => write({'half/refs/x': ''})), /"half" is a repository inside the repository/);
	assert.match(
		await gate(project, () => write({'c/HEAD': 'ref: refs/heads/main\n', 'c/commondir': '../x\n'})),
		/"c" is a repository/,
	);
	assert.match(
		await gate(project, () => write({'.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://evil.example/x\n'})),
		/"\.gitmodules" says something new/,
	);
	assert.match(
		await gate(project, () => write({'.lfsconfig': '[lfs]\n\turl = https://evil.example/x\n'})),
		/"\.lfsconfig" says something new: where large files go/,
	);
	assert.match(
		await gate(project, () => write({'sub/.GitAttributes': '* filter=x\n'})),
		/"sub\/\.GitAttributes" stands for \.gitattributes/,
	);
	assert.match(
		await gate(
			project,
			() => git('update-index', '--add', '--cacheinfo', `160000,${git('rev-parse', 'HEAD')},linked`),
			{staged: true},
		),
		/"linked" is a link to another repository/,
	);
	assert.match(await gate(project, () => write({'a\u0007': 'x'})), /control byte/);
	assert.match(
		await gate(project, () => write({'env.local': 'DB=1\n'}), {included: ['env.local']}),
		/"env\.local", which \.worktreeinclude brought/,
	);
	assert.match(
		await gate(
			project,
			() => {
				write({'env.local': 'DB=1\n'});
				git('add', '--all');
				git('commit', '--quiet', '--message=in');
				rmSync(at('env.local'));
				write({other: ''});
			},
			{included: ['env.local']},
		),
		/"env\.local"/,
		'in the middle of its history',
	);
	assert.equal(
		await gate(project, () => write({'a.txt': 'two\n'}), {included: ['a.txt']}),
		'',
		'what the project has itself was not brought',
	);
	assert.match(
		await gate(project, () => write({'A.TXT': 'x\n'}), {ignoreCase: true}),
		/"A\.TXT" and "a\.txt" are one file/,
	);

	// Another commit of a submodule that is there.
	const inner = path.join(folder, 'inner');
	mkdirSync(inner);
	const inside = (...argv: string[]) =>
		execFileSync('git', ['-C', inner, '-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...argv], {
			encoding: 'utf8',
			env: {PATH: process.env['PATH']!, HOME: folder},
			stdio: ['ignore', 'pipe', 'ignore'],
		}).trim();
	inside('init', '--quiet');
	inside('commit', '--quiet', '--allow-empty', '--message=one');
	git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub');
	project.commit('sub');
	const bump = (commit: string) =>
		gate(project, () => git('update-index', '--cacheinfo', `160000,${commit},sub`), {staged: true});
	inside('commit', '--quiet', '--allow-empty', '--message=two');
	assert.equal(await bump(inside('rev-parse', 'HEAD')), '', 'where it came from is a folder here');
	assert.match(
		await bump('1'.repeat(40)),
		/"sub" is at 1111111111, a commit that your copy of that submodule does not have/,
	);
	git('config', '--file', at('.gitmodules'), 'submodule.sub.ignore', 'all');
	project.commit('overlooked');
	for (const set of [() => {}, () => git('config', 'submodule.sub.ignore', 'all')]) {
		set();
		assert.match(await bump('1'.repeat(40)), /"sub" is at 1111111111/, 'git overlooks it');
	}

	assert.equal(await gate(project, () => git('rm', '--quiet', '--cached', 'sub'), {staged: true}), '', 'it may go');

	// But not for a file, as long as a person has work in it: git would take the folder away.
	git('checkout', '--quiet', '-B', 'work');
	git('rm', '--quiet', '--cached', 'sub');
	rmSync(at('sub'), {recursive: true});
	write({sub: 'a file\n'});
	const head = project.commit();
	git('checkout', '--quiet', '--force', 'main');
	git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
	write({'sub/mine': 'precious\n'});
	assert.match(await bring(project, head), /the submodule "sub" would become a file/);
	assert.equal(readFileSync(at('sub/mine'), 'utf8'), 'precious\n');
});

/**
 * Merges a branch into the person's checkout, as far as the checkout goes.
 * @returns what was in the way, or what became of it
 */
async function bring({project, git}: Place, head: string): Promise<string> {
	const [main, commonDir] = [git('rev-parse', 'main'), path.join(project, '.git')];
	const plain = new Git({gitDir: commonDir});
	const changes = await changesOf(plain, main, head);
	const checkout = new Checkout(new Git({gitDir: commonDir, workTree: project}), commonDir);
	const because = await checkout.inTheWay(main, head, changes);
	if (because !== undefined) {
		return because;
	}

	git('update-ref', 'refs/heads/main', head);
	return checkout.bringAlong(main, head, changes);
}

/** A commit with these files more, fewer or other than main's, made without touching the checkout. */
function commitOf({project, folder}: Place, files: Record<string, string | undefined>): string {
	const index = path.join(folder, 'own-index');
	const own = (input: string | undefined, ...argv: string[]) =>
		execFileSync('git', ['-C', project, ...argv], {
			encoding: 'utf8',
			env: {
				PATH: process.env['PATH']!,
				HOME: folder,
				GIT_INDEX_FILE: index,
				GIT_AUTHOR_NAME: 'a',
				GIT_AUTHOR_EMAIL: 'a',
				GIT_COMMITTER_NAME: 'a',
				GIT_COMMITTER_EMAIL: 'a',
			},
			...(input === undefined ? {stdio: ['ignore', 'pipe', 'inherit'] as const} : {input}),
		}).trim();
	own(undefined, 'read-tree', 'main');
	for (const [name, content] of Object.entries(files)) {
		own(undefined, 'rm', '-r', '--cached', '--quiet', '--ignore-unmatch', '--', name);
		if (content !== undefined) {
			own(
				undefined,
				'update-index',
				'--add',
				'--cacheinfo',
				`100644,${own(content, 'hash-object', '-w', '--stdin', '--no-filters')},${name}`,
			);
		}
	}

	return own(undefined, 'commit-tree', own(undefined, 'write-tree'), '-p', 'main', '-m', 'x');
}

test("nothing of a person's that git does not keep is overwritten, and nothing is touched where it would be", async t => {
	const cases: Array<{
		title: string;
		prepare(place: Place): void;
		files: Record<string, string | undefined>;
		says: RegExp;
		kept: string;
	}> = [
		{
			title: 'an ignored file',
			prepare: ({write}) => write({mine: 'PRECIOUS'}),
			files: {mine: 'agent'},
			says: /^"mine", which git does not keep, would be overwritten$/,
			kept: 'mine',
		},
		{
			title: 'an untracked file',
			prepare: ({write}) => write({new: 'PRECIOUS'}),
			files: {new: 'agent'},
			says: /^"new"/,
			kept: 'new',
		},
		{
			title: 'an ignored file where a folder goes',
			prepare: ({write}) => write({mine: 'PRECIOUS'}),
			files: {'mine/x': 'agent'},
			says: /^"mine", which git does not keep, is where the merge needs a folder$/,
			kept: 'mine',
		},
		{
			title: 'an ignored folder where a file goes',
			prepare: ({write}) => write({'mine/deep/x': 'PRECIOUS'}),
			files: {mine: 'agent'},
			says: /^"mine\/deep\/x"/,
			kept: 'mine/deep/x',
		},
		{
			title: 'a file below an ignored folder',
			prepare: ({write}) => write({'mine/x': 'PRECIOUS'}),
			files: {'mine/x': 'agent'},
			says: /^"mine\/x"/,
			kept: 'mine/x',
		},
		{
			title: 'an ignored file in a folder that becomes a file',
			prepare: ({write}) => write({'d/mine': 'PRECIOUS'}),
			files: {'d/x': undefined, d: 'agent'},
			says: /^"d\/mine"/,
			kept: 'd/mine',
		},
		{
			title: "a link of the person's on the way",
			prepare({write, at, folder}) {
				mkdirSync(path.join(folder, 'elsewhere'));
				symlinkSync(path.join(folder, 'elsewhere'), at('mine'));
				write({kept: 'PRECIOUS'});
			},
			files: {'mine/x': 'agent'},
			says: /^"mine", which git does not keep, is where/,
			kept: 'kept',
		},
		{
			title: 'a file that git was told to take for unchanged',
			prepare({git, write}) {
				git('update-index', '--assume-unchanged', 'a.txt');
				write({'a.txt': 'PRECIOUS'});
			},
			files: {'a.txt': 'agent'},
			says: /^"a\.txt", which git was told to overlook/,
			kept: 'a.txt',
		},
		{
			title: 'a file that git was told to leave out',
			prepare({git, write}) {
				git('update-index', '--skip-worktree', 'a.txt');
				write({'a.txt': 'PRECIOUS'});
			},
			files: {'a.txt': 'agent'},
			says: /^"a\.txt", which git was told to overlook/,
			kept: 'a.txt',
		},
		{
			title: 'the same, taken away',
			prepare({git, write}) {
				git('update-index', '--skip-worktree', 'a.txt');
				write({'a.txt': 'PRECIOUS'});
			},
			files: {'a.txt': undefined},
			says: /^"a\.txt", which git was told to overlook/,
			kept: 'a.txt',
		},
		{
			title: "a change of the person's",
			prepare: ({write}) => write({'a.txt': 'PRECIOUS'}),
			files: {'a.txt': 'agent'},
			says: /a\.txt.*not uptodate/,
			kept: 'a.txt',
		},
		{
			title: 'a staged change',
			prepare({git, write}) {
				write({'a.txt': 'PRECIOUS'});
				git('add', 'a.txt');
			},
			files: {'a.txt': 'agent'},
			says: /a\.txt/,
			kept: 'a.txt',
		},
		{
			title: 'a file that git keeps no more',
			prepare({git, write}) {
				git('rm', '--quiet', '--cached', 'a.txt');
				write({'a.txt': 'PRECIOUS'});
			},
			files: {'a.txt': 'agent'},
			says: /^"a\.txt", which git does not keep/,
			kept: 'a.txt',
		},
	];
	for (const {title, prepare, files, says, kept} of cases) {
		const project = place(t, {'.gitignore': 'mine\n', 'd/x': 'x\n'});
		prepare(project);
		const before = [project.git('rev-parse', 'main'), project.git('status', '--porcelain', '--ignored')];
		assert.match(await bring(project, commitOf(project, {...files, 'other.txt': 'x\n'})), says, title);
		assert.equal(readFileSync(project.at(kept), 'utf8'), 'PRECIOUS', title);
		assert.deepEqual(
			[project.git('rev-parse', 'main'), project.git('status', '--porcelain', '--ignored')],
			before,
			title,
		);
		assert.ok(!existsSync(project.at('other.txt')), title);
	}
});

test("a merge goes through beside what is the person's", async t => {
	const project = place(t, {'.gitignore': 'mine\n', 'd/x': 'x\n', 'old/y': 'y\n'});
	project.write({mine: 'PRECIOUS', 'd/mine': 'PRECIOUS', 'untracked/z': 'PRECIOUS', 'b.txt': 'b\n'});
	project.git('add', 'b.txt');
	// Touched, and as it was.
	project.write({'a.txt': 'one\n'});
	assert.equal(
		await bring(
			project,
			commitOf(project, {
				'a.txt': 'two\n',
				'd/new': 'new\n',
				'old/y': undefined,
				old: 'a file now\n',
				'untracked/other': 'x\n',
			}),
		),
		'updated',
	);
	assert.deepEqual(
		['a.txt', 'd/new', 'old', 'untracked/other', 'mine', 'd/mine', 'untracked/z'].map(name =>
			readFileSync(project.at(name), 'utf8'),
		),
		['two\n', 'new\n', 'a file now\n', 'x\n', 'PRECIOUS', 'PRECIOUS', 'PRECIOUS'],
	);
	assert.equal(project.git('status', '--porcelain'), 'A  b.txt\n?? untracked/z');
});

test("a person's filters run over what they ran over before, and in no folder of the project's", async t => {
	const project = place(t, {'.gitattributes': '*.rot filter=rot\n', 'a.rot': 'frperg\n'});
	const {git, at, folder} = project;
	const ran = path.join(folder, 'ran');
	git('config', 'filter.rot.clean', 'tr a-z n-za-m');
	git('config', 'filter.rot.smudge', `pwd >> ${ran}; test -f module && touch ${folder}/module-ran; tr a-z n-za-m`);
	git('config', 'filter.rot.required', 'true');
	git('config', 'filter.evil.smudge', `touch ${folder}/evil-ran; cat`);
	rmSync(at('a.rot'));
	git('checkout', '--quiet', '--', 'a.rot');
	assert.equal(readFileSync(at('a.rot'), 'utf8'), 'secret\n');
	rmSync(ran);
	assert.equal(await bring(project, commitOf(project, {'a.txt': 'x\n', module: 'of the agent\n'})), 'updated');
	assert.ok(!existsSync(ran), 'no file of theirs, no filter');
	assert.equal(await bring(project, commitOf(project, {'b.rot': 'frperg\n'})), 'updated');
	assert.equal(readFileSync(at('b.rot'), 'utf8'), 'secret\n');
	assert.match(readFileSync(ran, 'utf8'), /fleet-filter-/);
	assert.ok(!existsSync(path.join(folder, 'module-ran')), "it stands where nothing of the agent's is");
	assert.equal(git('status', '--porcelain'), '');
	// What says how files are stored came with the merge.
	rmSync(ran);
	assert.match(
		await bring(
			project,
			commitOf(project, {
				'c.rot': 'frperg\n',
				'd.txt': 'x\n',
				'.gitattributes': '*.rot filter=rot\n*.txt filter=evil\n',
			}),
		),
		/^updated; as they are stored: "c\.rot", "d\.txt"$/,
	);
	assert.equal(readFileSync(at('c.rot'), 'utf8'), 'frperg\n');
	assert.ok(!existsSync(ran) && !existsSync(path.join(folder, 'evil-ran')));
	// One that fails leaves the file as it is stored, and the rest whole.
	git('config', 'filter.rot.smudge', 'false');
	assert.match(
		await bring(project, commitOf(project, {'e.rot': 'frperg\n', 'f.md': 'x\n'})),
		/^updated; as it is stored: "e\.rot"$/,
	);
	assert.equal(readFileSync(at('e.rot'), 'utf8'), 'frperg\n');
	assert.equal(git('rev-parse', 'HEAD:f.md'), git('hash-object', 'f.md'));
});

test('Git LFS, as a person has it: a moved pointer becomes content again, from their own store', async t => {
	const project = place(t);
	const {git, at, write, folder} = project;
	assert.equal(execFileSync('git', ['lfs', 'version'], {encoding: 'utf8'}).startsWith('git-lfs/'), true);
	writeFileSync(path.join(folder, 'home', '.gitconfig'), '');
	const before = process.env['HOME'];
	process.env['HOME'] = path.join(folder, 'home');
	try {
		git('lfs', 'install', '--local');
		write({'.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': 'content of a large file\n'});
		project.commit('lfs');
		const stored = git('show', 'HEAD:big.bin');
		assert.match(stored, /^version https:\/\/git-lfs/);
		assert.equal(
			await bring(project, commitOf(project, {'big.bin': undefined, 'moved.bin': `${stored}\n`, 'a.txt': 'two\n'})),
			'updated',
		);
		assert.equal(readFileSync(at('moved.bin'), 'utf8'), 'content of a large file\n');
		assert.ok(!existsSync(at('big.bin')));
		assert.equal(git('status', '--porcelain'), '');
		// One whose content nobody has stays a pointer, and the rest is merged.
		assert.match(
			await bring(project, commitOf(project, {'far.bin': pointer('f'), 'b.txt': 'x\n'})),
			/^updated; as it is stored: "far\.bin"$/,
		);
		assert.equal(readFileSync(at('b.txt'), 'utf8'), 'x\n');
	} finally {
		process.env['HOME'] = before;
	}
});

test("merge drivers of .gitattributes: git's own are obeyed, a person's programs are a conflict", async t => {
	const project = place(t, {
		'.gitattributes': 'log merge=union\nb merge=binary\nours merge=ours\nown merge=own\nplain merge=unknown\n',
		log: 'a\n',
		b: 'a\n',
		ours: 'a\n',
		own: 'a\n',
		plain: '1\n2\n3\n4\n5\n',
	});
	const {git, write, commit, folder, project: root} = project;
	git('config', 'merge.ours.driver', 'true');
	git('config', 'merge.own.driver', `touch ${folder}/ran; cp %B %A`);
	const merge = async (mine: Record<string, string>, theirs: Record<string, string>) => {
		git('checkout', '--quiet', '-B', 'theirs', 'main');
		write(theirs);
		const head = commit();
		git('checkout', '--quiet', '-B', 'mine', 'main');
		write(mine);
		const base = commit();
		git('checkout', '--quiet', 'main');
		const gitDir = path.join(root, '.git');
		return mergeTrees({git: new Git({gitDir}), commonDir: gitDir}, base, head);
	};

	const shown = (result: Awaited<ReturnType<typeof merge>>, name: string) =>
		git('show', `${(result as {tree: string}).tree}:${name}`);
	assert.equal(shown(await merge({log: 'a\nb\n'}, {log: 'a\nc\n'}), 'log'), 'a\nb\nc');
	assert.equal(
		shown(await merge({log: 'a\nb\n'}, {log: 'a\nc\n', '.gitattributes': ''}), 'log'),
		'a\nb\nc',
		"the target's attributes count",
	);
	assert.deepEqual(await merge({b: 'b\n'}, {b: 'c\n'}), {conflicts: ['b'], drivers: []});
	assert.equal(shown(await merge({ours: 'b\n'}, {ours: 'c\n'}), 'ours'), 'b');
	assert.equal(shown(await merge({plain: '1\n2\n3\n4\nx\n'}, {plain: 'y\n2\n3\n4\n5\n'}), 'plain'), 'y\n2\n3\n4\nx');
	assert.deepEqual(await merge({own: 'b\n'}, {own: 'c\n'}), {conflicts: ['own'], drivers: ['own']});
	assert.ok(!existsSync(path.join(folder, 'ran')));
	assert.ok(statSync(root).isDirectory());
});
