/**
 * Lets a program paint on a person's real terminal and do nothing else to it. Strings (OSC, DCS, APC, PM, SOS: window
 * titles, clipboard, hyperlinks, images) and queries (whose answers a terminal types back as if the person had) are
 * dropped; text, colours, cursor movement, screens and modes pass. Works on bytes, across any chunking.
 */
export class TerminalFilter {
	#state: 'ground' | 'escape' | 'csi' | 'string' | 'string-escape' = 'ground';
	#sequence: number[] = [];

	push(bytes: Uint8Array): Uint8Array {
		const out: number[] = [];
		for (const byte of bytes) {
			this.#take(byte, out);
		}

		return Uint8Array.from(out);
	}

	#take(byte: number, out: number[]): void {
		switch (this.#state) {
			case 'ground': {
				if (byte === 0x1B) {
					this.#state = 'escape';
				} else if (byte !== 0x05 && byte !== 0x9B) {
					// ENQ asks for an answerback. The 8-bit CSI is not valid UTF-8 on its own; as a continuation byte it passes below.
					out.push(byte);
				} else if (byte === 0x9B && (out.at(-1) ?? 0) >= 0x80) {
					out.push(byte);
				}

				break;
			}

			case 'escape': {
				if (byte === 0x5B) {
					this.#state = 'csi';
					this.#sequence = [];
				} else if (byte === 0x5D || byte === 0x50 || byte === 0x58 || byte === 0x5E || byte === 0x5F) {
					this.#state = 'string';
				} else if (byte === 0x1B) {
					// Still an escape.
				} else {
					// ESC Z asks for the terminal's identity; ESC c resets it, which is painting.
					if (byte !== 0x5A) {
						out.push(0x1B, byte);
					}

					this.#state = 'ground';
				}

				break;
			}

			case 'csi': {
				if (byte === 0x1B) {
					this.#state = 'escape';
				} else if (byte >= 0x40 && byte <= 0x7E) {
					if (!this.#isQuery(byte)) {
						out.push(0x1B, 0x5B, ...this.#sequence, byte);
					}

					this.#state = 'ground';
				} else if (this.#sequence.length < 256) {
					this.#sequence.push(byte);
				}

				break;
			}

			case 'string': {
				if (byte === 0x1B) {
					this.#state = 'string-escape';
				} else if (byte === 0x07) {
					this.#state = 'ground';
				}

				break;
			}

			case 'string-escape': {
				this.#state = byte === 0x5C ? 'ground' : byte === 0x1B ? 'string-escape' : 'string';
				break;
			}
		}
	}

	/** DA (c), DSR (n), DECRQM ($p), XTVERSION (>q), DECREQTPARM (x), window reports (t), DECRQCRA (*y), kitty keyboard query (?u). */
	#isQuery(final: number): boolean {
		const text = String.fromCodePoint(...this.#sequence);
		switch (String.fromCodePoint(final)) {
			case 'c':
			case 'n':
			case 'x':
			case 't': {
				return true;
			}

			case 'p': {
				return text.endsWith('$');
			}

			case 'q': {
				return text.startsWith('>');
			}

			case 'y':
			case 'w': {
				return text.endsWith('*') || text.endsWith('$');
			}

			case 'u': {
				return text === '?';
			}

			default: {
				return false;
			}
		}
	}
}
