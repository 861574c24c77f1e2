import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {countChanges} from '../../source/engine/handover/changes.ts';
import {discard, restore} from '../../source/engine/handover/discard.ts';
import {copyIncluded} from '../../source/engine/project/include.ts';
import {Journal} from '../../source/host/journal.ts';
import {attackContext} from '../support/attack.ts';
import {Fleet} from '../support/fleet.ts';

/* A run's work is taken over as it is: nothing that it did not touch, nothing less than it did. */

const context = attackContext();

async function withProject(
	work: (project: ThrowawayProject) => Promise<void>,
	files: Readonly<Record<string, string>> = {},
): Promise<void> {
	const project = await ThrowawayProject.make({...context, actor: 'person:tester'}, files);
	try {
		await work(project);
	} finally {
		project.close();
	}
}

const changedBy = (project: ThrowawayProject, head = 'fleet/attack') =>
	project
		.git('diff', '--name-only', 'main', head)
		.split('\n')
		.filter(name => name !== '');
const notesOf = (project: ThrowawayProject) => {
	const journal = Journal.open(project.context.paths.run('attack'))!;
	journal.close();
	return journal.run.captured?.notes.join('\n') ?? '';
};

test('what a run did not touch is as it was, whatever a filter, line ends, encodings or keywords would make of it', () =>
	withProject(async project => {
		const {git, project: root} = project;
		const write = (name: string, content: string | Buffer) => writeFileSync(path.join(root, name), content);
		// Committed before there were rules, so that git would store each of them otherwise today.
		write('crlf.txt', 'one\r\ntwo\r\n');
		write('mixed.txt', 'one\r\ntwo\n');
		write('utf16.txt', Buffer.from('\uFEFFkept\n', 'utf16le'));
		write('id.c', '$Id: kept $\n');
		write('secret.key', 'frperg\n');
		write('kept.dat', 'x\r\n');
		git('add', '--all');
		git('commit', '--quiet', '--message=before');
		write(
			'.gitattributes',
			'*.txt text eol=crlf\nutf16.txt working-tree-encoding=UTF-16LE\n*.c ident\n*.key filter=rot\n',
		);
		git('add', '.gitattributes');
		git('commit', '--quiet', '--message=rules');
		git('config', 'filter.rot.smudge', `touch ${project.folder}/ran; tr a-z n-za-m`);
		git('config', 'filter.rot.clean', `touch ${project.folder}/ran; tr a-z n-za-m`);
		git('config', 'core.safecrlf', 'true');
		const {run, output} = await project.agent(
			'cat secret.key; git status --short; sleep 1.1; touch *; echo new > new.txt; ' +
				'printf "*.dat text\\n" >> .gitattributes; mkdir d; printf "x\\r\\n" > d/crlf.txt',
		);
		assert.match(output, /^frperg/);
		const {verify} = await project.handle(run);
		assert.equal(verify, 'true');
		assert.deepEqual(changedBy(project), ['.gitattributes', 'd/crlf.txt', 'new.txt']);
		assert.equal(git('show', 'fleet/attack:d/crlf.txt'), 'x', 'what is new is stored as the rules say');
		assert.ok(!existsSync(path.join(project.folder, 'ran')), "no filter of a person's ran");
	}));

test('a run sees a filtered file as it is stored, and cannot change it', () =>
	withProject(async project => {
		const {git, project: root} = project;
		writeFileSync(path.join(root, '.gitattributes'), '*.key filter=rot\n');
		git('config', 'filter.rot.smudge', 'tr a-z n-za-m');
		git('config', 'filter.rot.clean', 'tr a-z n-za-m');
		writeFileSync(path.join(root, 'a.key'), 'secret\n');
		git('add', '--all');
		git('commit', '--quiet', '--message=key');
		const {run, output} = await project.agent('cat a.key; echo leaked > a.key; rm .gitattributes');
		assert.equal(output, 'frperg');
		assert.match(
			(await project.handle(run)).verify,
			/^refused: its branch holds what is never merged: "a\.key" is stored through the filter "rot"/,
		);
		await project.again(run, 'git checkout --quiet main -- a.key .gitattributes; echo b > b.txt');
		assert.equal((await project.handle(run)).verify, 'true');
		assert.deepEqual(changedBy(project), ['b.txt']);
	}));

test("the person's own ignore rules hold, and what .worktreeinclude brought is in no commit", () =>
	withProject(async project => {
		const {git, project: root} = project;
		writeFileSync(path.join(project.folder, 'ignored'), 'mine.log\n');
		git('config', 'core.excludesFile', path.join(project.folder, 'ignored'));
		writeFileSync(path.join(root, '.git', 'info', 'exclude'), 'own.log\n');
		writeFileSync(path.join(root, 'env [1].local'), 'DB=1\n');
		const {run} = await project.agent('true');
		const places = project.context.paths.run(run.id);
		// As a run that was made with it.
		const journal = Journal.open(places)!;
		journal.close();
		const lines = readFileSync(places.journal, 'utf8').split('\n');
		assert.ok(lines.length > 1);
		await copyIncluded(project.context, {project: {id: run.project.id, root}, runId: run.id, folder: places.worktree}, [
			'env [1].local',
		]);
		Object.assign(run, {included: ['env [1].local']});
		const {importWork} = await import('../../source/engine/handover/import-work.ts');
		await project.again(
			run,
			'touch mine.log own.log "other.log"; ls; echo staged > forced.tmp; echo "*.tmp" > .gitignore; git add -f forced.tmp',
		);
		assert.deepEqual(await countChanges(project.context, run), {files: 2, added: 1, removed: 0, untracked: 2});
		const {captured} = await importWork(project.context, run);
		const quarantine = places.quarantine;
		assert.deepEqual(
			execFileSync('git', ['--git-dir', quarantine, 'diff', '--name-only', run.base, captured.head], {
				encoding: 'utf8',
				env: {PATH: process.env['PATH']!, HOME: project.folder},
			})
				.trim()
				.split('\n'),
			['.gitignore', 'forced.tmp', 'other.log'],
			'an ignored file that was added by force is work',
		);
	}));

test('closed folders and files are opened and taken over, and no verb ends over them', () =>
	withProject(async project => {
		const {run} = await project.agent(
			'mkdir -p d/e s; echo x > d/e/f; echo y > g; chmod 000 d/e/f d/e d g; chmod 555 s; ' +
				'mkfifo "$(git rev-parse --git-common-dir)/packed-refs.lock"; ' +
				'chmod 000 "$(git rev-parse --git-common-dir)/refs/heads"',
		);
		const {verify} = await project.handle(run);
		assert.equal(verify, 'true');
		assert.deepEqual(changedBy(project), ['d/e/f', 'g']);
		const journal = Journal.open(project.context.paths.run('attack'))!;
		await discard(project.context, journal, 'done');
		assert.ok(!existsSync(run.worktree));
		await restore(project.context, journal, 'again');
		assert.equal(readFileSync(path.join(run.worktree, 'd/e/f'), 'utf8'), 'x\n');
		journal.close();
	}));

test('a file too large to be taken over is named, and its folder is kept', () =>
	withProject(async project => {
		const {run} = await project.agent(
			'truncate -s 3G large.img; truncate -s 3G "$(printf "odd\\nname")"; echo /cache > .gitignore; ' +
				'truncate -s 3G cache; echo b > b.txt',
		);
		const {verify} = await project.handle(run);
		assert.match(verify, /^refused: the snapshot of \S+ is incomplete: .* is larger than 1 GiB/);
		assert.match(notesOf(project), /large\.img is larger than 1 GiB/);
		assert.doesNotMatch(notesOf(project), /cache/);
		const journal = Journal.open(project.context.paths.run('attack'))!;
		await assert.rejects(discard(project.context, journal, 'done'), /so (?:it|its folder) is kept/);
		journal.close();
		assert.ok(existsSync(path.join(run.worktree, 'large.img')));
		assert.deepEqual(changedBy(project), ['.gitignore', 'b.txt'], 'the rest is there');
		rmSync(path.join(run.worktree, 'large.img'));
	}));

test('what git keeps beside its objects is not believed', () =>
	withProject(async project => {
		const {run} = await project.agent(
			'G=$(git rev-parse --git-common-dir)/objects; echo b > b.txt; git add b.txt; git commit -qm b; ' +
				'git commit-graph write --reachable; f=$G/info/commit-graph; chmod u+w $f; mkdir -p $G/pack; ' +
				'{ head -c 200 $f; head -c 4000 /dev/zero; } > /tmp/graph; cat /tmp/graph > $f; ' +
				'head -c 2000 /dev/urandom > $G/pack/multi-pack-index',
		);
		const {verify} = await project.handle(run);
		assert.equal(verify, 'true');
		assert.deepEqual(changedBy(project), ['b.txt']);
	}));

test('a private repository that git does not read is said to be that', () =>
	withProject(async project => {
		const {run} = await project.agent('echo b > b.txt; git config core.repositoryFormatVersion 99');
		const {verify} = await project.handle(run);
		assert.match(verify, /^refused: its private repository cannot be read: .*99/);
		assert.ok(existsSync(path.join(run.worktree, 'b.txt')));
	}));

test('what no path reaches is named, and its folder is kept', () =>
	withProject(async project => {
		const {run} = await project.agent(
			'echo b > b.txt; echo /cache > .gitignore; for top in deep cache; do ( mkdir $top; cd $top; ' +
				'for n in $(seq 250); do mkdir dddddddddddddddddddd; cd -P dddddddddddddddddddd; done; echo work > bottom ); done',
		);
		const {verify} = await project.handle(run);
		assert.match(verify, /^refused: the snapshot of \S+ is incomplete: a file with a path of more than 4095/);
		assert.match(notesOf(project), /below deep\//);
		assert.doesNotMatch(notesOf(project), /cache/);
		const journal = Journal.open(project.context.paths.run('attack'))!;
		await assert.rejects(discard(project.context, journal, 'done'), /so (?:it|its folder) is kept/);
		journal.close();
		assert.ok(existsSync(path.join(run.worktree, 'deep')));
		assert.deepEqual(changedBy(project), ['.gitignore', 'b.txt'], 'the rest is there');
	}));

test('nothing waits for a FIFO, a link that leads round or a device name over what git reads, while the run lives or after', () =>
	withProject(async project => {
		const {run} = await project.agent(
			'rm a.txt; mkfifo .gitignore .gitattributes a.txt d 2> /dev/null; ln -s loop loop; mkdir sub; ' +
				'mkfifo sub/.gitignore; ln -s /dev/zero sub/.gitattributes; ' +
				'perl -MSocket -e \'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("sock"))\'; echo b > b.txt',
		);
		const began = Date.now();
		assert.equal(await countChanges(project.context, run), undefined, 'no count, and at once');
		const live = {...run, stage: 'running' as const};
		const {diff} = await import('../../source/engine/handover/diff.ts');
		await assert.rejects(diff(project.context, live, false), /a FIFO, a socket or a device lies where git reads/);
		assert.ok(Date.now() - began < 30_000);
		const {capture, verify} = await project.handle(run);
		assert.match(capture, /^[0-9a-f]{40}$/);
		assert.equal(verify, 'true');
		assert.deepEqual(changedBy(project), ['a.txt', 'b.txt', 'loop', 'sub/.gitattributes']);
		assert.ok(Date.now() - began < 90_000);
	}));

test('older stashes, tags of any kind and names of any kind are kept, and refs without their objects are named', () =>
	withProject(async project => {
		const {run, output} = await project.agent(`
set -e
echo 1 >> a.txt; git stash --quiet; echo 2 >> a.txt; git stash --quiet; echo 3 >> a.txt; git stash --quiet
git rev-parse 'stash@{0}' 'stash@{1}' 'stash@{2}'
git tag -a -m annotated v9; git rev-parse v9
b=$(echo blob | git hash-object -w --stdin); git tag blob $b; echo $b
git commit --quiet --allow-empty -m odd; git branch 'ünï#=,x'; git rev-parse HEAD; git reset --quiet --hard HEAD~1
git commit --quiet --allow-empty -m gone; g=$(git rev-parse HEAD); git branch gone; git reset --quiet --hard HEAD~1
c=$(git rev-parse --git-common-dir); rm -f "$c/objects/$(echo $g | cut -c1-2)/$(echo $g | cut -c3-)"
echo x > x.txt
`);
		const objects = output.split('\n');
		assert.equal(objects.length, 6);
		const {verify} = await project.handle(run, ['capture', 'verify']);
		assert.equal(verify, 'true');
		const kept = new Set(
			project
				.git('rev-list', '--objects', '--no-object-names', '--glob=refs/fleet/runs/attack/*')
				.split('\n')
				.concat(project.git('for-each-ref', '--format=%(objectname)', 'refs/fleet/runs/attack').split('\n')),
		);
		assert.deepEqual(
			objects.filter(object => !kept.has(object)),
			[],
		);
		assert.match(notesOf(project), /gone: refs\/heads\/gone names [0-9a-f]{10}, and not all of its objects are there/);
		assert.match(notesOf(project), /ünï#=,x/);
	}));

test('what a run borrows is there while the run is, whatever the person deletes', () =>
	withProject(async project => {
		const {git} = project;
		git('checkout', '--quiet', 'other');
		git('commit', '--quiet', '--allow-empty', '--message=of the other branch');
		git('checkout', '--quiet', 'main');
		git('commit', '--quiet', '--allow-empty', '--message=before the amend');
		const {run} = await project.agent('true');
		const other = git('rev-parse', 'other');
		git('branch', '-D', 'other');
		git('update-ref', '-d', 'refs/heads/fleet/attack');
		git('commit', '--quiet', '--amend', '--allow-empty', '--message=after it');
		const clean = () => {
			git('reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
			git('gc', '--quiet', '--prune=now');
		};

		clean();
		const {output} = await project.again(
			run,
			`git log --oneline | wc -l; git merge --quiet --no-edit ${other} && echo b > b.txt && git add b.txt && ` +
				'git commit --quiet -m b && git fsck 2>&1 | grep -v dangling',
		);
		assert.equal(output, '2');
		const {capture} = await project.handle(run, ['capture']);
		assert.match(capture, /^[0-9a-f]{40}$/);
		const journal = Journal.open(project.context.paths.run('attack'))!;
		await discard(project.context, journal, 'done');
		journal.close();
		assert.equal(git('for-each-ref', 'refs/fleet/kept'), '', 'and no longer');
		clean();
		assert.equal(git('show', 'refs/fleet/trash/attack/head:b.txt'), 'b');
	}));

test('submodules are filled from what the person has, in the run and in verify, and what is changed in one is kept', () =>
	withProject(async project => {
		const {git, folder} = project;
		const env = {PATH: process.env['PATH']!, HOME: folder};
		const inside = (name: string, ...argv: string[]) =>
			execFileSync(
				'git',
				[
					'-C',
					path.join(folder, name),
					'-c',
					'user.name=x',
					'-c',
					'user.email=x@x.invalid',
					'-c',
					'protocol.file.allow=always',
					...argv,
				],
				{encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore']},
			).trim();
		for (const name of ['deep', 'lib']) {
			mkdirSync(path.join(folder, name));
			inside(name, 'init', '--quiet');
			writeFileSync(path.join(folder, name, 'file'), `${name}\n`);
			inside(name, 'add', 'file');
			inside(name, 'commit', '--quiet', '--message=x');
		}

		inside('lib', 'submodule', '--quiet', 'add', path.join(folder, 'deep'), 'deep');
		inside('lib', 'commit', '--quiet', '--message=deep');
		git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', path.join(folder, 'lib'), 'lib');
		git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init', '--recursive');
		writeFileSync(
			path.join(project.project, '.fleet', 'policy.yaml'),
			'verify: ["cat lib/file lib/deep/file", "test -z \\"$(git status --porcelain)\\""]\n',
		);
		git('add', '--all');
		git('commit', '--quiet', '--message=submodule');
		const {run, output} = await project.agent('cat lib/file lib/deep/file; git status --short; echo b > b.txt');
		assert.equal(output, 'lib\ndeep');
		assert.equal((await project.handle(run)).verify, 'true');
		assert.deepEqual(changedBy(project), ['b.txt']);
		// Changed, made, deleted; and a repository of its own in it.
		await project.again(
			run,
			'echo changed > lib/file; echo made > lib/made; rm lib/deep/file; mkdir lib/own; ' +
				'git -C lib/own init --quiet; echo z > lib/own/z',
		);
		const {verify} = await project.handle(run);
		assert.equal(verify, 'true');
		assert.deepEqual(changedBy(project), ['b.txt']);
		const extra = git('for-each-ref', '--format=%(refname)', 'refs/fleet/runs/attack/extra').split('\n');
		assert.equal(extra.length, 1, notesOf(project));
		assert.equal(git('show', `${extra[0]}:file`), 'changed');
		assert.match(git('ls-tree', '-r', '--name-only', extra[0]!), /^file\nmade/);
		assert.match(notesOf(project), /in the submodule lib, 3 files were changed/);
		assert.match(notesOf(project), /in the submodule lib\/deep, 1 files? (?:was|were) deleted/);
	}));

test("what a sparse checkout of the agent's own leaves out is not deleted, and what it changes there is work", async t => {
	const fleet = new Fleet(t, {files: {'in/a': 'a\n', 'out/b': 'b\n', 'out/new\nline': 'c\n', 'out/d': 'd\n'}});
	await fleet.agent(
		'sparse',
		'git sparse-checkout set in; ls; echo more >> in/a; rm in/../a.txt; mkdir -p out; echo changed > out/d',
	);
	fleet.run(['verify', 'sparse']);
	assert.equal(
		fleet.git('diff', '--name-status', '--no-renames', 'main', 'fleet/sparse'),
		'D\ta.txt\nM\tin/a\nM\tout/d',
	);
});
