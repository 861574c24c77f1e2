import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {appendFileSync, existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {readChanges} from '../../source/engine/handover/changes-file.ts';
import {countChanges} from '../../source/engine/handover/changes.ts';
import {diff, diffWithBinaries, wholeDiff} from '../../source/engine/handover/diff.ts';
import {attackContext} from '../support/attack.ts';
import {Fleet} from '../support/fleet.ts';

/* An agent's ordinary work with git behaves inside as it does outside, in every kind of repository that people have. */

const context = attackContext();

async function withProject(
	work: (project: ThrowawayProject) => Promise<void>,
	files: Readonly<Record<string, string>> = {},
): Promise<void> {
	const project = await ThrowawayProject.make(context, files);
	try {
		await work(project);
	} finally {
		project.close();
	}
}

test('what agents do with git all day', () =>
	withProject(async project => {
		project.git('commit', '--quiet', '--allow-empty', '--message=second');
		project.git('tag', 'v1');
		const {run, output} = await project.agent(`
set -e
say() { echo "$1: $2"; }
say status "$(git status --short --branch)"
echo two > b.txt; git add b.txt; git commit --quiet -m 'add b'
echo three >> b.txt; git commit --quiet --all --amend -m 'add b, amended'
say log "$(git log --oneline | wc -l)"
say author "$(git log -1 --format='%an %ae')"
say against-main "$(git diff --stat main | tail -1)"
echo four >> b.txt; git stash --quiet; say stashed "$(cat b.txt | wc -l)"
git stash pop --quiet; say popped "$(cat b.txt | wc -l)"; git checkout --quiet b.txt
git checkout --quiet -b side; echo x > side.txt; git add side.txt; git commit --quiet -m side
git checkout --quiet fleet/attack
git merge --quiet --no-edit side; say merged "$(ls side.txt)"
git rebase --quiet main; say rebased "$(git log --oneline main.. | wc -l)"
git tag mine; say tag "$(git describe --tags)"
git bisect start --quiet HEAD v1 > /dev/null 2>&1 || git bisect start HEAD v1 > /dev/null
git bisect run test ! -f side.txt > bisect.log 2>&1
say bisect "$(grep -c 'is the first bad commit' bisect.log)"
git bisect reset --quiet > /dev/null 2>&1 || git bisect reset > /dev/null 2>&1
rm bisect.log
say worktrees "$(git worktree list | wc -l)"
say blame "$(git blame b.txt | wc -l)"
say grep "$(git grep -c two)"
say clean "$(git status --short | wc -l)"
git cherry-pick --quiet main > /dev/null 2>&1 || git cherry-pick --abort > /dev/null 2>&1 ||
	git cherry-pick --skip > /dev/null 2>&1 || true
git rm --quiet a.txt; git mv b.txt c.txt; git commit --quiet -m 'move'
git revert --no-edit HEAD > /dev/null; git reset --quiet --hard HEAD~1
git gc --quiet; say fsck "$(git fsck --full 2>&1 | grep -vc dangling || true)"
say remote "$(git remote | wc -l)"
say done yes
`);
		for (const line of [
			'status: ## fleet/attack',
			'log: 3',
			'author: A Person person@example.invalid',
			/against-main:  1 file changed, 2 insertions/,
			'stashed: 2',
			'popped: 3',
			'merged: side.txt',
			'rebased: 2',
			'tag: mine',
			'bisect: 1',
			/blame: 2/,
			'grep: b.txt:1',
			'clean: 0',
			'fsck: 0',
			'done: yes',
		]) {
			assert.match(
				output,
				typeof line === 'string' ? new RegExp(`^${line.replaceAll(/[.+]/g, '\\$&')}$`, 'm') : line,
				output,
			);
		}

		const {verify} = await project.handle(run);
		assert.equal(verify, 'true');
		assert.deepEqual(project.git('ls-tree', '-r', '--name-only', 'fleet/attack').split('\n'), [
			'.fleet/policy.yaml',
			'c.txt',
			'side.txt',
		]);
		assert.equal(
			project.git('branch', '--list', 'side'),
			'',
			"a branch of the agent's own is kept aside, not made the person's",
		);
		assert.equal(project.git('stash', 'list'), '');
	}));

test('each run has a stash of its own', () =>
	withProject(async project => {
		appendFileSync(path.join(project.project, 'a.txt'), 'mine\n');
		project.git('stash');
		const one = await project.agent(
			'echo "sees: $(git stash list | wc -l)"; echo x >> a.txt; git stash --quiet; git stash list | wc -l',
			{name: 'one'},
		);
		const two = await project.agent('echo "sees: $(git stash list | wc -l)"', {name: 'two'});
		assert.equal(one.output, 'sees: 0\n1');
		assert.equal(two.output, 'sees: 0');
		assert.match(project.git('stash', 'list'), /stash@\{0\}/);
		assert.ok(!project.git('stash', 'list').includes('stash@{1}'));
		await project.handle(one.run, ['capture']);
		assert.match(project.git('for-each-ref', 'refs/fleet/runs/one'), /extra/, 'what an agent stashed is kept');
	}));

test("every branch and tag of an agent's own is kept, however many", () =>
	withProject(async project => {
		const {run, output} = await project.agent(
			'for n in $(seq 1 60); do git commit --quiet --allow-empty -m "side $n"; git tag "side-$n"; ' +
				'git reset --quiet --hard main; done; echo x > x.txt; git add x.txt; git commit --quiet -m x; ' +
				'git for-each-ref --format="%(objectname)" refs/tags',
		);
		const objects = output.split('\n');
		assert.equal(new Set(objects).size, 60);
		await project.handle(run, ['capture']);
		const kept = new Set(project.git('rev-list', '--glob=refs/fleet/runs/attack/*').split('\n'));
		assert.deepEqual(
			objects.filter(object => !kept.has(object)),
			[],
		);
		assert.equal(
			project.git('for-each-ref', '--format=x', 'refs/fleet/runs/attack').split('\n').length,
			52,
			'the branch, fifty by name, the rest together',
		);
	}));

test("changes are counted from outside, new files' lines, too, with nothing that the agent can influence", () =>
	withProject(async project => {
		const {run} = await project.agent(
			`git config core.fsmonitor 'touch ${project.folder}/ran; false'; ` +
				`git config filter.x.clean 'touch ${project.folder}/ran'; echo '* filter=x diff=x' > .gitattributes; ` +
				"printf 'two\\nthree\\n' >> a.txt; git rm --quiet --cached a.txt; echo n > new.txt; mkdir d; echo m > d/m; " +
				'head -c 100000 /dev/zero > binary; ln -s /dev/zero endless; rm "$(git rev-parse --git-path index)"',
		);
		assert.deepEqual(await countChanges(project.context, run), {files: 6, added: 6, removed: 0, untracked: 5});
		assert.deepEqual(
			await countChanges(project.context, run),
			{files: 6, added: 6, removed: 0, untracked: 5},
			'the second look uses what the first one remembers',
		);
		assert.ok(!existsSync(path.join(project.folder, 'ran')));
	}));

test('the list, what is taken over, and the diff have the same numbers: new folders, links, binaries and renamed ones', () =>
	withProject(async project => {
		const {run} = await project.agent(
			"mkdir -p new/deep other; for n in 1 2 3; do echo $n > new/deep/$n; done; printf 'a\n" +
				"b' > other/open; ln -s /etc/passwd link; head -c 5000 /dev/urandom > binary",
		);
		assert.deepEqual(await countChanges(project.context, run), {files: 6, added: 6, removed: 0, untracked: 6});
		await project.handle(run, ['capture']);
		const files = parseDiff(await diff(project.context, run, false));
		assert.deepEqual([files.length, files.reduce((sum, file) => sum + file.added, 0)], [6, 6]);
		assert.deepEqual(readChanges(project.context.paths.run(run.id)), {files: 6, added: 6, removed: 0, untracked: 0});
	}));

test('a file that is renamed with light edits is one file: in the list, the diff, what is taken over and what git says', () =>
	withProject(async project => {
		const {git} = project;
		mkdirSync(path.join(project.project, 'lib'));
		const lines = (from: number, to: number) =>
			Array.from({length: to - from}, (_, index) => `a line of code, number ${from + index}\n`).join('');
		for (const name of ['one', 'two', 'three', 'kind']) {
			writeFileSync(path.join(project.project, 'lib', name), `${name}\n${lines(0, 20)}`);
		}

		git('add', '--all');
		git('commit', '--quiet', '--message=lib');
		const edits = `for n in 11 12 13 14 15 16 17 18 19; do sed -i "s/number $n$/other $n/" src/uno; done`;
		const {run} = await project.agent(
			"mkdir src 'a\tb'; git mv lib/one src/uno; mv lib/two 'a\tb/1\t2\tdos'; mv lib/three \"src/tres\n1\"; " +
				`${edits}; rm lib/kind; ln -s one lib/kind; echo new > src/new; git init -q src/nested; ` +
				'git -C src/nested -c user.name=x -c user.email=x@x.invalid commit -q --allow-empty -m x',
		);
		const counted = await countChanges(project.context, run);
		const files = parseDiff(await diff(project.context, run, false));
		assert.deepEqual(
			files.map(file => [file.status, file.oldPath, file.path]),
			[
				['renamed', 'lib/two', 'a\tb/1\t2\tdos'],
				['modified', 'lib/kind', 'lib/kind'],
				['added', 'src/new', 'src/new'],
				['renamed', 'lib/three', 'src/tres\n1'],
				['renamed', 'lib/one', 'src/uno'],
			],
		);
		// A repository of its own is no part of the work, but something to lose.
		assert.equal(counted!.files, files.length + 1, 'the list');
		await project.handle(run, ['capture']);
		assert.equal(readChanges(project.context.paths.run(run.id))!.files, files.length, 'what was taken over');
		assert.equal(
			git('diff', '--name-only', '-M40%', 'main', `refs/fleet/runs/${run.id}/head`).split('\n').length,
			files.length,
		);
		assert.equal(
			counted!.added,
			files.reduce((sum, file) => sum + file.added, 0),
		);
		assert.equal(
			counted!.removed,
			files.reduce((sum, file) => sum + file.removed, 0),
		);
	}));

test('a file is shown as a whole from objects alone, and what is no text by what it is', () =>
	withProject(async project => {
		const {git} = project;
		const lines = Array.from({length: 60}, (_, index) => `line ${index + 1}`);
		writeFileSync(path.join(project.project, '*.txt'), `${lines.join('\n')}\n`);
		writeFileSync(path.join(project.project, 'moved.txt'), `${lines.join('\n')}\n`);
		writeFileSync(path.join(project.project, 'other.txt'), 'other\n');
		writeFileSync(path.join(project.project, 'link.txt'), `${lines.join('\n')}\n`);
		writeFileSync(path.join(project.project, 'data.bin'), '\0data');
		git('add', '--all');
		git('commit', '--quiet', '--message=lines');
		const png = "printf '\\211PNG\\r\\n\\032\\n\\0\\0\\0\\015IHDR\\0\\0\\002\\200\\0\\0\\001\\340xxxx' > image.png";
		const {run} = await project.agent(
			"sed -i 's/^line 30$/changed/' '*.txt' moved.txt; git mv moved.txt -- --new.txt; echo more >> other.txt; " +
				`${png}; rm data.bin; ln -sf /etc/passwd link.txt`,
		);
		for (const [name, names] of [
			['*.txt', ['*.txt', '*.txt']],
			['--new.txt', ['moved.txt', '--new.txt']],
		] as const) {
			const [file, ...others] = parseDiff(await wholeDiff(project.context, run, name));
			assert.equal(others.length, 0, 'a name is no pattern');
			assert.deepEqual([file!.oldPath, file!.path], names);
			assert.deepEqual(
				file!.hunks.flatMap(hunk => hunk.lines.filter(line => line.new !== undefined).map(line => line.text)),
				lines.map(line => (line === 'line 30' ? 'changed' : line)),
			);
			const short = parseDiff(await diff(project.context, run, false)).find(own => own.path === name)!;
			assert.equal(file!.digest, short.digest, 'it is the same change');
		}

		const link = await wholeDiff(project.context, run, 'link.txt');
		assert.match(link, /^\+\/etc\/passwd$/m);
		assert.doesNotMatch(link, /root:/);
		for (const name of ['/etc/passwd', '../outside', 'a.txt', ':(top)*', '']) {
			await assert.rejects(wholeDiff(project.context, run, name), /is no part of what/, name);
		}

		const {text, binaries} = await diffWithBinaries(project.context, run);
		assert.equal(text, await diff(project.context, run, false));
		assert.deepEqual(binaries, [
			{path: 'data.bin', before: {bytes: 5, what: undefined}, after: null},
			{path: 'image.png', before: null, after: {bytes: 28, what: 'PNG image 640×480'}},
		]);
	}));

test('looks at one run at the same time are one after the other, and all see the same', () =>
	withProject(async project => {
		const {run} = await project.agent('for n in 1 2 3 4 5 6; do echo $n > $n.txt; done');
		const looks = await Promise.all(
			Array.from({length: 5}, async (_, index) =>
				index === 2 ? project.handle(run, ['capture']).then(() => '') : diff(project.context, run, false),
			),
		);
		assert.deepEqual(new Set(looks.filter(text => text !== '').map(text => parseDiff(text).length)), new Set([6]));
	}));

/** Changes a project before the agent comes, and says what the agent must see. */
type Kind = {
	readonly title: string;
	prepare(project: ThrowawayProject): void;
	readonly script?: string;
	readonly sees?: RegExp;
	after?(project: ThrowawayProject): void;
};

const kinds: Kind[] = [
	{
		title: 'packed refs and packed objects',
		prepare({git}) {
			git('tag', 'v1');
			git('pack-refs', '--all');
			git('repack', '-a', '-d', '--quiet');
		},
		script: 'git rev-parse v1 > /dev/null && echo sees-tag',
		sees: /sees-tag/,
	},
	{
		title: 'Git LFS pointers',
		prepare({git, project}) {
			writeFileSync(path.join(project, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
			writeFileSync(
				path.join(project, 'big.bin'),
				`version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 123456\n`,
			);
			git('add', '--all');
			git('commit', '--quiet', '--message=lfs');
		},
		script: 'cat big.bin; git status --short',
		sees: /^version https:\/\/git-lfs[^\n]*\noid[^\n]*\nsize 123456$/,
	},
	{
		title: 'a submodule',
		prepare({git, folder}) {
			const inner = path.join(folder, 'inner');
			mkdirSync(inner);
			git('-C', inner, 'init', '--quiet');
			git(
				'-C',
				inner,
				'-c',
				'user.name=x',
				'-c',
				'user.email=x@x.invalid',
				'commit',
				'--quiet',
				'--allow-empty',
				'--message=x',
			);
			git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub');
			git('commit', '--quiet', '--message=submodule');
		},
		script: 'git submodule status; git status --short | wc -l',
		sees: /^-[0-9a-f]{40} sub\n0$/,
		after({git}) {
			assert.match(git('ls-tree', 'fleet/attack', 'sub'), /^160000 commit/);
		},
	},
	{
		title: 'a sparse checkout',
		prepare({git, project}) {
			mkdirSync(path.join(project, 'in'));
			mkdirSync(path.join(project, 'out'));
			writeFileSync(path.join(project, 'in', 'f'), 'in\n');
			writeFileSync(path.join(project, 'out', 'f'), 'out\n');
			git('add', '--all');
			git('commit', '--quiet', '--message=folders');
			git('sparse-checkout', 'set', 'in');
		},
		script:
			'cat in/f; git status --short | wc -l; git sparse-checkout list; echo new > out-new; mkdir -p out; ' +
			'echo added > out/added',
		sees: /in\n0\nin$/,
		after({git, project}) {
			assert.match(
				git('ls-tree', '-r', '--name-only', 'fleet/attack'),
				/out\/f/,
				'what is not checked out is not lost',
			);
			assert.match(git('ls-tree', '-r', '--name-only', 'fleet/attack'), /out\/added/, 'nor what the agent made there');
			assert.ok(!existsSync(path.join(project, 'out')));
		},
	},
	{
		title: 'a partial clone',
		prepare({git, project, folder}) {
			const server = path.join(folder, 'server');
			git('clone', '--quiet', '--bare', project, server);
			git('-C', server, 'config', 'uploadpack.allowFilter', 'true');
			execFileSync('rm', ['-rf', project]);
			execFileSync('git', ['clone', '--quiet', '--filter=blob:none', `file://${server}`, project], {
				env: {PATH: process.env['PATH']!, HOME: path.join(folder, 'home')},
			});
			git('config', 'user.name', 'A Person');
			git('config', 'user.email', 'person@example.invalid');
		},
		script: 'cat a.txt',
		sees: /^one/,
	},
	{
		title: 'a shallow clone',
		prepare({git, project, folder}) {
			git('commit', '--quiet', '--allow-empty', '--message=second');
			const full = path.join(folder, 'full');
			execFileSync('mv', [project, full]);
			execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${full}`, project], {
				env: {PATH: process.env['PATH']!, HOME: path.join(folder, 'home')},
			});
			git('config', 'user.name', 'A Person');
			git('config', 'user.email', 'person@example.invalid');
		},
		script: 'git log --oneline | wc -l',
		sees: /^1$/,
	},
	{
		title: 'file names that are hard to say',
		prepare({git, project}) {
			for (const name of ['-dash', 'with space', 'ünïcode', 'quote"s', 'back\\slash', '日本', '*star', '$(id)']) {
				writeFileSync(path.join(project, name), 'x\n');
			}

			git('add', '--all');
			git('commit', '--quiet', '--message=names');
		},
		script: 'for f in ./*; do echo y >> "$f"; done; git status --short | wc -l',
		sees: /^9$/,
	},
];

for (const {title, prepare, script = 'true', sees = /./, after} of kinds) {
	test(`a repository with ${title}`, () =>
		withProject(async project => {
			prepare(project);
			const {run, output} = await project.agent(
				`${script}\necho work > work.txt; git add work.txt; git commit --quiet -m work || echo commit-failed`,
			);
			assert.match(output, sees);
			assert.doesNotMatch(output, /commit-failed/);
			const {verify} = await project.handle(run);
			assert.equal(verify, 'true');
			assert.equal(project.git('show', 'fleet/attack:work.txt'), 'work');
			after?.(project);
			assert.equal(readFileSync(path.join(project.project, 'a.txt'), 'utf8'), 'one\n');
		}));
}

/** Large repositories are made in memory where there is enough: what is tested is fleet, not the disk. */
async function inMemory(work: () => Promise<void>): Promise<void> {
	const before = process.env['TMPDIR'];
	const {bavail, bsize} = statfsSync(existsSync('/dev/shm') ? '/dev/shm' : '/');
	if (existsSync('/dev/shm') && bavail * bsize > 6 * 1024 ** 3) {
		process.env['TMPDIR'] = '/dev/shm';
	}

	try {
		await work();
	} finally {
		if (before === undefined) {
			delete process.env['TMPDIR'];
		} else {
			process.env['TMPDIR'] = before;
		}
	}
}

test('a repository with 100,000 files', () =>
	inMemory(() =>
		withProject(async project => {
			// Written by git itself: a hundred thousand files in a hundred folders, all of one content.
			const blob = execFileSync('git', ['-C', project.project, 'hash-object', '-w', '--stdin'], {
				input: 'x\n',
				encoding: 'utf8',
			}).trim();
			const index = Array.from({length: 100_000}, (_, number) => `100644 ${blob}\td${number % 100}/f${number}\n`).join(
				'',
			);
			execFileSync('git', ['-C', project.project, 'update-index', '--index-info'], {input: index});
			project.git('commit', '--quiet', '--message=many');
			project.git('checkout', '--quiet', '--', '.');
			const {run, output} = await project.agent(
				'git status --short | wc -l; echo y >> d1/f1; git commit --quiet -am work',
				{timeout: 120_000},
			);
			assert.equal(output, '0');
			assert.deepEqual(await countChanges(project.context, run), {files: 1, added: 1, removed: 0, untracked: 0});
			const {verify} = await project.handle(run, ['verify']);
			assert.equal(verify, 'true');
		}),
	));

test('a repository with a gigabyte of history, of which nothing is copied', () =>
	inMemory(() =>
		withProject(async project => {
			const {git, folder} = project;
			git('config', 'core.compression', '0');
			git('config', 'core.bigFileThreshold', '1m');
			for (let number = 0; number < 8; number++) {
				execFileSync('sh', [
					'-c',
					'head -c 134217728 /dev/urandom > "$1"',
					'sh',
					path.join(project.project, `big-${number}`),
				]);
				git('add', '--all');
				git('commit', '--quiet', `--message=big ${number}`);
				git('rm', '--quiet', `big-${number}`);
			}

			git('commit', '--quiet', '--message=small again');
			const size = (place: string) => Number(execFileSync('du', ['-sb', place], {encoding: 'utf8'}).split('\t')[0]);
			assert.ok(size(path.join(project.project, '.git')) > 1024 ** 3);
			const {run, output} = await project.agent(
				'git log --oneline | wc -l; git cat-file -s HEAD~1:big-7; echo y >> a.txt; git commit --quiet -am work',
				{timeout: 120_000},
			);
			assert.equal(output, '10\n134217728');
			const {verify} = await project.handle(run, ['verify']);
			assert.equal(verify, 'true');
			assert.ok(size(path.join(folder, 'fleet')) < 4 * 1024 ** 2, String(size(path.join(folder, 'fleet'))));
		}),
	));

test('the changes of many runs at once', () =>
	withProject(async project => {
		const {run} = await project.agent('echo x > x.txt', {name: 'first'});
		const runs = [run];
		for (let number = 1; number < 12; number++) {
			runs.push(
				(await project.agent(`for n in $(seq ${number}); do echo $n >> a.txt; done`, {name: `run-${number}`})).run,
			);
		}

		const counted = await Promise.all(runs.map(run => countChanges(project.context, run)));
		assert.deepEqual(
			counted.map(changes => changes?.added),
			runs.map((_, number) => number || 1),
		);
	}));

test('what would unpack to more than the run may bring is not taken over, however few bytes stand for it', async t => {
	const fleet = new Fleet(t, {policy: 'verify: [test -f a.txt]\nlimits:\n  disk: 64MiB\n'});
	await fleet.agent(
		'bomb',
		'b=$(head -c 200M /dev/zero | git hash-object -w --stdin); printf "100644 blob %s\\tz\\n" "$b" > t; ' +
			'git ls-tree HEAD >> t; k=$(git commit-tree "$(git mktree < t)" -p HEAD -m z); rm t; ' +
			'git update-ref refs/heads/fleet/bomb "$k"; git reset -q; git sparse-checkout set --no-cone "!/z" 2>&1',
	);
	const refused = fleet.run(['verify', 'bomb']);
	assert.equal(refused.code, 3, refused.stdout);
	assert.match(refused.stderr, /not taken over: what is new in it takes more than 64 MiB/);
});

test('a change too long to be read at once is not shown or searched as if its beginning were all of it', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'long',
		'yes "$(printf %4000s x)" | head -c 70000000 > a-fixture.txt; echo "evil();" > z.js; git add -A; git commit -qm long',
	);
	const {code, stdout, stderr} = fleet.run(['diff', 'long']);
	assert.equal(code, 3);
	assert.equal(stdout, '');
	assert.match(stderr, /what long changed is more than 64 MiB of text/);
	const refused = fleet.run(['verify', 'long']);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /possible secret in its work: its diff:0 \(too long\)/);
});
