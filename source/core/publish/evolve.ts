import type {Changes} from '../run/evolve-text.ts';
import type {EntryOf} from '../run/event.ts';
import type {Run} from '../run/run.ts';
import {requestName} from './place.ts';
import {fresh, type Published} from './state.ts';
import {mergedText} from './words.ts';

/** Whether the run went on since: what becomes of the earlier work there does not end it. */
function isNewer({verification, captured, attempt}: Run, {commit, attempt: before}: Published): boolean {
	return attempt !== before || (verification?.head ?? captured?.head) !== commit;
}

/** Where a run stands once it was looked at what became of it at the forge. */
function stageAfter(run: Run, published: Published, entry: EntryOf<'publish.state'>): Partial<Run> {
	const name = requestName(published.place.forge, published.number);
	const {state, merged} = entry;
	// What was decided here about it goes on to count.
	if (run.merge || isNewer(run, published)) {
		return {};
	}

	if (state === 'merged' && merged) {
		const because = mergedText(published, merged);
		const isVerified = merged.how === 'commit' || merged.how === 'tree' || merged.how === 'change';
		return {
			stage: 'merged',
			because,
			phrase: because,
			...(isVerified
				? {
						merge: {
							target: run.target,
							commit: merged.commit,
							checkout: 'left alone: merged at the forge',
							at: entry.at,
						},
					}
				: {}),
		};
	}

	if (state === 'closed' && published.state !== 'closed') {
		const because = `${name} was closed`;
		return {stage: 'rejected', because, phrase: because, approval: undefined};
	}

	return state === 'open' && published.state === 'closed' && run.stage === 'rejected'
		? {stage: run.verification?.passed ? 'verified' : 'captured', because: `${name} was opened again`}
		: {};
}

/** What an event of a publication changes. */
export const publishChanges = {
	'publish.started': (run, {head, remote}) => ({
		publishing: {head, remote},
		pushed: [...new Set([...(run.pushed ?? []), head])],
	}),
	'publish.failed': () => ({publishing: undefined}),
	'publish.finished': (run, {place, number, url, head, draft, via, at}) => {
		const known = run.published?.number === number ? run.published.told : [];
		const {attempt} = run;
		const published: Published = {
			attempt,
			place,
			number,
			url,
			commit: head,
			via,
			at,
			told: known,
			...fresh({head, draft}),
		};
		const wasClosed = run.stage === 'rejected' && run.verification?.passed === true;
		return {
			publishing: undefined,
			published,
			...(wasClosed ? {stage: 'verified' as const, because: run.verification.because} : {}),
		};
	},
	'publish.state': (run, entry) => {
		const {published} = run;
		if (!published) {
			return {};
		}

		const {state, draft, head, checks, approvedBy, changesBy, comments, others, mergeable, merged, at} = entry;
		const now: Published = {
			...published,
			state,
			draft,
			checks,
			approvedBy,
			changesBy,
			comments,
			others,
			mergeable,
			merged,
			head,
			seenAt: at,
		};
		return {published: now, ...stageAfter(run, published, entry)};
	},
	'publish.told': ({published}, {ids}) =>
		published ? {published: {...published, comments: 0, told: [...new Set([...published.told, ...ids])]}} : {},
} satisfies Partial<Changes>;
