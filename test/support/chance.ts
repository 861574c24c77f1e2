/** Chance that begins anew with its seed (mulberry32). */
export class Chance {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** From 0 to below 1. */
	next(): number {
		this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
		let mixed = this.#state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}

	/** A whole number from 0 to below `end`. */
	below(end: number): number {
		return Math.floor(this.next() * end);
	}

	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)]!;
	}

	/** True in this share of the cases. */
	once(share: number): boolean {
		return this.next() < share;
	}
}

/** Makes a failing input smaller, by leaving parts out while it still fails. @param most tries */
export async function shrink(
	input: Uint8Array,
	fails: (input: Uint8Array) => Promise<boolean>,
	most = 200,
): Promise<Uint8Array> {
	let smallest = input;
	let tries = 0;
	for (
		let part = Math.ceil(smallest.length / 2);
		part >= 1 && tries < most;
		part = part === 1 ? 0 : Math.ceil(part / 2)
	) {
		for (let at = 0; at < smallest.length && tries < most;) {
			const less = new Uint8Array([...smallest.subarray(0, at), ...smallest.subarray(at + part)]);
			tries++;
			if (less.length < smallest.length && (await fails(less))) {
				smallest = less;
			} else {
				at += part;
			}
		}
	}

	return smallest;
}
