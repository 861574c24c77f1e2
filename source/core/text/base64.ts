/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
	return btoa(Array.from(bytes, byte => String.fromCodePoint(byte)).join(''));
}

/** Bytes that are written as a character for each. A loop: there may be many. */
export function bytesOf(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length);
	for (let index = 0; index < text.length; index++) {
		bytes[index] = text.charCodeAt(index);
	}

	return bytes;
}

/** The bytes of a base64 text, with or without its padding; undefined for what is none. */
export function fromBase64(text: string): Uint8Array | undefined {
	try {
		return bytesOf(atob(text));
	} catch {
		return undefined;
	}
}
