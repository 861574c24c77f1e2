import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {countChanges} from '../../source/engine/handover/changes.ts';
import {readChanges} from '../../source/engine/handover/changes-file.ts';
import {attackContext} from '../support/attack.ts';
import {Fleet} from '../support/fleet.ts';

/* A run meets today's project at every start, and what conflicts has a way out. */

const agent = `[ "$FLEET_REBASE" = 1 ] || {
	echo run > a.txt; echo mine > mine.txt; git add --all; git commit --quiet -m "run's own"; exit
}
echo "told: $FLEET_PROMPT"
git rebase "$FLEET_TARGET" || { echo both > a.txt; git add a.txt; GIT_EDITOR=true git rebase --continue; }`;

test('a file in conflict is named by its own name, to people and to the agent', async t => {
	const fleet = new Fleet(t, {files: {'größe.txt': 'one\n'}});
	await fleet.agent(
		'u',
		'[ "$FLEET_REBASE" = 1 ] && { echo "told: $FLEET_PROMPT"; exit; }; echo run > größe.txt; git commit --quiet -am own',
	);
	writeFileSync(path.join(fleet.project, 'größe.txt'), 'person\n');
	fleet.git('commit', '--quiet', '--all', '--message=theirs');
	assert.equal(fleet.run(['verify', 'u']).code, 3);
	assert.deepEqual(fleet.json('show', 'u')['conflicts'], ['größe.txt']);
	fleet.must('resume', 'u', '--rebase');
	await fleet.until('u', 'stopped');
	assert.match(
		fleet.must('logs', 'u'),
		/In conflict:\s+- "größe\.txt"\s+What main did there:\s+- [0-9a-f]+ theirs\s+What you did there:\s+- [0-9a-f]+ own/,
	);
});

test("a conflict: named, told to the agent, and only the run's own changes are shown afterwards", async t => {
	const fleet = new Fleet(t);
	await fleet.agent('c', agent);
	assert.match(fleet.run(['resume', 'c', '--rebase']).stderr, /is on today's main already\n {2}hint: fleet verify c\n/);
	writeFileSync(path.join(fleet.project, 'a.txt'), 'person\n');
	writeFileSync(path.join(fleet.project, 'theirs.txt'), 'x\n');
	fleet.git('add', '--all');
	fleet.git('commit', '--quiet', "--message=person's own");
	const refused = fleet.run(['verify', 'c']);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /conflicts with main in "a\.txt"\n {2}hint: fleet resume c --rebase\n/);
	const shown = fleet.json('show', 'c');
	assert.deepEqual([shown['conflicts'], shown['needs']], [['a.txt'], 'needs you: rebase']);
	assert.match(fleet.must('show', 'c'), /verify +failed: conflicts with main in "a\.txt": fleet resume c --rebase/);

	fleet.must('resume', 'c', '--rebase', 'And be quick.');
	await fleet.until('c', 'stopped');
	const words = fleet.must('logs', 'c');
	for (const part of [
		/told: main has moved on since your work began, by 1 commit/,
		/In conflict:\s+- "a\.txt"/,
		/What main did there:\s+- [0-9a-f]+ person's own/,
		/What you did there:\s+- [0-9a-f]+ run's own/,
		/And be quick\./,
		/Successfully rebased/,
	]) {
		assert.match(words, part);
	}

	assert.equal(fleet.json('show', 'c')['prompt'], null, 'what it was asked for in the first place stays');
	assert.deepEqual(fleet.json('list')[0]!['changes'], {files: 2, added: 2, removed: 1, untracked: 1});
	assert.doesNotMatch(fleet.must('diff', 'c'), /theirs\.txt/);
	fleet.must('verify', 'c');
	const {captured, conflicts} = fleet.json('show', 'c');
	assert.deepEqual(
		[captured.base, captured.commits, captured.files, conflicts],
		[fleet.git('rev-parse', 'main'), 1, 2, null],
	);
	fleet.must('approve', 'c', '--because', 'read it');
	fleet.must('merge', 'c');
	assert.equal(fleet.git('show', 'main:a.txt'), 'both');
	const merged = fleet.must('diff', 'c', '--stat');
	assert.match(merged, /2 files changed/);
	fleet.must('discard', 'c');
	assert.equal(fleet.must('diff', 'c', '--stat'), merged);
});

test('a rebase that stopped in the middle is not handed over', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'm',
		'if [ "$FLEET_REBASE" = 1 ]; then git rebase main; else echo run > a.txt; git commit -qam run; fi',
	);
	writeFileSync(path.join(fleet.project, 'a.txt'), 'person\n');
	fleet.git('commit', '--quiet', '--all', '--message=person');
	fleet.must('resume', 'm', '--rebase');
	await fleet.until('m', 'stopped');
	const {code, stderr} = fleet.run(['verify', 'm']);
	assert.equal(code, 3);
	assert.match(stderr, /in the middle of a rebase\n {2}hint: fleet resume m "/);
	fleet.must('resume', 'm', '--rebase');
	await fleet.until('m', 'stopped');
	assert.match(fleet.must('journal', 'm'), /finish or abort that first/);
});

const context = attackContext();

async function withProject(work: (project: ThrowawayProject) => Promise<void>): Promise<void> {
	const project = await ThrowawayProject.make(context);
	try {
		await work(project);
	} finally {
		project.close();
	}
}

function commit(place: {readonly project: string; git(...argv: string[]): string}, name: string): string {
	writeFileSync(path.join(place.project, name), `${name}\n`);
	place.git('add', '--all');
	place.git('commit', '--quiet', `--message=${name}`);
	return place.git('rev-parse', 'HEAD');
}

test("today's branches, tags and objects are there at each start; what the agent moved is left alone", () =>
	withProject(async project => {
		const {git} = project;
		for (const name of ['topic', 'gone', 'moved', 'removed']) {
			git('branch', name);
		}

		const {run} = await project.agent(
			'echo x > mine.txt; git add mine.txt; git commit --quiet -m mine; git branch -f moved HEAD; ' +
				'git branch -D removed; git branch below/x',
		);
		await project.agent('echo y > y.txt', {name: 'other'});
		const first = commit(project, 'first.txt');
		git('tag', 'v9');
		git('branch', '-f', 'topic', 'main');
		git('branch', '-f', 'moved', 'main');
		git('branch', '-f', 'removed', 'main');
		git('branch', '-D', 'gone');
		git('branch', 'below');
		git('update-ref', 'refs/remotes/origin/main', 'main');
		// Objects that come from elsewhere, in a pack of their own.
		const elsewhere = path.join(project.folder, 'elsewhere');
		git('clone', '--quiet', '--bare', project.project, elsewhere);
		execFileSync('git', [
			'-C',
			elsewhere,
			'-c',
			'user.name=x',
			'-c',
			'user.email=x@x.invalid',
			'update-ref',
			'refs/heads/far',
			execFileSync(
				'git',
				[
					'-C',
					elsewhere,
					'-c',
					'user.name=x',
					'-c',
					'user.email=x@x.invalid',
					'commit-tree',
					'-m',
					'far',
					'main^{tree}',
				],
				{encoding: 'utf8'},
			).trim(),
		]);
		writeFileSync(path.join(project.project, '.git', 'objects', 'info', 'alternates'), `${elsewhere}/objects\n`);
		git(
			'update-ref',
			'refs/heads/far',
			execFileSync('git', ['-C', elsewhere, 'rev-parse', 'far'], {encoding: 'utf8'}).trim(),
		);
		git('repack', '-a', '-d', '-l', '--quiet');
		const {output} = await project.again(
			run,
			'for r in main topic gone moved removed below/x below v9 origin/main far fleet/other; ' +
				'do echo "$r $(git rev-parse -q --verify "$r^{commit}")"; done; git log --oneline far > /dev/null && ' +
				'echo whole; git fsck 2>&1 | grep -c missing; git log -1 --format=%s fleet/attack',
		);
		const mine = git('rev-parse', 'main');
		assert.equal(mine, first);
		const seen = new Map(
			output
				.split('\n')
				.filter(line => !line.startsWith('error: '))
				.slice(0, 11)
				.map(line => line.split(' ') as [string, string]),
		);
		for (const name of ['main', 'topic', 'v9', 'origin/main']) {
			assert.equal(seen.get(name), first, `${name}: ${output}`);
		}

		assert.equal(seen.get('far'), git('rev-parse', 'far'));
		assert.deepEqual([seen.get('gone'), seen.get('removed'), seen.get('fleet/other')], ['', '', ''], output);
		assert.notEqual(seen.get('moved'), first, 'a branch that the agent moved');
		// What git says to stderr of the repository that is not here comes between, and in no order.
		assert.match(output.replaceAll(/^error: .*\n?/gm, '').trim(), /whole\n0\nmine$/);
	}));

test("where the agent moved its own main, today's is there by another name", () =>
	withProject(async project => {
		const {run} = await project.agent(
			'git update-ref refs/heads/main "$(git commit-tree -m own "main^{tree}")"; echo x > x.txt',
		);
		const tip = commit(project, 'first.txt');
		const {output} = await project.again(run, 'git rev-parse refs/fleet/target; git log -1 --format=%s main');
		assert.equal(output, `${tip}\nown`);
		const later = commit(project, 'second.txt');
		assert.match((await project.again(run, 'git rev-parse refs/fleet/target')).output, new RegExp(later));
		// Its own branch is not what the host published.
		await project.handle(run, ['capture']);
		assert.match((await project.again(run, 'git status --short')).output, /\?\? x\.txt/);
	}));

test("changes are counted from where the run's own work begins, also by merge, also while it goes on", () =>
	withProject(async project => {
		const {run} = await project.agent('printf "1\\n2\\n" > mine.txt; git add mine.txt; git commit --quiet -m mine');
		for (const name of ['a1.txt', 'a2.txt', 'a3.txt']) {
			commit(project, name);
		}

		const one = {files: 1, added: 2, removed: 0, untracked: 1};
		assert.deepEqual(await countChanges(project.context, run), one);
		await project.again(run, 'git merge --quiet --no-edit main');
		assert.deepEqual(await countChanges(project.context, run), one);
		const {diff} = await project.handle(run);
		assert.doesNotMatch(diff, /a1\.txt/);
		assert.deepEqual(readChanges(project.context.paths.run(run.id)), {...one, untracked: 0});
	}));

test('histories that cross: where a merge could change what no diff shows, there is none', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'x',
		'git rev-parse --quiet --verify main^2 || { echo w > w.txt; git add w.txt; git commit --quiet -m w; exit; }; git merge --quiet --no-edit main^1; git merge --quiet --no-commit main^2; git rm --quiet --force guard.txt; git commit --quiet -m both',
	);
	fleet.git('checkout', '--quiet', '-b', 'side');
	commit(fleet, 'guard.txt');
	fleet.git('checkout', '--quiet', 'main');
	commit(fleet, 'main.txt');
	fleet.git('merge', '--quiet', '--no-ff', '--no-edit', 'side');
	fleet.must('resume', 'x');
	await fleet.until('x', 'stopped');
	const {code, stderr} = fleet.run(['verify', 'x']);
	assert.equal(code, 3);
	assert.match(stderr, /its history crosses that of main in 2 commits/);
});

test('a run that went back behind its start, or goes elsewhere: all that its merge brings is in its diff', async t => {
	const fleet = new Fleet(t);
	fleet.git('branch', 'release');
	commit(fleet, 'taken-back.txt');
	await fleet.agent(
		'back',
		'git reset --quiet --soft HEAD~1; echo w > w.txt; git add --all; git commit --quiet -m "all in one"',
	);
	await fleet.agent('elsewhere', 'echo w > w.txt; git add w.txt; git commit --quiet -m w');
	fleet.git('revert', '--no-edit', 'HEAD');
	assert.match(fleet.must('diff', 'back'), /taken-back\.txt/);
	assert.doesNotMatch(fleet.must('diff', 'elsewhere'), /taken-back\.txt/);
	fleet.must('retarget', 'elsewhere', 'release');
	assert.match(fleet.must('diff', 'elsewhere'), /taken-back\.txt/);
	fleet.must('verify', 'elsewhere');
	assert.match(fleet.must('approve', 'elsewhere', '--because', 'x'), /2 of 2 files not viewed/);
});

test('a cut history that grew at the host is known inside', () =>
	withProject(async project => {
		const {git} = project;
		const server = path.join(project.folder, 'server');
		git('clone', '--quiet', '--bare', project.project, server);
		commit(project, 'one.txt');
		git('push', '--quiet', server, 'main');
		execFileSync('rm', ['-rf', project.project]);
		mkdirSync(project.project);
		const at = (...argv: string[]) =>
			execFileSync('git', ['-C', project.project, '-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...argv], {
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'pipe'],
			});
		execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${server}`, project.project]);
		const {run} = await project.agent('echo x > x.txt; git add x.txt; git commit --quiet -m x');
		const other = path.join(project.folder, 'other');
		execFileSync('git', ['clone', '--quiet', server, other]);
		for (const name of ['two', 'three', 'four']) {
			execFileSync('git', [
				'-C',
				other,
				'-c',
				'user.name=x',
				'-c',
				'user.email=x@x.invalid',
				'commit',
				'--quiet',
				'--allow-empty',
				`--message=${name}`,
			]);
		}

		execFileSync('git', ['-C', other, 'push', '--quiet']);
		at('fetch', '--quiet', '--depth=1');
		const {output} = await project.again(
			run,
			'git log --oneline origin/main | wc -l; git fsck 2>&1 | grep -c -e missing -e broken; git status --short | wc -l',
		);
		assert.equal(output, '1\n0\n0');
	}));
