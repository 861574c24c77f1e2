import {statSync, writeFileSync} from 'node:fs';
import {Lock} from '../../host/lock.ts';
import {LoginEnded, RemoteFault} from './fault.ts';
import type {FreshTokens} from './token-request.ts';

/*
 * The one refresher, for every kind of login. A refresh token may work once, and its second use ends the login for
 * everybody. So one process at a time asks; it looks first whether another was faster, and what came is in the vault
 * before anybody uses it.
 */

/** How long another process that refreshes is waited for, milliseconds. */
const lockMs = 60_000;

/** An access token is not used in the last of its time, milliseconds; of a short one, in the second half. */
const spareMs = 60_000;

/** One that was made less than that ago and is refused says that another would be refused, too; milliseconds. */
const youngMs = 30_000;

/**
 * How long it is at most where each new one was refused, too, milliseconds: an agent can have a server refuse a good one
 * whenever it likes, and a vendor may lock out whoever asks for another every half a minute.
 */
const longestYoungMs = 3_600_000;

/** How long a vault that did not take the tokens is left alone, milliseconds. */
const saveMs = 3000;

/** What is kept of a login. `until` undefined: for as long as nobody refuses it. */
export type KeptLogin = {
	readonly access?: string | undefined;
	/** Undefined: there is nothing to make another from. */
	readonly refresh?: string | undefined;
	readonly until?: number | undefined;
	readonly made?: number | undefined;
	/** That it is over, and why. */ readonly ended?: LoginEnded | undefined;
};

/** Where a login rests and what it is made anew by. Everything but reading happens while the lock is held. */
export type LoginPlace = {
	/** The lock's file: one for all processes. */ readonly lock: string;
	/** Whose login it is, in words. */ readonly title: string;
	/** The newest that is kept. @throws where it cannot be read */
	read(): Promise<KeptLogin>;
	/** Writes down that a refresh begins. @throws where nothing can be written: then none is asked for */
	begin?(): Promise<void>;
	exchange(refresh: string): Promise<FreshTokens>;
	write(tokens: FreshTokens): Promise<void>;
	/** Writes down that it is over, so that nobody asks again. */
	end?(because: string): Promise<void>;
};

export class Refresher {
	readonly #place: LoginPlace;
	readonly #onTrouble: (because: string) => void;
	readonly #values = new Set<string>();
	readonly #refused = new Set<string>();
	/** How old a token is to be before it is believed that another one helps; twice that after each that did not. */
	#youngMs = youngMs;
	#kept: KeptLogin | undefined;
	#going: Promise<string> | undefined;
	/** Tokens that the vault did not take. The lock stays held: the refresh token in the vault is worth nothing now. */
	#unsaved: {readonly tokens: FreshTokens; readonly lock: Lock; readonly timer: NodeJS.Timeout} | undefined;

	/** @param onTrouble hears what a person should know though a token was had */
	constructor(place: LoginPlace, onTrouble: (because: string) => void = () => {}) {
		this.#place = place;
		this.#onTrouble = onTrouble;
	}

	/** What is known of a login before it is first read. */
	know(kept: KeptLogin): void {
		this.#remember(kept);
	}

	/** The token that is known, if it is good for a while. */
	get current(): string | undefined {
		return this.#kept && this.#isGood(this.#kept) ? this.#kept.access : undefined;
	}

	/** An access token that is good for a while. @throws LoginEnded where the login is over, and what to do then */
	async token(): Promise<string> {
		const {current} = this;
		if (current !== undefined) {
			return current;
		}

		this.#going ??= this.#fetch().finally(() => {
			this.#going = undefined;
		});
		return this.#going;
	}

	/** Every token that it had: none of them is shown. */
	values(): string[] {
		return [...this.#values];
	}

	/** The server does not take a token. */
	refuse(access: string): void {
		this.#refused.add(access);
	}

	/** Waits for a refresh that is under way, and writes what is not written, so that no process ends in the middle. */
	async settle(): Promise<void> {
		await this.#going?.catch(() => {});
		for (let tries = 0; this.#unsaved && tries < 5; tries++) {
			await this.#save();
			await pause(this.#unsaved ? 200 : 0);
		}
	}

	#isGood({access, until, made, ended}: KeptLogin): boolean {
		const spare = until === undefined || made === undefined ? spareMs : Math.min(spareMs, (until - made) / 2);
		return (
			access !== undefined &&
			ended === undefined &&
			!this.#refused.has(access) &&
			(until === undefined || until - spare > Date.now())
		);
	}

	async #read(): Promise<KeptLogin> {
		const kept = await this.#place.read();
		this.#remember(kept);
		return kept;
	}

	#remember(kept: KeptLogin): void {
		this.#kept = kept;
		for (const value of [kept.access, kept.refresh]) {
			if (value !== undefined) {
				this.#values.add(value);
			}
		}
	}

	async #fetch(): Promise<string> {
		if (this.#unsaved) {
			await this.#save();
			if (this.#unsaved) {
				throw new RemoteFault(`the vault does not take the new tokens of ${this.#place.title}: unlock it`);
			}
		}

		const lock = await acquire(this.#place.lock, async () => this.#isGood(await this.#read()));
		if (!lock) {
			return this.#kept!.access!;
		}

		let keep = false;
		try {
			const kept = await this.#read();
			if (this.#isGood(kept)) {
				return kept.access!;
			}

			if (kept.ended !== undefined) {
				throw kept.ended;
			}

			if (kept.refresh === undefined) {
				// It is all there is: the next request goes out with it, and its server says why.
				this.#refused.delete(kept.access ?? '');
				throw new RemoteFault(`the server refuses the login of ${this.#place.title}, and it cannot be refreshed`);
			}

			const age = Date.now() - (kept.made ?? 0);
			const isRefused = kept.access !== undefined && this.#refused.has(kept.access);
			if (isRefused && age < this.#youngMs) {
				this.#refused.delete(kept.access);
				throw new RemoteFault(`the server refuses a token of ${this.#place.title} that was made just now`);
			}

			this.#youngMs = isRefused && age < longestYoungMs ? Math.min(2 * this.#youngMs, longestYoungMs) : youngMs;
			await this.#place.begin?.();
			const tokens = await this.#exchange(kept.refresh);
			// It is the only one that works from here on: written down before anything is done with it.
			this.#remember({...tokens, made: Date.now()});
			keep = !(await this.#write(tokens, lock));
			return tokens.access;
		} finally {
			if (!keep) {
				lock.release();
			}
		}
	}

	async #exchange(refresh: string): Promise<FreshTokens> {
		try {
			return await this.#place.exchange(refresh);
		} catch (error) {
			if (error instanceof LoginEnded) {
				await this.#place.end?.(error.because).catch(() => {});
			}

			throw error;
		}
	}

	/** @returns whether it is written */
	async #write(tokens: FreshTokens, lock: Lock): Promise<boolean> {
		for (let tries = 0; ; tries++) {
			try {
				await this.#place.write(tokens);
				mark(this.#place.lock);
				return true;
			} catch {
				if (tries === 2) {
					const timer = setInterval(() => void this.#save(), saveMs).unref();
					this.#unsaved = {tokens, lock, timer};
					this.#onTrouble(
						`the vault does not take the new tokens of ${this.#place.title}: unlock it while this run goes on, ` +
							'or the login is lost',
					);
					return false;
				}

				await pause(200);
			}
		}
	}

	async #save(): Promise<void> {
		const unsaved = this.#unsaved;
		if (!unsaved) {
			return;
		}

		try {
			await this.#place.write(unsaved.tokens);
			mark(this.#place.lock);
		} catch {
			// Later again.
			return;
		}

		if (this.#unsaved === unsaved) {
			this.#unsaved = undefined;
			clearInterval(unsaved.timer);
			unsaved.lock.release();
		}
	}
}

const pause = (milliseconds: number) =>
	new Promise<void>(resolve => {
		setTimeout(resolve, milliseconds);
	});

const markOf = (lock: string) => `${lock}.written`;

/** Tells those who wait for a lock that there is something new. */
function mark(lock: string): void {
	try {
		writeFileSync(markOf(lock), `${Date.now()}\n`, {mode: 0o600});
	} catch {
		// A full disk: they wait for the lock itself.
	}
}

/** When it was told last, milliseconds; 0: never. */
function markedAt(lock: string): number {
	return statSync(markOf(lock), {throwIfNoEntry: false})?.mtimeMs ?? 0;
}

/** Waits without standing in the way: the process has other runs' requests to answer. */
export function acquire(file: string): Promise<Lock>;
/** @param isDone asked first, and whenever another wrote. @returns undefined once it is: the lock is not needed then */
export function acquire(file: string, isDone: () => Promise<boolean>): Promise<Lock | undefined>;
export async function acquire(file: string, isDone?: () => Promise<boolean>): Promise<Lock | undefined> {
	for (let end = Date.now() + lockMs, looked: number | undefined; ;) {
		// A vault may take its time, and many wait: it is looked into when something is new there.
		const marked = markedAt(file);
		if (isDone && looked !== marked) {
			looked = marked;
			if (await isDone()) {
				return undefined;
			}
		}

		const lock = Lock.acquire(file);
		if (lock) {
			return lock;
		}

		if (Date.now() > end) {
			throw new RemoteFault('another process refreshes the login, and does not end');
		}

		// Not all at the same moment.
		await pause(50 + Math.random() * 100);
	}
}
