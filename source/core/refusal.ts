/** Process exit codes, the same for every verb. */
export const exitCodes = {ok: 0, internal: 1, refused: 2, gate: 3, inconclusive: 4} as const;

/**
 * What a program may act on. `needs-person`: it goes on where there is a terminal to ask at. `locked`: a store that is
 * there is closed. The words of a refusal are for people alone.
 */
export type RefusalCode = 'needs-person' | 'locked';

/**
 * An expected "no": bad input, a gate that is closed, a thing that this machine lacks.
 * Decisions return it as a value; at the edge it is thrown and printed as one line and its `hint:`.
 */
export class Refusal extends Error {
	readonly because: string;
	readonly hint: string;
	readonly exitCode: number;
	readonly code: RefusalCode | undefined;

	/**
	 * @param because one line, lower case, no full stop
	 * @param hint what to do about it, one line
	 * @param exitCode 2 for refused input, 3 for a check or gate that said no, 4 for inconclusive
	 * @param code where a program acts on it
	 */
	// oxlint-disable-next-line max-params -- four arguments of one meaning each, at hundreds of places
	constructor(because: string, hint: string, exitCode: number = exitCodes.refused, code?: RefusalCode) {
		super(because);
		this.name = 'Refusal';
		this.because = because;
		this.hint = hint;
		this.exitCode = exitCode;
		this.code = code;
	}
}

/** A gate's "no": exit code 3. */
export function gateRefusal(because: string, hint: string): Refusal {
	return new Refusal(because, hint, exitCodes.gate);
}

/** A "no" that a person at a terminal could turn into a yes. */
export function personRefusal(because: string, hint: string): Refusal {
	return new Refusal(because, hint, exitCodes.refused, 'needs-person');
}

/** Returns the value, or throws the refusal that stands in its place. */
export function orThrow<Value>(value: Value | Refusal): Value {
	if (value instanceof Refusal) {
		throw value;
	}

	return value;
}
