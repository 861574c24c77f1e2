import {learn} from '../../core/run/learn.ts';
import type {Run} from '../../core/run/run.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {openDialog} from '../forms/dialogs.ts';
import {scopeRows, type ScopeRow} from '../scope-rows.ts';
import {placeOf, selectedRun, type State} from '../state.ts';
import {bad, runVerb, type Step} from '../step.ts';
import {targets} from '../targets.ts';
import {needsRun, needsTarget, type KeyTable} from './record.ts';

/* What a run may use, and what it was denied. */

const rowOf = (state: State, run: Run): ScopeRow | undefined =>
	scopeRows(run, {now: state.now, vault: state.vault})[state.scroll];

function toggle(state: State, run: Run): Step {
	const row = rowOf(state, run);
	switch (row?.state) {
		case 'on': {
			return runVerb(state, run.id, {argv: ['revoke', run.id, row.scope!], title: 'revoke'});
		}

		case 'off':
		case 'new': {
			return offer(state, run, row.scope);
		}

		case 'fixed': {
			return bad(state, `${row.scope!} is always on while the run runs`);
		}

		default: {
			return bad(state, `${row?.scope ?? 'this'} cannot be granted`);
		}
	}
}

/** The denial that an offer is about: the selected row's on the scopes tab, else the newest; undefined without any. */
function denialOf(state: State, run: Run): string | undefined {
	const row = placeOf(state) === 'scopes' ? rowOf(state, run)?.scope : undefined;
	const {denials} = run;
	const offered = denials.find(({target}) => `network:${target}` === row) ?? denials.find(({terms}) => !terms?.never);
	return (offered ?? denials[0])?.target;
}

/** Opens the question about a scope; nothing is typed for what the rules say nobody may turn on. */
function offer(state: State, run: Run | undefined, scope: string | undefined): Step {
	const never = run?.denials.find(({target}) => `network:${target}` === scope)?.terms?.never;
	return never === undefined ? openDialog(state, 'allow', scope) : bad(state, escapeLine(never));
}

/** Offers what was blocked, of the selected runs the first that was; a scope to be named where nothing was. */
function grant(state: State): Step {
	const run = targets(state).find(({denials}) => denials.length > 0);
	const denied = run && denialOf(state, run);
	return offer(state, run, denied === undefined ? undefined : `network:${denied}`);
}

/** The blocked host to be ignored: that of the row with the cursor, or the only one; undefined where it is not clear. */
function toIgnore(state: State, {denials}: Run, row: ScopeRow | undefined): string | undefined {
	if (placeOf(state) === 'scopes') {
		return denials.find(({target}) => `network:${target}` === row?.scope)?.target;
	}

	return denials.length === 1 ? denials[0]!.target : undefined;
}

/** Why no host can be ignored here; undefined where one can. */
function refusesIgnore(state: State): string | undefined {
	const problem = needsRun(state);
	const run = selectedRun(state);
	if (problem !== undefined || !run) {
		return problem;
	}

	if (run.denials.length === 0) {
		return 'nothing was blocked';
	}

	if (toIgnore(state, run, rowOf(state, run)) !== undefined) {
		return undefined;
	}

	return placeOf(state) === 'scopes'
		? 'the cursor is not on a blocked host'
		: `${run.denials.length} hosts were blocked: choose one on the tab scopes (3)`;
}

export const scopeKeys = {
	toggle: {
		keys: 'space',
		title: 'on/off',
		places: ['scopes'],
		footer: 3,
		disabled: needsRun,
		run: ({state, run}) => toggle(state, run!),
	},
	grant: {
		keys: '+',
		title: 'grant',
		places: ['fleet', 'output', 'scopes', 'network'],
		// What was blocked is the run's next step, which comes first in any case.
		footer: 18,
		disabled: needsTarget(run => run.stage !== 'discarded'),
		run: ({state}) => grant(state),
	},
	dismiss: {
		keys: 'N',
		title: 'ignore this host',
		places: ['scopes', 'network'],
		disabled: refusesIgnore,
		run: ({state, run, id}) =>
			runVerb(state, id, {
				argv: ['dismiss', id, toIgnore(state, run!, rowOf(state, run!))!],
				title: 'ignore this host',
			}),
	},
	learn: {
		keys: 'P',
		title: 'add to project policy',
		places: ['scopes', 'network'],
		disabled: needsRun,
		run: ({state}) =>
			learn(state.journal).proposal.length === 0
				? bad(state, 'no network request that a policy could allow')
				: openDialog(state, 'learn'),
	},
} as const satisfies KeyTable;
