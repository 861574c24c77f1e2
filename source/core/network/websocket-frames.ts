import {concat, copyOf, type Blanker} from '../secrets/patterns.ts';

/** A frame as its header says. `isLast`: its message ends with it; `length`: of its payload, bytes. */
export type Frame = {
	readonly header: readonly number[];
	readonly isControl: boolean;
	readonly isLast: boolean;
	readonly mask: readonly number[] | undefined;
	readonly length: number;
};

/** Changes unmasked bytes in place; `end` says that a frame ends with them, `at` where in it they begin. */
// oxlint-disable-next-line max-params -- once for every piece of a stream, where an object would cost
type OnPayload = (bytes: Uint8Array, end: boolean, frame: Frame, at: number) => void;

/**
 * Goes along a stream of websocket frames (RFC 6455, 5.2) and lets the payload be changed in place, byte for byte:
 * lengths, masks and frames stay what they are. Nothing waits for the end of a frame.
 */
export class FrameWalker {
	readonly #payload: OnPayload;
	readonly #begun: ((frame: Frame) => void) | undefined;
	/** The header of the next frame, as far as it came; the frame that is being read, and how far. */
	#header: number[] = [];
	#frame: Frame | undefined;
	#left = 0;
	#at = 0;
	/** True once what came is no frame; then nothing may pass. */
	broken = false;

	/** @param begun hears of each frame once its header is whole */
	constructor(payload: OnPayload, begun?: (frame: Frame) => void) {
		this.#payload = payload;
		this.#begun = begun;
	}

	/** Changes `bytes` in place. */
	push(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length && !this.broken;) {
			if (this.#left > 0) {
				const count = Math.min(this.#left, bytes.length - at);
				const part = bytes.subarray(at, at + count);
				const frame = this.#frame!;
				unmask(part, frame.mask, this.#at);
				this.#payload(part, count === this.#left, frame, this.#at);
				unmask(part, frame.mask, this.#at);
				this.#at += count;
				this.#left -= count;
				at += count;
				continue;
			}

			this.#header.push(bytes[at++]!);
			this.#begin();
		}
	}

	/** Reads a header once it is whole. */
	#begin(): void {
		const header = this.#header;
		if (header.length < 2) {
			return;
		}

		// No extension was agreed on, so nothing may use its bits: a compressed payload could not be looked into.
		const opcode = header[0]! & 0x0f;
		const isControl = opcode >= 8;
		const isLast = (header[0]! & 0x80) !== 0;
		if (
			(header[0]! & 0x70) !== 0 ||
			(opcode > 2 && opcode < 8) ||
			opcode > 10 ||
			(isControl && (!isLast || (header[1]! & 0x7f) > 125))
		) {
			this.broken = true;
			return;
		}

		const short = header[1]! & 0x7f;
		const more = lengthBytes(short);
		const masked = (header[1]! & 0x80) !== 0;
		if (header.length < 2 + more + (masked ? 4 : 0)) {
			return;
		}

		const length = more === 0 ? short : header.slice(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
		if (length > Number.MAX_SAFE_INTEGER) {
			this.broken = true;
			return;
		}

		this.#frame = {header, isControl, isLast, mask: masked ? header.slice(2 + more, 6 + more) : undefined, length};
		this.#left = length;
		this.#at = 0;
		this.#header = [];
		this.#begun?.(this.#frame);
	}
}

/** How many bytes of a length follow the short one. */
function lengthBytes(short: number): number {
	if (short === 126) {
		return 2;
	}

	return short === 127 ? 8 : 0;
}

function unmask(bytes: Uint8Array, mask: readonly number[] | undefined, from: number): void {
	if (mask) {
		for (let index = 0; index < bytes.length; index++) {
			bytes[index]! ^= mask[(from + index) & 3]!;
		}
	}
}

/** Part of a message's payload that may have to wait: how much of it, from where in its frame. */
type Slot = {left: number; at: number; readonly mask: readonly number[] | undefined};

/**
 * Blanks patterns out of the messages of a stream of frames, also where frames and messages cut them: what could be a
 * pattern's beginning is held back, with all behind it, until it is clear what it is.
 */
export class FrameBlanker {
	readonly #walker: FrameWalker;
	readonly #messages: Blanker;
	/** What goes out, in order: bytes as they are, and places for payload. */
	#queue: Array<Uint8Array | Slot> = [];
	/** Payload that may go on, and has not been put into its place. */
	#ready: Uint8Array = new Uint8Array();

	/**
	 * @param makeBlanker one for messages, and one for each control frame, whose payload is no part of a message
	 * @param onBlanked a pattern was blanked; `cut`: its beginning had gone on already
	 * @param onPayload hears the payload of messages as it goes on; `end`: a frame ends
	 */
	constructor(
		makeBlanker: () => Blanker,
		onBlanked: (cut: boolean) => void,
		onPayload: (bytes: Uint8Array, end: boolean) => void = () => {},
	) {
		const messages = makeBlanker();
		this.#messages = messages;
		let control = makeBlanker();
		let held: Uint8Array = new Uint8Array();
		let told = 0;
		const pass = (bytes: Uint8Array, end: boolean, frame: Frame) => {
			const passed = end && frame.isLast ? concat(bytes, messages.release()) : bytes;
			this.#ready = concat(this.#ready, passed);
			onPayload(passed, end);
			if (messages.found > told) {
				told = messages.found;
				onBlanked(messages.cut > 0);
			}
		};

		this.#walker = new FrameWalker(
			// oxlint-disable-next-line max-params -- it is an OnPayload
			(part, end, frame, at) => {
				if (!frame.isControl) {
					this.#queue.push({left: part.length, at, mask: frame.mask});
					pass(messages.push(copyOf(part)), end, frame);
					return;
				}

				// At most 125 bytes: they wait for their end.
				held = concat(held, copyOf(part));
				if (end) {
					const whole = copyOf(concat(control.push(held), control.end()));
					unmask(whole, frame.mask, 0);
					this.#queue.push(whole);
					held = new Uint8Array();
					if (control.found > 0) {
						control = makeBlanker();
						onBlanked(false);
					}
				}
			},
			frame => {
				this.#queue.push(Uint8Array.from(frame.header));
				if (frame.length === 0 && !frame.isControl) {
					pass(new Uint8Array(), true, frame);
				}
			},
		);
	}

	/** True once what came is no frame; then nothing may pass. */
	get broken(): boolean {
		return this.#walker.broken;
	}

	/** @returns what may go on now; the bytes given are not changed */
	push(bytes: Uint8Array): Uint8Array {
		this.#walker.push(copyOf(bytes));
		return this.#drain();
	}

	/** The rest, at the end of the stream. */
	end(): Uint8Array {
		this.#ready = concat(this.#ready, this.#messages.end());
		return this.#drain();
	}

	/** Takes what may go out of the queue. */
	#drain(): Uint8Array {
		const parts: Uint8Array[] = [];
		let used = 0;
		let count = 0;
		for (const next of this.#queue) {
			if (next instanceof Uint8Array) {
				parts.push(next);
				count++;
				continue;
			}

			const part = copyOf(this.#ready.subarray(used, used + next.left));
			unmask(part, next.mask, next.at);
			parts.push(part);
			used += part.length;
			next.at += part.length;
			next.left -= part.length;
			if (next.left > 0) {
				break;
			}

			count++;
		}

		this.#queue = this.#queue.slice(count);
		this.#ready = copyOf(this.#ready, used);
		return join(parts);
	}
}

function join(parts: readonly Uint8Array[]): Uint8Array {
	const joined = new Uint8Array(parts.reduce((sum, {length}) => sum + length, 0));
	let at = 0;
	for (const part of parts) {
		joined.set(part, at);
		at += part.length;
	}

	return joined;
}
