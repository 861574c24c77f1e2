/* A stream of server-sent events, as far as the protocol uses it: https://html.spec.whatwg.org/multipage/server-sent-events.html */

/** Reads events out of a text that comes in pieces. */
export class EventReader {
	readonly #longest: number;
	#line: string[] = [];
	#size = 0;
	#data: string[] = [];
	#afterReturn = false;

	/** @param longest characters of one event */
	constructor(longest: number) {
		this.#longest = longest;
	}

	/** @returns the data of each event that is whole now. @throws RangeError for one without an end */
	push(text: string): string[] {
		const found: string[] = [];
		let from = 0;
		for (let at = 0; at < text.length; at++) {
			const code = text.charCodeAt(at);
			if (code !== 10 && code !== 13) {
				this.#afterReturn = false;
				continue;
			}

			// A line feed behind a carriage return ends no other line.
			if (code === 10 && this.#afterReturn) {
				this.#afterReturn = false;
				from = at + 1;
				continue;
			}

			this.#afterReturn = code === 13;
			this.#take(text.slice(from, at));
			from = at + 1;
			const data = this.#end();
			if (data !== undefined) {
				found.push(data);
			}
		}

		this.#take(text.slice(from));
		return found;
	}

	#take(piece: string): void {
		this.#line.push(piece);
		this.#size += piece.length;
		if (this.#size > this.#longest) {
			throw new RangeError('an event has no end');
		}
	}

	/** A line is whole. @returns the data of the event that it ends */
	#end(): string | undefined {
		const line = this.#line.join('');
		this.#line = [];
		if (line === '') {
			const data = this.#data;
			this.#data = [];
			this.#size = 0;
			return data.length === 0 ? undefined : data.join('\n');
		}

		const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
		if (field === 'data') {
			this.#data.push(value);
		} else {
			this.#size -= line.length;
		}

		return undefined;
	}
}
