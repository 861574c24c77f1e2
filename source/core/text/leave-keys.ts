/* How a person leaves an attached terminal, whatever their own terminal makes of the keys. */

/**
 * One key press as the kitty protocol (`CSI code:shifted:base;modifiers:event;text u`)
 * or xterm's modifyOtherKeys (`CSI 27;modifiers;code ~`) writes it.
 */
const kitty =
	/^\u001B\[(?<code>\d+)(?::\d*)?(?::(?<base>\d*))?(?:;(?<modifiers>\d*)(?::(?<event>\d*))?)?(?:;[\d:]*)?u$/;
const otherKeys = /^\u001B\[27;(?<modifiers>\d+);(?<code>\d+)~$/;

const control = 4;
/** Modifiers that change nothing here: shift, and the two locks. */
const aside = 1 | 64 | 128;

/** Key codes beyond this are the keyboard's own (modifiers, media keys), in Unicode's private area. */
const functional = 57_344;

const codes = {q: 0x11, ']': 0x1d} as const;

/** Which of the two keys, held with control, one character is. */
function plainKey(character: string): keyof typeof codes | undefined {
	if (character.charCodeAt(0) === codes.q) {
		return 'q';
	}

	return character.charCodeAt(0) === codes[']'] ? ']' : undefined;
}

/**
 * Which of the two keys a sequence is, held with control: `q`,
 * `]`; `none` for what is no key press at all, such as a release.
 */
function controlKey(sequence: string): keyof typeof codes | 'none' | undefined {
	const groups = (kitty.exec(sequence) ?? otherKeys.exec(sequence))?.groups;
	if (!groups) {
		return undefined;
	}

	const code = Number(groups['code']);
	if (groups['event'] === '3' || code >= functional) {
		return 'none';
	}

	if (((Number(groups['modifiers'] || 1) - 1) & ~aside) !== control) {
		return undefined;
	}

	// Where the keyboard is not a Latin one, the place of the key counts.
	const name = String.fromCodePoint(
		code > 0x7f && code < functional ? Number(groups['base'] || 0) : code,
	).toLowerCase();
	return name === 'q' || name === ']' ? name : undefined;
}

/** How often ctrl-] leaves, in a row. */
const pressesToLeave = 3;

const pasteBegins = '\u001B[200~';
const pasteEnds = '\u001B[201~';

/** A paste that says nothing for this long is over, whatever its end became. */
const pasteTimeoutMs = 2000;

/**
 * Reads what a person's terminal sends: ctrl-q leaves, and so does ctrl-] three times in a row, in every encoding that
 * terminals have for them; nothing that is pasted does. What is not a key to leave by goes on to the agent as it came.
 */
export class LeaveKeys {
	/** What may be the beginning of a sequence; of it, so many characters went on already. */
	#held = '';
	#sent = 0;
	#pasting = false;
	#count = 0;
	#last = 0;

	/** Whether something is held that `flush` would let go on. */
	get waits(): boolean {
		return this.#held.length > this.#sent;
	}

	/**
	 * @param typed bytes, each as one character
	 * @param now milliseconds, of any clock that only goes on
	 * @returns what goes on to the agent, in the same form, and whether the person leaves
	 */
	push(typed: string, now: number): {readonly forward: string; readonly leave: boolean} {
		if (now - this.#last > pasteTimeoutMs) {
			this.#pasting = false;
		}

		this.#last = now;
		const text = this.#held + typed;
		const sent = this.#sent;
		this.#held = '';
		this.#sent = 0;
		let at = 0;
		let leave = false;
		while (at < text.length && !leave) {
			const rest = text.slice(at);
			if (this.#pasting) {
				const end = rest.indexOf(pasteEnds);
				this.#pasting = end === -1;
				at = end === -1 ? text.length : at + end + pasteEnds.length;
				if (this.#pasting) {
					this.#held = beginningOf(pasteEnds, text);
				}

				continue;
			}

			const sequence = /^\u001B\[[ -?]*[@-~]/.exec(rest)?.[0];
			if (sequence === undefined && /^\u001B(?:\[[ -?]{0,64})?$/.test(rest)) {
				this.#held = rest;
				break;
			}

			if (sequence === pasteBegins) {
				this.#pasting = true;
				this.#count = 0;
			} else {
				leave = this.#isLast(sequence ?? rest[0]!);
			}

			at += leave ? 0 : (sequence?.length ?? 1);
		}

		const until = leave ? at : text.length - this.#held.length;
		// The escape key by itself does not wait to be told from the beginning of a sequence; nor does what is pasted.
		const whole = this.#pasting || this.#held === '\u001B';
		if (leave) {
			this.#sent = 0;
		} else {
			this.#sent = whole ? this.#held.length : Math.max(0, sent - until);
		}

		return {forward: text.slice(sent, whole && !leave ? text.length : Math.max(sent, until)), leave};
	}

	/** What is held, for when nothing more comes for a moment. */
	flush(): string {
		const rest = this.#held.slice(this.#sent);
		this.#sent = this.#held.length;
		return rest;
	}

	/** Whether a key, or a sequence, is the one after which the person is gone. */
	#isLast(text: string): boolean {
		const key = text.length === 1 ? plainKey(text) : controlKey(text);
		if (key !== 'none') {
			this.#count = key === ']' ? this.#count + 1 : 0;
		}

		return key === 'q' || this.#count === pressesToLeave;
	}
}

/** The longest end of a text that is a beginning of `marker`. */
function beginningOf(marker: string, text: string): string {
	for (let length = Math.min(marker.length - 1, text.length); length > 0; length--) {
		if (text.endsWith(marker.slice(0, length))) {
			return marker.slice(0, length);
		}
	}

	return '';
}
