/** Connections that are made at one time: each takes a process for a moment. */
const maxAtOnce = 4;

/** Requests for a connection that may wait: more is no page that loads. */
const maxWaiting = 256;

/** Makes things a few at a time; who comes later waits. */
export class Queue<Thing> {
	readonly #make: () => Promise<Thing>;
	readonly #waiting: Array<() => void> = [];
	#going = 0;

	constructor(make: () => Promise<Thing>) {
		this.#make = make;
	}

	/** @throws where too many wait, or as making it does */
	async take(): Promise<Thing> {
		if (this.#going >= maxAtOnce) {
			if (this.#waiting.length >= maxWaiting) {
				throw new Error('too many wait');
			}

			await new Promise<void>(resolve => {
				this.#waiting.push(resolve);
			});
		} else {
			this.#going++;
		}

		try {
			return await this.#make();
		} finally {
			const next = this.#waiting.shift();
			if (next) {
				next();
			} else {
				this.#going--;
			}
		}
	}
}
