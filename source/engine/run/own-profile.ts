import type {Agent} from '../../core/seams.ts';
import type {HandedProfile} from '../profile/hand.ts';
import {note, type Supervision} from './supervision.ts';

/* The person's profile of the agent at the start of an attempt: which files it adds, and what is written down of it. */

/** The person's profile below what the adapter writes: where both have a file, the adapter's counts. */
export function withProfile(
	{profile: layout}: Agent,
	own: Readonly<Record<string, string>>,
	{profile}: HandedProfile,
): Record<string, string> {
	if (!layout || !profile) {
		return {...own};
	}

	const {target, merge} = layout.settings;
	const plain = profile.files.filter(({kind}) => kind !== 'settings').map(({path: name, text}) => [name, text]);
	const hasSettings = Object.keys(profile.settings).length > 0;
	return {
		...Object.fromEntries(plain),
		...own,
		...(hasSettings ? {[target]: merge(profile.settings, own[target])} : {}),
	};
}

/** Writes down what of the profile goes in. @returns what an earlier attempt was given and this one is not */
export function noteProfile(supervision: Supervision): readonly string[] {
	const {journal, profile: handed} = supervision;
	const before = journal.run.profile;
	if (handed.keeps) {
		return [];
	}

	const files = handed.profile?.files ?? [];
	if (handed.profile?.digest !== before?.digest) {
		note(supervision, {
			type: 'profile.given',
			digest: handed.profile?.digest ?? null,
			files: files.map(({path: name, sha256}) => ({path: name, sha256})),
		});
	}

	return (before?.files ?? []).filter(name => !files.some(file => file.path === name));
}
