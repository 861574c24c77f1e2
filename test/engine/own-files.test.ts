import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import {makeBinding} from '../../source/core/secrets/secret.ts';
import {readChanges} from '../../source/engine/handover/changes-file.ts';
import {readReview, writeReview} from '../../source/engine/handover/review-file.ts';
import {isRemembered, remember} from '../../source/engine/grants/remembered.ts';
import {listSecrets} from '../../source/engine/grants/secrets.ts';
import {isTrusted, trust} from '../../source/engine/project/include.ts';
import {listProjects} from '../../source/engine/project/list-projects.ts';
import type {Context} from '../../source/engine/context.ts';
import {findPaths} from '../../source/host/paths.ts';

/* Files of fleet's own that hold what a person decided: a damaged one is said to be that, and is not written over. */

function contextOf(t: TestContext): Context {
	const home = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-own-'));
	t.after(() => rmSync(home, {recursive: true, force: true}));
	const paths = findPaths({HOME: home, FLEET_HOME: path.join(home, 'fleet')});
	for (const folder of [paths.config, paths.state, paths.run('r').folder]) {
		mkdirSync(folder, {recursive: true, mode: 0o700});
	}

	return {paths} as Context;
}

const binding = makeBinding({hosts: ['a.example']});
assert.ok(!(binding instanceof Refusal));
const entry = {
	reference: {owner: 'user', name: 'api'},
	store: 'keyring',
	binding,
	shape: 'plain',
	changedAt: '2026-01-01T00:00:00.000Z',
} as const;
const project = {id: 'p'};
const included = {files: ['.env'], digest: 'd'};
const comment = {
	id: '1',
	path: 'a',
	side: 'new',
	from: 1,
	to: 1,
	quoted: 'x',
	text: 'y',
	digest: 'd',
	sent: false,
} as const;

test('what a person decided is read again, and none of it is there before', t => {
	const context = contextOf(t);
	const places = context.paths.run('r');
	assert.deepEqual([listSecrets(context), listProjects(context), readReview(places).comments], [[], [], []]);
	assert.ok(!isRemembered(context, {project, agentId: 'claude'}, entry) && !isTrusted(context, project, included));
	remember(context, {project, agentId: 'claude'}, entry);
	trust(context, project, included);
	writeReview(places, {viewed: {a: 'd'}, comments: [comment]});
	writeFileSync(path.join(context.paths.config, 'secrets.json'), JSON.stringify([entry]));
	assert.ok(isRemembered(context, {project, agentId: 'claude'}, entry) && isTrusted(context, project, included));
	assert.deepEqual(readReview(places), {viewed: {a: 'd'}, comments: [comment]});
	assert.equal(listSecrets(context)[0]!.reference.name, 'api');
});

for (const damage of ['{', '[1]', '"text"', 'null', '{"p": 1}']) {
	test(`a damaged file is refused by its name, and stays: ${damage}`, t => {
		const context = contextOf(t);
		const places = context.paths.run('r');
		const own = (name: string) => path.join(context.paths.config, name);
		const uses: Array<[file: string, use: () => unknown]> = [
			[own('secrets.json'), () => listSecrets(context)],
			[context.paths.projects, () => listProjects(context)],
			[own('remembered-models.json'), () => isRemembered(context, {project, agentId: 'claude'}, entry)],
			[own('remembered-models.json'), () => remember(context, {project, agentId: 'claude'}, entry)],
			[own('trusted-includes.json'), () => isTrusted(context, project, included)],
			[own('trusted-includes.json'), () => trust(context, project, included)],
			...(damage === '{"p": 1}'
				? []
				: ([
						[places.review, () => readReview(places)],
						[places.review, () => writeReview(places, {viewed: {}, comments: []})],
					] as Array<[string, () => unknown]>)),
		];
		for (const [file, use] of uses) {
			writeFileSync(file, damage);
			assert.throws(use, (error: unknown) => error instanceof Refusal && error.because.includes(file), file);
			assert.equal(readFileSync(file, 'utf8'), damage, file);
		}

		writeFileSync(places.changes, damage);
		assert.equal(readChanges(places), undefined, 'counts are counted again');
	});
}
