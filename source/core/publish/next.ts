import type {Run} from '../run/run.ts';
import {requestName} from './place.ts';
import type {Published} from './state.ts';
import {publishedText} from './words.ts';

/* What is next about a run that is published, for its row. Pure. */

/** `said`: something came back for the agent. `conflicts`: with the target there. `waits`: nobody has to do anything here. */
export type PublishedNext = {
	readonly state: 'said' | 'conflicts' | 'draft' | 'waits' | 'ready';
	readonly text: string;
};

/** What was published of the run as it stands now, and is open there; undefined for anything else. */
export function openHere({published, verification, stage}: Run): Published | undefined {
	const isHere = (stage === 'verified' || stage === 'approved') && published?.state === 'open';
	return isHere && published.commit === verification?.head ? published : undefined;
}

function stateHere(published: Published): PublishedNext['state'] {
	const {checks, comments, changesBy, mergeable, draft, approvedBy} = published;
	if (checks.failed.length > 0 || comments > 0 || changesBy.length > 0) {
		return 'said';
	}

	if (mergeable === false) {
		return 'conflicts';
	}

	if (draft) {
		return 'draft';
	}

	return approvedBy.length > 0 && checks.running === 0 ? 'ready' : 'waits';
}

/** What is next; undefined where nothing of the run as it stands is open at a forge. */
export function publishedNext(run: Run): PublishedNext | undefined {
	const published = openHere(run);
	return published && {state: stateHere(published), text: publishedText(published)};
}

/** What a person has to see to, in words of fleet's own; no reason for nothing, undefined where nothing is open there. */
export function publishedNeed(run: Run): {readonly kind: 'gate'; readonly because: string | undefined} | undefined {
	const published = openHere(run);
	if (!published) {
		return undefined;
	}

	const name = requestName(published.place.forge, published.number);
	const words = {
		said: `send what came back from ${name}`,
		conflicts: `rebase: ${name} conflicts`,
		draft: 'review',
		waits: undefined,
		ready: undefined,
	} satisfies Record<PublishedNext['state'], string | undefined>;
	return {kind: 'gate', because: words[stateHere(published)]};
}
