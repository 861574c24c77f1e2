/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
	return btoa(Array.from(bytes, byte => String.fromCodePoint(byte)).join(''));
}

/** The bytes of a base64 text, with or without its padding; undefined for what is none. */
export function fromBase64(text: string): Uint8Array | undefined {
	try {
		return Uint8Array.from(atob(text), character => character.codePointAt(0)!);
	} catch {
		return undefined;
	}
}
