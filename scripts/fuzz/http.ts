// Requests of a client, through the broker and the plain proxy, to a strict server of another make.
import process from 'node:process';
import {fuzzHttp} from '../../test/support/http-fuzz.ts';

const [count = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
process.stdout.write(`http: seed ${seed}\n`);
const began = Date.now();
const results = await fuzzHttp(count, seed);
for (const [kind, {inputs, decided, arrived, wrong}] of Object.entries(results)) {
	process.stdout.write(
		`${kind}: ${inputs} inputs, ${decided} requests decided on, ${arrived} arrived whole, ` +
			`${wrong.length === 0 ? 'nothing wrong' : `WRONG:\n${wrong.join('\n')}`}\n`,
	);
}

const failed = Object.values(results).some(({wrong}) => wrong.length > 0);
process.stdout.write(
	failed
		? `  again: npm run fuzz -- http ${count} ${seed}\n`
		: `none failed, ${Math.round((Date.now() - began) / 1000)} s\n`,
);
process.exit(failed ? 1 : 0);
