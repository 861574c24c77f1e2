import {escapeLine} from '../core/text/escape-controls.ts';
import {isInForce} from '../core/scope.ts';
import type {Run} from '../core/run/run.ts';
import type {Undo} from './batch.ts';
import type {State} from './state.ts';
import {runVerbsForAll, type Step} from './step.ts';

/* What one key takes back: the last thing that was done from this screen, where a verb undoes it. */

type Item = Undo['items'][number];

/** What undoes a verb that succeeded. @param argv as it was run */
function itemOf(argv: readonly string[]): {readonly verb: Undo['verb']; readonly item: Item} | undefined {
	const [verb, run = '', scope] = argv;
	switch (verb) {
		case 'discard': {
			return {verb: 'restore', item: {run}};
		}

		case 'pause': {
			return {verb: 'continue', item: {run}};
		}

		case 'allow': {
			return {verb: 'revoke', item: {run, scope}};
		}

		default: {
			return undefined;
		}
	}
}

/** Whether it can still be taken back. */
function isOpen(
	run: Run,
	{verb, scope}: {readonly verb: Undo['verb']; readonly scope?: string | undefined},
	now: number,
) {
	switch (verb) {
		case 'restore': {
			return run.stage === 'discarded';
		}

		case 'continue': {
			return run.stage === 'frozen';
		}

		case 'revoke': {
			return run.grants.some(grant => grant.scope === scope && isInForce(grant, now));
		}
	}
}

/** Of what is to be taken back, what still can be; undefined where nothing is left. */
function openPart(state: Pick<State, 'runs' | 'now'>, undo: Undo): Undo | undefined {
	const items = undo.items.filter(({run: id, scope}) => {
		const run = state.runs.find(other => other.id === id);
		return run !== undefined && isOpen(run, {verb: undo.verb, scope}, state.now);
	});
	return items.length === 0 ? undefined : {...undo, items};
}

/** What takes back verbs that succeeded; undefined where nothing does. */
export function undoOf(state: Pick<State, 'runs' | 'now'>, ran: ReadonlyArray<readonly string[]>): Undo | undefined {
	const found = ran.flatMap(argv => itemOf(argv) ?? []);
	const verb = found[0]?.verb;
	return verb && openPart(state, {verb, items: found.filter(one => one.verb === verb).map(({item}) => item)});
}

/**
 * Why a decision that was taken stays; undefined where the verbs took none, or one that is taken back. Such a decision is
 * the last one: what was done before it is not taken back in its place.
 */
function lastingOf(ran: ReadonlyArray<readonly string[]>): string | undefined {
	const [verb, , what = ''] = ran.at(-1) ?? [];
	switch (verb) {
		case 'dismiss': {
			return `ignoring ${escapeLine(what)} stays; + grants network:${escapeLine(what)}`;
		}

		case 'revoke': {
			return `${escapeLine(what)} stays off; + grants it again`;
		}

		default: {
			return undefined;
		}
	}
}

/** What one key takes back from now on, after verbs that succeeded. */
export function withUndo(
	state: State,
	undo: Undo | undefined,
	ran: ReadonlyArray<readonly string[]>,
): Pick<State, 'undo' | 'lasting'> {
	const lasting = undo ? undefined : lastingOf(ran);
	return undo || lasting !== undefined ? {undo, lasting} : {undo: state.undo, lasting: state.lasting};
}

/** Why nothing can be taken back now; undefined where something can. */
export function cannotUndo(state: State): string | undefined {
	return state.undo && openPart(state, state.undo) ? undefined : (state.lasting ?? 'nothing to undo');
}

/** Takes back the last thing that can be. */
export function undo(state: State): Step {
	const open = openPart(state, state.undo!)!;
	const ids = new Set(open.items.map(({run}) => run));
	return runVerbsForAll(
		{...state, undo: undefined},
		state.runs.filter(run => ids.has(run.id)),
		{
			argvs: run =>
				open.items
					.filter(item => item.run === run.id)
					.map(({scope}) => [open.verb, run.id, ...(scope === undefined ? [] : [scope])]),
			title: open.verb,
		},
	);
}
