/*
 * What a program asks of a name server, and what it is told (RFC 1035). A run has no names: its proxy finds them. Who
 * looks one up reads no proxy variable, and is answered at once, so that it fails at once. Pure.
 */

/** A question: `name` in lower case, printable; `end`: where it ends in the message, bytes. */
export type NameQuery = {readonly name: string; readonly type: number; readonly end: number};

const types = {a: 1, aaaa: 28} as const;

/** Reads a message; undefined for anything but one plain question. */
export function readNameQuery(message: Uint8Array): NameQuery | undefined {
	const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
	// A query (not a reply) of the standard kind, with one question.
	if (message.length < 17 || message.length > 512 || (message[2]! & 0xf8) !== 0 || view.getUint16(4) !== 1) {
		return undefined;
	}

	const labels: string[] = [];
	let at = 12;
	for (let length = message[at]!; length !== 0; length = message[at]!) {
		const label = message.subarray(at + 1, at + 1 + length);
		// No pointers, and nothing that no host has.
		if (
			length > 63 ||
			at + length + 6 > message.length ||
			label.some(byte => !/[\w-]/.test(String.fromCodePoint(byte)))
		) {
			return undefined;
		}

		labels.push(
			Array.from(label, byte => String.fromCodePoint(byte))
				.join('')
				.toLowerCase(),
		);
		at += length + 1;
	}

	return labels.length === 0 || at + 5 > message.length
		? undefined
		: {name: labels.join('.'), type: view.getUint16(at + 1), end: at + 5};
}

/** Whether a question is for the address of a host of the world. */
export function asksForAddress({name, type}: NameQuery): boolean {
	return (type === types.a || type === types.aaaa) && !isLocal(name);
}

function isLocal(name: string): boolean {
	return name === 'localhost' || name.endsWith('.localhost');
}

function addressOf(name: string, type: number): readonly number[] | undefined {
	if (!isLocal(name)) {
		return undefined;
	}

	if (type === types.a) {
		return [127, 0, 0, 1];
	}

	return type === types.aaaa ? [...Array.from({length: 15}, () => 0), 1] : undefined;
}

/** The reply: names below localhost are the sandbox's own loopback, and no other name exists. */
export function answerNameQuery(message: Uint8Array, {name, type, end}: NameQuery): Uint8Array {
	const address = addressOf(name, type);
	const header = [
		message[0]!,
		message[1]!,
		0x84 | (message[2]! & 0x01),
		0x80 | (isLocal(name) ? 0 : 3),
		0,
		1,
		0,
		address ? 1 : 0,
		0,
		0,
		0,
		0,
	];
	const record = address ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address] : [];
	return Uint8Array.from([...header, ...message.subarray(12, end), ...record]);
}
