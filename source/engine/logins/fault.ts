/* What goes wrong where fleet itself asks a server, in words for the person. */

/** A server was not reached, or did not answer as it should. */
export class RemoteFault extends Error {}

/** A login that is over: nothing but signing in again helps. */
export class LoginEnded extends RemoteFault {
	readonly because: string;
	/** How, as it is typed. */
	readonly hint: string;

	constructor(because: string, hint: string) {
		super(`${because}: ${hint}`);
		this.because = because;
		this.hint = hint;
	}
}
