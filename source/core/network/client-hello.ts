/*
 * The name that a TLS client asks for, read from its first bytes without answering them (RFC 8446, 4.1.2; RFC 6066, 3).
 */

/**
 * `wait`: more bytes are needed. `other`: no server reads it as a hello. `odd`: servers may read it as another hello
 * than is read here. `hello`: whole; `name` as written, if it names a server.
 */
export type ClientHello =
	| {readonly kind: 'wait' | 'other' | 'odd'}
	| {readonly kind: 'hello'; readonly name: string | undefined};

/** The longest hello that is waited for, bytes, and in how many records. */
export const longestHello = 4 * 16_384;
const maxRecords = 32;

const [changeCipher, alert, handshakeRecord] = [0x14, 0x15, 0x16];

/**
 * Puts the handshake together from its records, since a hello may be cut
 * anywhere. Some servers take any old version, and warnings before it.
 */
function handshake(bytes: Uint8Array): Uint8Array | 'wait' | 'other' | 'odd' {
	let message = new Uint8Array();
	for (let at = 0, records = 1; at < bytes.length; records++) {
		const type = bytes[at]!;
		const size = bytes[at + 3]! * 256 + bytes[at + 4]!;
		if (
			![changeCipher, alert, handshakeRecord].includes(type) ||
			(at + 1 < bytes.length && bytes[at + 1]! >= 0x10) ||
			(type !== handshakeRecord && size > 2)
		) {
			return 'other';
		}

		if (records > maxRecords) {
			return 'odd';
		}

		if (at + 5 > bytes.length) {
			return 'wait';
		}

		if (type === handshakeRecord) {
			const part = bytes.subarray(at + 5, at + 5 + size);
			const longer = new Uint8Array(message.length + part.length);
			longer.set(message);
			longer.set(part, message.length);
			message = longer;
		}

		at += 5 + size;
		if (message.length > 0 && message[0] !== 1) {
			return 'other';
		}

		const wanted =
			message.length < 4 ? Number.POSITIVE_INFINITY : 4 + message[1]! * 65_536 + message[2]! * 256 + message[3]!;
		if (message.length >= wanted) {
			return message.subarray(4, wanted);
		}
	}

	return 'wait';
}

/** Reads what a client sent first in a tunnel. Total: never throws. */
export function readClientHello(bytes: Uint8Array): ClientHello {
	const message = handshake(bytes);
	if (typeof message === 'string') {
		return {kind: message === 'wait' && bytes.length > longestHello ? 'odd' : message};
	}

	const two = (at: number) => (message[at] ?? 0) * 256 + (message[at + 1] ?? 0);
	// Version and random, then three fields that say their own length.
	let at = 34;
	at += 1 + (message[at] ?? 0);
	at += 2 + two(at);
	at += 1 + (message[at] ?? 0);
	if (at === message.length) {
		return {kind: 'hello', name: undefined};
	}

	let name: string | undefined;
	if (at + 2 + two(at) !== message.length) {
		return {kind: 'odd'};
	}

	for (at += 2; at < message.length;) {
		const type = two(at);
		const size = two(at + 2);
		if (at + 4 + size > message.length) {
			return {kind: 'odd'};
		}

		if (type === 0) {
			// One list, of one name, of the one kind there is: of more, servers take the one or the other.
			if (name !== undefined || two(at + 4) !== size - 2 || message[at + 6] !== 0 || two(at + 7) !== size - 5) {
				return {kind: 'odd'};
			}

			name = new TextDecoder('latin1').decode(message.subarray(at + 9, at + 4 + size));
		}

		at += 4 + size;
	}

	return {kind: 'hello', name};
}
