import {randomBytes, timingSafeEqual} from 'node:crypto';

/** How long a ticket is good for, milliseconds, and how many there may be at one time. */
export const ticketLifeMs = 5 * 60_000;
const maxTickets = 100;

/** 128 bits by chance, as letters that an address may have. */
export const secretText = (): string => randomBytes(16).toString('base64url');

/** Whether two texts are the same, in a time that tells nothing of where they differ. */
export function isSame(one: string, other: string): boolean {
	const [a, b] = [Buffer.from(one), Buffer.from(other)];
	return a.length === b.length && timingSafeEqual(a, b);
}

/** What lets a browser in once: it may stand in an address, which others can come to see, since it is worth nothing then. */
export class Tickets {
	/** When each is over, milliseconds. */
	readonly #until = new Map<string, number>();

	make(): string {
		const now = Date.now();
		for (const [ticket, until] of this.#until) {
			if (until <= now || this.#until.size >= maxTickets) {
				this.#until.delete(ticket);
			}
		}

		const ticket = secretText();
		this.#until.set(ticket, now + ticketLifeMs);
		return ticket;
	}

	isGood(ticket: string): boolean {
		return (this.#until.get(ticket) ?? 0) > Date.now();
	}

	use(ticket: string): void {
		this.#until.delete(ticket);
	}
}
