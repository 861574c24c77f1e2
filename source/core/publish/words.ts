import {isPerson, actorName, type Actor} from '../actor.ts';
import type {EntryOf} from '../run/event.ts';
import type {Told} from '../run/told.ts';
import {nounOf, placeText, requestName} from './place.ts';
import type {PublishEvent} from './event.ts';
import type {ForgeState, MergedHow, Published} from './state.ts';

/* A publication in words. Others' words are in it, not escaped: whoever shows it does that. */

const count = (number: number, one: string) => `${number} ${one}${number === 1 ? '' : 's'}`;

/** What a person has to know of what was merged. */
const howTexts: Readonly<Record<MergedHow, string>> = {
	commit: '',
	tree: ', as it was verified',
	change: ', the change that was verified',
	other: ', but not what was verified',
	unknown: ', and what that is could not be read',
};

/** `pull request 12 was merged as 0123456789, as it was verified`. */
export function mergedText(
	{place, number}: Pick<Published, 'place' | 'number'>,
	{commit, how}: NonNullable<ForgeState['merged']>,
): string {
	return `${requestName(place.forge, number)} was merged as ${commit.slice(0, 10)}${howTexts[how]}`;
}

function checksText({checks: {passed, failed, running}}: ForgeState): string {
	if (failed.length > 0) {
		return failed.length === 1 ? `check ${failed[0]!.slice(0, 60)} failed` : `${failed.length} checks failed`;
	}

	if (running > 0) {
		return `${count(running, 'check')} running`;
	}

	return passed > 0 ? `${count(passed, 'check')} passed` : 'no checks';
}

function reviewText({approvedBy, changesBy}: ForgeState): string {
	if (changesBy.length > 0) {
		return `${changesBy[0]!} wants changes`;
	}

	return approvedBy.length > 0 ? `approved by ${approvedBy.join(', ')}` : 'not reviewed';
}

/** How it stands, the gravest first: `check test failed, 2 comments, not reviewed`. */
export function forgeText(state: ForgeState): string {
	if (state.state !== 'open') {
		return state.state;
	}

	return [
		...(state.mergeable === false ? ['conflicts'] : []),
		checksText(state),
		...(state.comments > 0 ? [count(state.comments, 'comment')] : []),
		reviewText(state),
		...(state.draft ? ['draft'] : []),
	].join(', ');
}

/** `pull request 12: 3 checks passed, approved by ada`. */
export function publishedText(published: Published): string {
	const name = requestName(published.place.forge, published.number);
	return `${name}: ${published.seenAt === undefined ? 'not looked at since it was published' : forgeText(published)}`;
}

const by = (actor: Actor) => (isPerson(actor) ? actorName(actor) : undefined);

/** What is told of each event of a publication. */
export const publishWords: {
	readonly [Type in PublishEvent['type']]: (entry: EntryOf<Type>) => Told;
} = {
	'publish.started': ({head, remote, place, actor}) => ({
		kind: 'decision',
		text: `publishing ${head.slice(0, 7)} at ${placeText(place)}, by the remote ${remote}`,
		by: by(actor),
		minor: true,
	}),
	'publish.failed': ({because}) => ({kind: 'check', text: `not published: ${because}`, tone: 'warn'}),
	'publish.finished': ({place, number, head, how, draft, actor}) => ({
		kind: 'decision',
		text:
			`published ${head.slice(0, 7)} as ${draft ? 'draft of ' : ''}${nounOf(place.forge)} ${number} of ${placeText(place)}` +
			`${how === 'found' ? ', which was there' : ''}`,
		by: by(actor),
		tone: 'good',
	}),
	'publish.state': entry => ({
		kind: 'check',
		text: `at the forge: ${forgeText(entry)}`,
		tone: entry.checks.failed.length > 0 || entry.changesBy.length > 0 ? 'bad' : undefined,
		same: 'publish.state',
	}),
	'publish.told': ({ids}) => ({kind: 'run', text: `told ${count(ids.length, 'remark')} of the forge`, minor: true}),
};
