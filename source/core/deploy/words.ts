import type {EntryOf, RunEvent} from '../run/event.ts';
import {nameOf, quoted} from '../run/told-text.ts';
import type {Told} from '../run/told.ts';

/* A deploy in words. Others' words are in it, not escaped: whoever shows it does that. */

/** What a deploy came to. */
function deployedText({target, commit, outcome, because, rollbackOf}: EntryOf<'deploy.finished'>): Told {
	if (rollbackOf !== undefined) {
		const text = `${target} back to ${commit.slice(0, 7)}`;
		return outcome === 'succeeded'
			? {kind: 'decision', text: `rolled ${text}`, tone: 'warn'}
			: {
					kind: 'decision',
					text: `rolling ${text}: ${outcome === 'failed' ? '' : 'outcome not known: '}${because}`,
					tone: 'bad',
				};
	}

	switch (outcome) {
		case 'succeeded': {
			return {kind: 'decision', text: `deployed ${commit.slice(0, 7)} to ${target}`, tone: 'good'};
		}

		case 'failed': {
			return {kind: 'decision', text: `deploy to ${target} failed: ${because}`, tone: 'bad'};
		}

		case 'unknown': {
			return {kind: 'decision', text: `deploy to ${target}: outcome not known: ${because}`, tone: 'warn'};
		}
	}
}

/** The words of each event of a deploy. */
export const deployWords = {
	'deploy.requested': ({target, commit, missing, wants, because, actor}) => ({
		kind: 'decision',
		text:
			`${wants ? 'asked for' : 'began'} a deploy of ${commit.slice(0, 7)} to ${target}` +
			`${missing.length === 0 ? '' : `, which waits for ${missing.join(', ')}`}${quoted(because)}`,
		by: nameOf(actor),
	}),
	'deploy.approved': ({target, commit, approver, because}) => ({
		kind: 'decision',
		text: `approved a deploy of ${commit.slice(0, 7)} to ${target}${quoted(because)}`,
		by: approver,
		tone: 'good',
	}),
	'deploy.rejected': ({target, commit, approver, because}) => ({
		kind: 'decision',
		text: `rejected a deploy of ${commit.slice(0, 7)} to ${target}${quoted(because)}`,
		by: approver,
		tone: 'bad',
	}),
	'deploy.started': ({target, commit, because, outside, rollbackOf, actor}) => ({
		kind: 'decision',
		text:
			`began to ${rollbackOf === undefined ? 'deploy' : 'bring back'} ${commit.slice(0, 7)} to ${target}` +
			`${outside === undefined ? '' : `, outside of ${outside}`}${quoted(because)}`,
		by: nameOf(actor),
		minor: outside === undefined,
	}),
	'deploy.finished': deployedText,
} satisfies {
	readonly [Type in Extract<RunEvent['type'], `deploy.${string}`>]: (entry: EntryOf<Type>) => Told;
};
