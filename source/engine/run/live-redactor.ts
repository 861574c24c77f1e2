import {Redactor} from '../../core/secrets/redact.ts';

/** How long the beginning of what could be a value waits for more of it, milliseconds. */
const patience = 40;

/**
 * Blanks known values out of what people watch as it comes. Nothing waits for long: what could be the beginning of a
 * value, and all that stands behind it, is shown after a moment,
 * with no more of the value readable than `Redactor` holds harmless.
 */
export class LiveRedactor {
	readonly #redactor: Redactor;
	readonly #onBytes: (bytes: Uint8Array) => void;
	#timer: NodeJS.Timeout | undefined;

	constructor(values: Iterable<string>, onBytes: (bytes: Uint8Array) => void) {
		this.#redactor = new Redactor(values);
		this.#onBytes = onBytes;
	}

	/** More values, from now on. */
	add(values: Iterable<string>): void {
		this.#redactor.add(values);
	}

	push(bytes: Uint8Array): void {
		this.#show(this.#redactor.push(bytes));
		if (this.#redactor.waits) {
			this.#flushSoon();
		}
	}

	/** Shows what is left; nothing comes after it. */
	end(): void {
		clearTimeout(this.#timer);
		this.#show(this.#redactor.end());
	}

	/**
	 * One timer at a time: output comes faster than timers are worth making. What stands behind a beginning does not make
	 * it wait longer: only more of the value does.
	 */
	#flushSoon(): void {
		const before = this.#redactor.waiting;
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			if (!this.#redactor.waits) {
				return;
			}

			if (this.#redactor.waiting === before) {
				this.#show(this.#redactor.flush());
			} else {
				this.#flushSoon();
			}
		}, patience);
	}

	#show(bytes: Uint8Array): void {
		if (bytes.length > 0) {
			this.#onBytes(bytes);
		}
	}
}
