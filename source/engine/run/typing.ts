import {setTimeout as sleep} from 'node:timers/promises';
import {Refusal} from '../../core/refusal.ts';
import type {Supervision} from './supervision.ts';

/* What persons type into the agent's terminal: one after another, so that two lines do not become one. */

/** Before enter: a program with a screen of its own takes what comes at once for pasted text, and enter for a part of it. */
const enterAfterMs = 150;

/**
 * Types, once what was typed before is done.
 * @param pieces written with a pause between them
 * @throws Refusal where the agent has ended meanwhile
 */
export async function typeInto(supervision: Supervision, ...pieces: readonly Uint8Array[]): Promise<void> {
	const turn = supervision.typing.then(async () => {
		for (const [index, piece] of pieces.entries()) {
			if (index > 0) {
				await sleep(enterAfterMs);
			}

			const {opened, watch, journal} = supervision;
			if (!opened.terminal || watch.ended) {
				throw new Refusal(`${journal.run.id} has ended: nobody reads what is typed`, `fleet show ${journal.run.id}`);
			}

			opened.terminal.write(piece);
		}
	});
	// The next one's turn comes however this one ended.
	supervision.typing = turn.catch(() => {});
	return turn;
}
