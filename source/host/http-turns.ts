import type {ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import {Stopped} from './http-forwarding.ts';

/* How requests of one connection follow each other, and a fault in one of them stays its own. */

/**
 * A callback that ends nothing but its own connection, whatever
 * is thrown in it: nobody outside would know which one it was.
 * @param onFault gets what was thrown, and what to call it; closes the connection
 */
export function contain<Arguments extends unknown[]>(
	work: (...values: Arguments) => unknown,
	onFault: (because: string) => void,
): (...values: Arguments) => void {
	const fail = (error: unknown) => {
		const {name = 'Error', code} = Object(error) as {name?: string; code?: string};
		// Not its message, which may quote what came from outside.
		try {
			onFault(`fleet itself failed at it (${code ?? name})`);
		} catch {
			// It could not be written down either. The connection is closed.
		}
	};

	return (...values) => {
		try {
			const result = work(...values);
			if (result instanceof Promise) {
				result.catch(fail);
			}
		} catch (error) {
			fail(error);
		}
	};
}

/** Why a request goes no further after what it waited for; undefined where it goes on. */
export const stoppedBy = (waits: Promise<void>): Promise<Stopped | undefined> =>
	waits.then(
		() => undefined,
		(error: unknown) => {
			if (error instanceof Stopped) {
				return error;
			}

			throw error;
		},
	);

/** More requests than this do not wait for their turn on one connection. */
const maxWaitingRequests = 32;

/**
 * The requests of a connection, one after another. After one that was refused
 * there is none: what follows could be what the client meant otherwise.
 */
export class Turns {
	readonly #states = new WeakMap<Duplex, {waiting: Array<() => void>; busy: boolean; over: boolean}>();

	#of(socket: Duplex) {
		const known = this.#states.get(socket);
		if (known) {
			return known;
		}

		const state = {waiting: [], busy: false, over: false};
		this.#states.set(socket, state);
		return state;
	}

	/** Calls `handle` once every request before this one was answered; never, where one of them was refused. */
	take(socket: Duplex, response: ServerResponse, handle: () => void): void {
		const state = this.#of(socket);
		if (state.over) {
			return;
		}

		const next = () => {
			state.busy = false;
			if (!state.over) {
				state.waiting.shift()?.();
			}
		};

		const start = () => {
			if (response.destroyed) {
				next();
				return;
			}

			state.busy = true;
			response.once('close', next);
			handle();
		};

		if (!state.busy) {
			start();
		} else if (state.waiting.length < maxWaitingRequests) {
			state.waiting.push(start);
		} else {
			socket.destroy();
		}
	}

	/** Whether no request of this connection is being answered, and none was refused. */
	isFree(socket: Duplex): boolean {
		const state = this.#of(socket);
		return !state.busy && !state.over;
	}

	/** No further request of this connection is read. @returns whether there was one to be read */
	end(socket: Duplex): boolean {
		const state = this.#of(socket);
		const wasOpen = !state.over;
		state.over = true;
		state.waiting = [];
		return wasOpen;
	}
}
