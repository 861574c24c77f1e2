/** What was asked for lately, by text: what has not been asked for since as many others were is forgotten. */
export class Recent<Value> {
	readonly #max: number;
	#now = new Map<string, Value>();
	#before = new Map<string, Value>();

	/** @param max between as many and twice as many are kept */
	constructor(max: number) {
		this.#max = max;
	}

	get(key: string): Value | undefined {
		const found = this.#now.get(key);
		if (found !== undefined) {
			return found;
		}

		const value = this.#before.get(key);
		return value === undefined ? undefined : this.set(key, value);
	}

	set(key: string, value: Value): Value {
		// Never all at once: the next frame would have to make each of its lines anew.
		if (this.#now.size >= this.#max) {
			this.#before = this.#now;
			this.#now = new Map();
		}

		this.#now.set(key, value);
		return value;
	}
}
