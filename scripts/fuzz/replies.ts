// Replies of a server, through the broker, to a client.
import process from 'node:process';
import {fuzzReplies} from '../../test/support/reply-fuzz.ts';

const [count = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
process.stdout.write(`replies: seed ${seed}\n`);
const began = Date.now();
const {inputs, passed, wrong} = await fuzzReplies(count, seed);
process.stdout.write(
	wrong.length > 0
		? `WRONG:\n${wrong.join('\n')}\n  again: npm run fuzz -- replies ${count} ${seed}\n`
		: `replies: ${inputs}, ${passed} passed on, none failed, ${Math.round((Date.now() - began) / 1000)} s\n`,
);
process.exit(wrong.length > 0 ? 1 : 0);
