import {execFileSync} from 'node:child_process';
import process from 'node:process';
import {dropUidOf} from '../core/plan.ts';

/* Whom a run's files belong to. */

/** Gives files to a user; nothing where there is none to give them to. */
export function own(uid: number | undefined, ...places: string[]): void {
	if (uid !== undefined && places.length > 0) {
		execFileSync('chown', ['-R', '-h', `${uid}:${uid}`, '--', ...places], {stdio: 'pipe'});
	}
}

/** The uid that a run's files belong to: the one that root drops to, or undefined for an ordinary user. */
export function ownerOf(runId: string): number | undefined {
	return process.getuid?.() === 0 ? dropUidOf(runId) : undefined;
}

/** Gives files made by the host to the run, where the host is root. */
export function giveToRun(runId: string, ...places: string[]): void {
	own(ownerOf(runId), ...places);
}
