/**
 * Goes along a stream of websocket frames (RFC 6455, 5.2) and lets the payload be changed in place, byte for byte: lengths,
 * masks and frames stay what they are. Nothing waits for the end of a frame.
 */
export class FrameWalker {
	readonly #payload: (bytes: Uint8Array, end: boolean) => void;
	/** Of the frame that is being read: its header as far as it came, what is left of its payload, its mask. */
	#header: number[] = [];
	#left = 0;
	#mask: readonly number[] | undefined;
	#at = 0;
	/** True once what came is no frame; then nothing may pass. */
	broken = false;

	/** @param payload changes unmasked bytes in place; `end` says that a frame ends with them */
	constructor(payload: (bytes: Uint8Array, end: boolean) => void) {
		this.#payload = payload;
	}

	/** Changes `bytes` in place. */
	push(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length && !this.broken;) {
			if (this.#left > 0) {
				const count = Math.min(this.#left, bytes.length - at);
				const part = bytes.subarray(at, at + count);
				this.#unmask(part, this.#at);
				this.#payload(part, count === this.#left);
				this.#unmask(part, this.#at);
				this.#at += count;
				this.#left -= count;
				at += count;
				continue;
			}

			this.#header.push(bytes[at++]!);
			this.#begin();
		}
	}

	#unmask(bytes: Uint8Array, from: number): void {
		const mask = this.#mask;
		if (mask) {
			for (let index = 0; index < bytes.length; index++) {
				bytes[index]! ^= mask[(from + index) & 3]!;
			}
		}
	}

	/** Reads a header once it is whole. */
	#begin(): void {
		const header = this.#header;
		if (header.length < 2) {
			return;
		}

		// No extension was agreed on, so nothing may use its bits: a compressed payload could not be looked into.
		if ((header[0]! & 0x70) !== 0) {
			this.broken = true;
			return;
		}

		const short = header[1]! & 0x7F;
		const more = short === 126 ? 2 : short === 127 ? 8 : 0;
		const masked = (header[1]! & 0x80) !== 0;
		if (header.length < 2 + more + (masked ? 4 : 0)) {
			return;
		}

		const length = more === 0 ? short : header.slice(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
		if (length > Number.MAX_SAFE_INTEGER) {
			this.broken = true;
			return;
		}

		this.#mask = masked ? header.slice(2 + more, 6 + more) : undefined;
		this.#left = length;
		this.#at = 0;
		this.#header = [];
	}
}
