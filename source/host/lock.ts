import {existsSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';

/** An exclusive lock that dies with its holder, since Node has no flock: a transaction on a file of its own. */
export class Lock {
	readonly #database: DatabaseSync;

	private constructor(database: DatabaseSync) {
		this.#database = database;
	}

	/** @returns undefined where another holder still has it after the wait */
	static acquire(file: string, waitMs = 0): Lock | undefined {
		const database = new DatabaseSync(file, {timeout: waitMs});
		try {
			database.exec('BEGIN EXCLUSIVE');
			return new Lock(database);
		} catch (error) {
			database.close();
			if (isBusy(error)) {
				return undefined;
			}

			throw error;
		}
	}

	/**
	 * Whether somebody holds the lock, without taking it. What cannot be told
	 * counts as held: calling a living worker dead is the worse mistake.
	 */
	static isHeld(file: string): boolean {
		if (!existsSync(file)) {
			return false;
		}

		let database: DatabaseSync | undefined;
		try {
			database = new DatabaseSync(file, {readOnly: true, timeout: 0});
			database.prepare('SELECT count(*) FROM sqlite_master').get();
			return false;
		} catch {
			// Held, or it cannot be told.
			return true;
		} finally {
			database?.close();
		}
	}

	release(): void {
		this.#database.close();
	}
}

/** Whether SQLite says that another has the file: SQLITE_BUSY or SQLITE_LOCKED, in the low byte of its code. */
function isBusy(error: unknown): boolean {
	const {errcode} = error as {errcode?: unknown};
	return typeof errcode === 'number' && [5, 6].includes(errcode % 256);
}
