// What an agent writes, through the filter, into a terminal that
// tells what is done to it: it is painted on, and nothing else.
import {
	allowedInput,
	anyInput,
	numbers,
	tryAllowedInput,
	tryAnyInput,
	WatchedTerminal,
} from '../../test/support/watched-terminal.ts';
import {fuzz} from './fuzz.ts';

const plain = new WatchedTerminal();
const terminal = new WatchedTerminal();
fuzz('terminal', 100_000, seed => {
	const random = numbers(seed);
	if (seed % 2 === 0) {
		const input = anyInput(random);
		const problem = tryAnyInput(terminal, input, random);
		return problem === undefined ? undefined : `${problem}: ${JSON.stringify(Buffer.from(input).toString('latin1'))}`;
	}

	const input = allowedInput(random);
	const problem = tryAllowedInput(plain, terminal, input, random);
	return problem === undefined ? undefined : `${problem}: ${JSON.stringify(Buffer.from(input).toString())}`;
});
