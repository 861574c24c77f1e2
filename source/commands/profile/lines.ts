import type {ProfileFile} from '../../core/profile.ts';
import {formatBytes} from '../../core/text/bytes.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {ProfileState} from '../../engine/profile/approved.ts';
import type {Profile} from '../../engine/profile/read.ts';

/* A profile as lines for a person: before a question, and of `fleet profile AGENT`. */

/** What a state means, in a few words. */
export const stateWords: Readonly<Record<ProfileState['state'], string>> = {
	none: 'nothing to bring',
	new: 'not approved',
	approved: 'approved',
	changed: 'changed since it was approved',
};

/** What became of a file since the approval; empty for one that is as it was. */
function markOf(path: string, state: ProfileState): string {
	if (state.state !== 'changed') {
		return '';
	}

	if (state.changes.added.includes(path)) {
		return 'added';
	}

	return state.changes.changed.includes(path) ? 'changed' : '';
}

function fileLine(file: ProfileFile, {state, width}: {readonly state: ProfileState; readonly width: number}): string {
	const marks = [
		markOf(file.path, state),
		file.executable ? 'a program' : '',
		file.real === undefined ? '' : `from ${file.real}`,
	].filter(mark => mark !== '');
	return (
		`  ${file.kind.padEnd(12)}  ${escapeLine(file.path).padEnd(width)}  ${formatBytes(file.size).padStart(9)}  ` +
		`${file.sha256.slice(0, 10)}${marks.length === 0 ? '' : `  ${escapeLine(marks.join(', '))}`}\n`
	);
}

/**
 * The files, those first that are new or changed, and what is gone.
 * @param most how many lines at most; the rest is counted
 */
export function fileLines({files}: Profile, state: ProfileState, most = Infinity): string {
	const sorted = [...files].sort((a, b) => Number(markOf(b.path, state) !== '') - Number(markOf(a.path, state) !== ''));
	const shown = sorted.slice(0, most);
	const width = Math.max(0, ...shown.map(({path}) => escapeLine(path).length));
	const removed = state.state === 'changed' ? state.changes.removed : [];
	return (
		shown.map(file => fileLine(file, {state, width})).join('') +
		(sorted.length > shown.length ? `  and ${sorted.length - shown.length} more\n` : '') +
		removed.map(path => `  ${'removed'.padEnd(12)}  ${escapeLine(path)}\n`).join('')
	);
}

/** What does not go in, and why. @param onlyMissed without what nobody would look for in a run */
export function leftLines({left}: Profile, onlyMissed = false): string {
	return left
		.filter(({expected}) => !(onlyMissed && expected))
		.map(({path, because}) => `  left out: ${escapeLine(path)}, ${escapeLine(because)}\n`)
		.join('');
}
