import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {renameSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {promisorOf} from '../../source/host/partial.ts';
import {openRepository} from '../../source/engine/project/projects.ts';
import {attackContext} from '../support/attack.ts';

/* Partial clones: what a run is made of is fetched before it, what verify needs before that. */

const context = attackContext();

/** A project that is a partial clone of one with a file that changed. */
async function withClone(
	options: readonly string[],
	work: (project: ThrowawayProject) => Promise<void>,
): Promise<void> {
	const project = await ThrowawayProject.make(
		{...context, actor: 'person:tester'},
		{'d/one': '1\n', 'd/e/two': '2\n', '.fleet/policy.yaml': 'verify: ["cat d/one d/e/two"]\n'},
	);
	try {
		const {git, project: root, folder} = project;
		writeFileSync(path.join(root, 'd/one'), 'changed\n');
		git('commit', '--quiet', '--all', '--message=changed');
		git('config', 'uploadpack.allowFilter', 'true');
		git('config', 'uploadpack.allowAnySHA1InWant', 'true');
		const origin = path.join(folder, 'origin');
		renameSync(root, origin);
		execFileSync('git', ['clone', '--quiet', ...options, `file://${origin}`, root], {stdio: 'pipe'});
		git('config', 'user.name', 'A Person');
		git('config', 'user.email', 'person@example.invalid');
		await work(project);
	} finally {
		project.close();
	}
}

const missing = ({git}: ThrowawayProject) =>
	git('rev-list', '--objects', '--all', '--missing=print')
		.split('\n')
		.filter(line => line.startsWith('?')).length;

for (const [title, options] of [
	['without the files of old commits', ['--filter=blob:none']],
	['without any file', ['--filter=blob:none', '--no-checkout']],
	['without folders', ['--filter=tree:0', '--no-checkout']],
	['sparse', ['--filter=blob:none', '--sparse']],
] as const) {
	test(`a run of a partial clone ${title} is made, verified, and its history stays where it was`, () =>
		withClone(options, async project => {
			assert.equal(await promisorOf((await openRepository(project.project)).git), 'origin');
			const before = missing(project);
			const {run, output} = await project.agent('cat a.txt; git status --short; echo more >> a.txt; echo b > b.txt');
			assert.equal(output, 'one');
			assert.equal((await project.handle(run)).verify, 'true');
			assert.equal(project.git('show', 'fleet/attack:a.txt'), 'one\nmore');
			assert.ok(before > 0);
			assert.ok(missing(project) > 0, 'what is not needed is not fetched');
		}));
}

test('where its server cannot be asked, a run is refused before it is made', () =>
	withClone(['--filter=blob:none', '--no-checkout'], async project => {
		renameSync(path.join(project.folder, 'origin'), path.join(project.folder, 'gone'));
		await assert.rejects(project.agent('true'), {
			because: /^the repository is a partial clone, and what it lacks of [\da-f]{10} could not be fetched: /,
			hint: /^git -C \S+ archive [\da-f]{10} > \/dev\/null fetches it; then again$/,
		} as never);
		assert.equal(project.git('branch', '--list', 'fleet/*'), '');
	}));
