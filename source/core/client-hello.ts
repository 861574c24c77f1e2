/* The name that a TLS client asks for, read from its first bytes without answering them (RFC 8446, 4.1.2; RFC 6066, 3). */

/** `wait`: more bytes are needed. `other`: not TLS, or not readable as a hello. `hello`: whole; `name` as written, if it names a server. */
export type ClientHello = {readonly kind: 'wait'} | {readonly kind: 'other'} | {readonly kind: 'hello'; readonly name: string | undefined};

/** The longest hello that is waited for, bytes: four records. */
export const longestHello = 4 * 16_384;

/** Puts the handshake together from its records, since a hello may be cut anywhere. */
function handshake(bytes: Uint8Array): {message: Uint8Array; whole: boolean} | undefined {
	const parts: Uint8Array[] = [];
	let length = 0;
	for (let at = 0; at < bytes.length;) {
		if (bytes[at] !== 0x16 || (at + 1 < bytes.length && bytes[at + 1] !== 3)) {
			return undefined;
		}

		if (at + 5 > bytes.length) {
			break;
		}

		const size = bytes[at + 3]! * 256 + bytes[at + 4]!;
		const part = bytes.subarray(at + 5, at + 5 + size);
		parts.push(part);
		length += part.length;
		at += 5 + size;
		const message = new Uint8Array(length);
		let offset = 0;
		for (const piece of parts) {
			message.set(piece, offset);
			offset += piece.length;
		}

		if (length >= 4) {
			if (message[0] !== 1) {
				return undefined;
			}

			const wanted = 4 + message[1]! * 65_536 + message[2]! * 256 + message[3]!;
			if (length >= wanted) {
				return {message: message.subarray(4, wanted), whole: true};
			}
		}
	}

	return {message: new Uint8Array(), whole: false};
}

/** Reads what a client sent first in a tunnel. Total: never throws. */
export function readClientHello(bytes: Uint8Array): ClientHello {
	const found = handshake(bytes);
	if (!found) {
		return {kind: 'other'};
	}

	if (!found.whole) {
		return bytes.length > longestHello ? {kind: 'other'} : {kind: 'wait'};
	}

	const {message} = found;
	const two = (at: number) => (message[at] ?? 0) * 256 + (message[at + 1] ?? 0);
	// Version and random, then three fields that say their own length.
	let at = 34;
	at += 1 + (message[at] ?? 0);
	at += 2 + two(at);
	at += 1 + (message[at] ?? 0);
	const end = Math.min(message.length, at + 2 + two(at));
	at += 2;
	while (at + 4 <= end) {
		const type = two(at);
		const size = two(at + 2);
		if (type === 0) {
			const length = two(at + 7);
			return {kind: 'hello', name: new TextDecoder('latin1').decode(message.subarray(at + 9, Math.min(end, at + 9 + length)))};
		}

		at += 4 + size;
	}

	return {kind: 'hello', name: undefined};
}
