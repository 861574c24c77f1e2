/** Process exit codes, the same for every verb. */
export const exitCodes = {ok: 0, internal: 1, refused: 2, gate: 3, inconclusive: 4} as const;

/**
 * An expected "no": bad input, a gate that is closed, a thing that this machine lacks.
 * Decisions return it as a value; at the edge it is thrown and printed as one line and its `hint:`.
 */
export class Refusal extends Error {
	readonly because: string;
	readonly hint: string;
	readonly exitCode: number;

	/**
	 * @param because one line, lower case, no full stop
	 * @param hint what to do about it, one line
	 * @param exitCode 2 for refused input, 3 for a check or gate that said no, 4 for inconclusive
	 */
	constructor(because: string, hint: string, exitCode: number = exitCodes.refused) {
		super(because);
		this.name = 'Refusal';
		this.because = because;
		this.hint = hint;
		this.exitCode = exitCode;
	}
}

/** A gate's "no": exit code 3. */
export function gateRefusal(because: string, hint: string): Refusal {
	return new Refusal(because, hint, exitCodes.gate);
}

/** Returns the value, or throws the refusal that stands in its place. */
export function orThrow<Value>(value: Value | Refusal): Value {
	if (value instanceof Refusal) {
		throw value;
	}

	return value;
}
