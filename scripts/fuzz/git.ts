// Random repositories and runs: what fleet takes over and merges, against what plain git makes of the same work.
import process from 'node:process';
import {attackContext} from '../../test/support/attack.ts';
import {fuzzRound} from '../../test/support/git-fuzz.ts';

const [count = 200, first = 0] = process.argv.slice(2).map(Number);
const context = attackContext();
const began = Date.now();
const outcomes = new Map<string, number>();
for (let seed = first; seed < first + count; seed++) {
	const {outcome, problem} = await fuzzRound(context, seed);
	outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	if (problem !== undefined) {
		process.stdout.write(`git: seed ${seed}: ${problem}\n  again: npm run fuzz -- git 1 ${seed}\n`);
	}
}

process.stdout.write(
	`git: ${count} rounds from seed ${first} ` +
		`on, ${[...outcomes].map(([outcome, number]) => `${number} ${outcome}`).join(', ')}, ` +
		`${Math.round((Date.now() - began) / 1000)} s\n`,
);
process.exit(outcomes.has('problem') ? 1 : 0);
