import process from 'node:process';

/**
 * Tries inputs, one for each seed from `FIRST` on, and ends the process:
 * with 1 at the first that fails, which the printed command repeats.
 * @param attempt makes the input of a seed and tries it; says what is wrong
 */
export function fuzz(name: string, usual: number, attempt: (seed: number) => string | undefined): never {
	const [count = usual, first = 0] = process.argv.slice(2).map(Number);
	const began = Date.now();
	for (let seed = first; seed < first + count; seed++) {
		const problem = attempt(seed);
		if (problem !== undefined) {
			process.stdout.write(`${name}: seed ${seed}: ${problem}\n  again: npm run fuzz -- ${name} 1 ${seed}\n`);
			process.exit(1);
		}
	}

	process.stdout.write(
		`${name}: ${count} inputs from seed ${first} on, none failed, ${Math.round((Date.now() - began) / 1000)} s\n`,
	);
	process.exit(0);
}
