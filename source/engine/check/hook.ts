import type {Report} from '../../core/check/report.ts';
import {shownName} from '../../core/check/prove.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {notesRef} from '../people/notes.ts';
import {checkLine} from './check.ts';
import {Objects} from './objects.ts';

/* What a server's `pre-receive` hook says of a push. What is pushed has no say in it. */

/** One line of a hook's input. A name of zeros alone: there is none. */
type Update = {readonly old: string; readonly next: string; readonly ref: string};

const isNone = (name: string) => /^0+$/.test(name);

/** Reads a hook's input. @throws Refusal where it is none */
export function parseUpdates(text: string): Update[] {
	return text
		.split('\n')
		.filter(line => line !== '')
		.map(line => {
			const [, old, next, ref] = /^([\da-f]{40,64}) ([\da-f]{40,64}) (refs\/\S+)$/.exec(line) ?? [];
			if (ref === undefined) {
				throw new Refusal(
					'a line of the input is not OLD NEW REF',
					'git runs it: hooks/pre-receive has the line exec fleet check --hook',
				);
			}

			return {old: old!, next: next!, ref};
		});
}

/**
 * Judges a push.
 * @param options.branches protected branches by name, besides the one that `HEAD` points to
 * @returns a report for each protected branch that is pushed to; `missing`: what `HEAD` points to, where that is not there
 * @throws Refusal where one would be deleted
 */
export async function checkPush(
	folder: string,
	updates: readonly Update[],
	{branches, instructions}: {readonly branches: readonly string[]; readonly instructions: readonly string[]},
): Promise<{readonly reports: Report[]; readonly missing: string | undefined}> {
	const objects = await Objects.open(folder, true);
	try {
		const guarded = new Set([
			...(objects.head === undefined ? [] : [objects.head]),
			...branches.map(name => (name.startsWith('refs/') ? name : `refs/heads/${name}`)),
		]);
		// What was signed may come with the push; what is there already counts all the same.
		const notes = [
			objects.named(notesRef),
			...updates.filter(({ref, next}) => ref === notesRef && !isNone(next)).map(({next}) => next),
		].filter(name => name !== undefined);
		const reports: Report[] = [];
		for (const {old, next, ref} of updates) {
			// A name that stands for another branch moves that.
			const target = await objects.real(ref);
			if (!guarded.has(target) && !guarded.has(ref)) {
				continue;
			}

			if (isNone(next)) {
				throw gateRefusal(
					`${target.replace('refs/heads/', '')} is not deleted by a push`,
					'whoever has the server can: git update-ref -d',
				);
			}

			reports.push(
				await checkLine(objects, {
					target,
					tip: next,
					from: isNone(old) ? undefined : old,
					notes,
					instructions,
				}),
			);
		}

		const {head} = objects;
		const isMissing = head !== undefined && objects.named(head) === undefined && reports.length === 0;
		return {reports, missing: isMissing ? head : undefined};
	} finally {
		objects.close();
	}
}

/** What a push that starts a branch rests on. */
export function trustText({trusted, from, target}: Report): string | undefined {
	return from === undefined && trusted !== undefined
		? `${target.replace('refs/heads/', '')} begins here: who decides about it is what ${shownName(trusted)} says, and is taken on trust`
		: undefined;
}
