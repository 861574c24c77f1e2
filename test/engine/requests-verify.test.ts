import assert from 'node:assert/strict';
import {globSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {parseEnvelopeWord} from '../../source/core/statement/envelope.ts';
import {peopleFile, shared, Teammate} from '../support/teammate.ts';

/* What another machine asks for, verified once more on one's own, by the policy of the branch's tip there. */

/** cy asks ada, whose machine is another one: each has the program `judge` of their own, or none. */
async function asked(t: TestContext) {
	const [cy, ada] = ['cy', 'ada'].map(name => new Teammate(t, name)) as [Teammate, Teammate];
	cy.commit('people', {
		'.fleet/people.yaml': peopleFile([[ada], [cy]]),
		'.fleet/policy.yaml': 'verify: ["judge"]\n',
	});
	judge(cy, 'echo here-is-cy');
	shared(cy, [ada]);
	await cy.agent('work', 'echo two >> a.txt; git commit -qam "Add two"');
	cy.must('verify', 'work');
	cy.must('request', 'work', '--to', 'origin');
	return {cy, ada};
}

/** Gives somebody's machine the program `judge`. */
function judge(who: Teammate, script: string): void {
	const folder = path.join(who.folder, 'tools');
	mkdirSync(path.join(folder, 'bin'), {recursive: true});
	writeFileSync(path.join(folder, 'bin', 'judge'), `#!/bin/sh\n${script}\n`, {mode: 0o755});
	who.settings(`toolchains: ["${folder}"]\n`);
	who.env['PATH'] = `${folder}/bin:${who.env['PATH']}`;
}

/** What was signed of the last merge's approval. */
function approval(cy: Teammate): {readonly predicate: Record<string, string>} {
	const words = [...cy.git('log', '-1', '--format=%B').matchAll(/^Fleet-Statement: (.*)$/gm)];
	return words
		.map(([, word]) => JSON.parse((parseEnvelopeWord(word!) as {payload: string}).payload))
		.find(({predicate}) => predicate.decision === 'approve');
}

test('a request is verified on the machine of who is asked, and the approval says what came of it', async t => {
	const {cy, ada} = await asked(t);
	assert.match(ada.must('requests', 'show', 'work'), /^here +not yet: fleet requests verify work$/m);

	// A machine that cannot tell says so.
	const unclear = ada.run(['requests', 'verify', 'work']);
	assert.match(unclear.stdout, /^inconclusive: .*judge/m);
	assert.equal(unclear.code, 4, unclear.stderr);
	assert.match(ada.must('requests', 'show', 'work'), /^here +inconclusive: /m);

	judge(ada, 'grep -q two a.txt && echo here-is-ada; exit 1');
	const failed = ada.run(['requests', 'verify', 'work']);
	assert.match(failed.stdout, /^here-is-ada$[^]*^not verified: /m);
	assert.equal(failed.code, 3, failed.stderr);
	const refused = ada.run(['requests', 'approve', 'work']);
	assert.match(
		refused.stderr,
		/^here +failed: [^]*it failed on this machine: [^]*fleet requests approve work --because/m,
	);
	assert.equal(refused.code, 3);

	judge(ada, 'echo here-is-ada');
	assert.match(ada.must('requests', 'verify', 'work'), /^here-is-ada$[^]*^verified here: /m);
	assert.equal(ada.json<Array<{here: {result: string}}>>('requests')[0]!.here.result, 'passed');
	// Of another merge, it is none.
	const [file] = globSync(`${ada.folder}/fleet/state/requests/project/*/found.json`);
	const kept = readFileSync(file!, 'utf8');
	writeFileSync(file!, kept.replace(/"tree":"./, '"tree":"x'));
	assert.match(ada.must('requests', 'show', 'work'), /^here +not yet: /m);
	writeFileSync(file!, kept);

	const approved = ada.run(['requests', 'approve', 'work']);
	assert.equal(approved.code, 0, approved.stderr);
	assert.match(approved.stderr, /^here +passed: [^]*^signed +by .*key: exactly this merge, for a day$/m);
	cy.must('merge', 'work');
	assert.match(approval(cy).predicate['verifiedHere']!, /^passed: /);
	const checked = cy.run(['check', 'HEAD^..HEAD']);
	assert.equal(checked.code, 0, `and a clone proves it: ${checked.stderr}`);

	const left = path.join(ada.folder, 'fleet', 'state', 'requests', 'project');
	assert.deepEqual(
		readdirSync(left)
			.flatMap(name => readdirSync(path.join(left, name)))
			.sort(),
		['found.json', 'lock.sqlite', 'verify.log'],
		'no checkout stays',
	);
	assert.match(ada.must('requests'), /^nobody asks/);
	assert.deepEqual(readdirSync(left), [], 'what is asked no more is not kept');
});
