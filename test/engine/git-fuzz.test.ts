import assert from 'node:assert/strict';
import {test} from 'node:test';
import {attackContext} from '../support/attack.ts';
import {fuzzRound} from '../support/git-fuzz.ts';

/* Some rounds of what `npm run fuzz -- git` tries by the thousand. */

/** Rounds in which something was found once. 144: a file of the person's where the merge has a folder. */
const found = [144];

/** Milliseconds after which no further round begins. */
const enough = 25_000;

test('what is taken over and merged is what plain git makes of the same work', async t => {
	const context = attackContext();
	const began = Date.now();
	let rounds = 0;
	for (const seed of [...found, ...Array.from({length: 30}, (_, index) => index + 1)]) {
		if (Date.now() - began > enough) {
			break;
		}

		rounds++;
		const {problem} = await fuzzRound(context, seed);
		assert.equal(problem, undefined, `npm run fuzz -- git 1 ${seed}`);
	}

	t.diagnostic(`${rounds} rounds`);
	assert.ok(rounds > 0);
});
