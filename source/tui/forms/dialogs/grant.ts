import type {Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import type {ToldTerms} from '../../../core/grants/terms.ts';
import {formatDuration, formatSpan} from '../../../core/text/time.ts';
import type {Dialog, DialogLine, Field} from '../../dialog.ts';
import {taskOf} from '../../list.ts';
import type {State} from '../../state.ts';
import {runVerbForAll, runVerbsForAll, stay, type Step} from '../../step.ts';
import {targets} from '../../targets.ts';
import {replaceAt, chosenOf} from '../edit.ts';
import {askAgain, describeRuns, fact, plural, runsOf, type DialogDefinition, type Values} from './dialog.ts';

/* A scope is turned on: hosts that were denied, chosen from a list, or one that is named. */

const minuteMs = 60_000;

/** Hour of this machine's clock at which a working day ends. */
const endOfDay = 18;

/** Characters of the task that a preset reason quotes. */
const maxTaskLength = 60;

/** Hosts that a preset reason names. */
const maxHosts = 3;

const kind = 'network:';

/** What runs asked for in vain: how often, when last, and which of them. */
type Denied = {
	readonly target: string;
	readonly count: number;
	readonly at: string;
	readonly runs: readonly string[];
	/** What the rules say of a grant of it: for several runs, what they say for the newest. */
	readonly terms: ToldTerms | undefined;
};

/** What the runs were denied, the newest first. */
function deniedOf(runs: readonly Run[]): Denied[] {
	const found = new Map<string, Denied>();
	for (const run of runs) {
		for (const {target, count, at, terms} of run.denials) {
			const known = found.get(target);
			found.set(target, {
				target,
				count: count + (known?.count ?? 0),
				at: known && known.at > at ? known.at : at,
				runs: [...(known?.runs ?? []), run.id],
				terms: known && known.at > at ? known.terms : terms,
			});
		}
	}

	return [...found.values()].sort((a, b) => (a.at < b.at ? 1 : Number(a.at > b.at) * -1));
}

/** Milliseconds until the working day ends on this machine's clock; less than none afterwards. */
function untilEvening(now: number): number {
	const end = new Date(now);
	end.setHours(endOfDay, 0, 0, 0);
	return end.getTime() - now;
}

/**
 * How long a grant may last, the shortest first.
 * @param now milliseconds
 * @param longest by the rules, milliseconds; undefined for as long as the run
 */
function durations(now: number, longest?: number): readonly string[] {
	const evening = untilEvening(now);
	const all: ReadonlyArray<readonly [string, number]> = [
		['15m', 15 * minuteMs],
		['1h', 60 * minuteMs],
		evening <= 0 ? ['1 day', 24 * 60 * minuteMs] : [`until ${endOfDay}:00`, evening + minuteMs],
		['until the run ends', Number.POSITIVE_INFINITY],
	];
	return longest === undefined
		? all.map(([words]) => words)
		: [...all.filter(([, ms]) => ms < longest).map(([words]) => words), `${formatSpan(longest)}${atMost}`];
}

/** Behind the longest time that the rules allow. */
const atMost = ' at most';

/** A duration as the verb takes it; none until the run ends. */
function durationArguments(chosen: string | undefined, now: number): readonly string[] {
	if (chosen?.endsWith(atMost)) {
		return ['--for', chosen.slice(0, -atMost.length)];
	}

	const [fifteen, hour, day] = durations(now);
	switch (chosen) {
		case fifteen:
		case hour: {
			return ['--for', chosen!];
		}

		case '1 day': {
			return ['--for', '1d'];
		}

		case day: {
			return ['--for', `${Math.max(1, Math.ceil(untilEvening(now) / minuteMs))}m`];
		}

		default: {
			return [];
		}
	}
}

const durationField = (now: number, longest?: number): Field => ({
	id: 'duration',
	label: 'For',
	// The shortest: a longer one is a decision.
	value: durations(now, longest)[0]!,
	hint: '',
	choices: durations(now, longest),
	numbered: true,
});

/** What a person most likely means by it, to be put right where it is something else. */
function presetReason(hosts: readonly string[], runs: readonly Run[]): string {
	if (hosts.length === 0) {
		return '';
	}

	const more = hosts.length > maxHosts ? ` and ${plural(hosts.length - maxHosts, 'other host')}` : '';
	const reach = `to reach ${hosts
		.slice(0, maxHosts)
		.map(host => escapeLine(host))
		.join(', ')}${more}`;
	const [one] = runs;
	// A command line is no reason.
	if (one?.prompt === undefined || runs.length > 1) {
		return reach;
	}

	const task = escapeLine(taskOf(one));
	return `${reach} for ${task.length > maxTaskLength ? `${task.slice(0, maxTaskLength - 1)}…` : task}`;
}

const reasonFor = (value: string): Field => ({
	id: 'reason',
	label: 'Reason',
	value,
	hint: value === '' ? 'required' : '',
});

/** What it means, in one plain line. */
function meaningLine(hosts: readonly string[], runs: readonly Run[]): DialogLine {
	const who = runs.length === 1 ? 'The run' : 'The runs';
	const they = runs.length === 1 ? 'it' : 'they';
	if (hosts.length === 0) {
		return fact('Means', 'nothing is chosen');
	}

	const where = hosts.length === 1 ? `to ${escapeLine(hosts[0]!)}` : `to these ${hosts.length} hosts`;
	return fact('Means', `${who} can send anything ${they} can read ${where}.`);
}

/** What the rules say of what is chosen, and the longest that all of it may last, milliseconds. */
function termsOf(
	hosts: readonly string[],
	runs: readonly Run[],
): {readonly lines: readonly DialogLine[]; readonly longest: number | undefined} {
	const found = deniedOf(runs).flatMap(({target, terms}) => (terms && hosts.includes(target) ? terms : []));
	const times = found.flatMap(({longest}) => longest ?? []);
	return {
		lines: [...new Set(found.map(({says}) => says))].map((says, index) =>
			fact(index === 0 ? 'Rules' : '', escapeLine(says)),
		),
		longest: times.length === 0 ? undefined : Math.min(...times),
	};
}

/** Why one of the hosts is granted to no run; undefined where all can be. */
const neverOf = (hosts: readonly string[], runs: readonly Run[]): string | undefined =>
	deniedOf(runs).find(({target, terms}) => terms?.never !== undefined && hosts.includes(target))?.terms?.never;

function headLines(hosts: readonly string[], runs: readonly Run[]): DialogLine[] {
	const [one] = runs;
	return [
		runs.length === 1 ? fact('Task', escapeLine(taskOf(one!))) : fact('Runs', runs.map(run => run.id).join(', ')),
		meaningLine(hosts, runs),
		...termsOf(hosts, runs).lines,
	];
}

/** What a port means, in one plain line. */
function portLines(subject: string | undefined): DialogLine[] {
	const port = /^port:(\d+)$/.exec(subject ?? '')?.[1];
	return port === undefined
		? []
		: [fact('Means', `Your browser can show what the run serves on port ${port}. It opens nothing for the run.`)];
}

const valueOf = (dialog: Dialog, id: string) => dialog.fields.find(field => field.id === id)?.value ?? '';

/** The list of what was denied, with one host chosen. */
function openList(state: State, runs: readonly Run[], {denied, chosen}: {denied: readonly Denied[]; chosen: string}) {
	return {
		title: `Allow network for ${describeRuns(runs)}`,
		runs: runs.map(run => run.id),
		verb: 'allow',
		isReady: true,
		keys: [
			{key: 'space', title: 'select'},
			{key: '1-4', title: 'duration'},
			{key: 'N', title: 'ignore host'},
		],
		lines: headLines([chosen], runs),
		fields: [
			{
				id: 'hosts',
				label: 'Blocked',
				value: chosen,
				hint: '',
				several: true,
				cursor: Math.max(
					0,
					denied.findIndex(({target}) => target === chosen),
				),
				options: denied.map(({target, count, at, runs: own, terms}) => ({
					value: target,
					note: `blocked ${count}×, ${formatDuration(state.now - Date.parse(at))} ago${own.length > 1 ? `, ${own.length} runs` : ''}${terms?.never === undefined ? '' : ', never granted'}`,
				})),
			},
			durationField(state.now, termsOf([chosen], runs).longest),
			reasonFor(presetReason([chosen], runs)),
		],
	};
}

/** A scope that is named, by the caller or in its field. */
function openNamed(state: State, runs: readonly Run[], subject: string | undefined) {
	const host = subject?.startsWith(kind) ? subject.slice(kind.length) : undefined;
	const scope: Field = {
		id: 'scope',
		label: 'Scope',
		value: '',
		hint: 'network:HOST[:PORT], port:N, files:PATH, secret:NAME or model:AGENT',
	};
	return {
		title: `Grant ${escapeLine(subject ?? 'a scope')} to ${describeRuns(runs)}`,
		runs: runs.map(run => run.id),
		verb: 'grant',
		keys: [{key: '1-4', title: 'duration'}],
		lines: host === undefined ? [...headLines([], runs).slice(0, 1), ...portLines(subject)] : headLines([host], runs),
		fields: [...(subject === undefined ? [scope] : []), reasonFor(''), durationField(state.now)],
	};
}

/** One verb for each chosen host, of those runs alone that asked for it. */
function allowHosts(state: State, dialog: Dialog, {reason, duration}: Values): Step {
	const runs = runsOf(state, dialog);
	const hosts = chosenOf(valueOf(dialog, 'hosts'));
	const limit = durationArguments(duration, state.now);
	return runVerbsForAll(state, runs, {
		argvs: run =>
			hosts
				.filter(host => run.denials.some(({target}) => target === host))
				.map(host => ['allow', run.id, `${kind}${host}`, '--because', reason!, ...limit]),
		title: 'allow',
	});
}

/** Does not tell of the host under the cursor again. It stays denied. */
function ignoreHost(state: State, dialog: Dialog): Step {
	const field = dialog.fields.find(({id}) => id === 'hosts');
	const host = field?.options?.[field.cursor ?? 0]?.value;
	if (host === undefined) {
		return stay(state);
	}

	const {focus} = state;
	const closed = focus.type === 'dialog' ? {...state, focus: focus.behind} : state;
	return runVerbForAll(
		closed,
		runsOf(state, dialog).filter(run => run.denials.some(({target}) => target === host)),
		{argv: run => ['dismiss', run.id, host], title: 'ignore this host'},
	);
}

export const allow: DialogDefinition = {
	open(state, subject) {
		const runs = targets(state).filter(run => run.stage !== 'discarded');
		const denied = deniedOf(runs);
		const chosen = denied.find(({target}) => `${kind}${target}` === subject)?.target;
		// Only those that asked are given anything.
		const asking = runs.filter(run => run.denials.length > 0);
		return chosen === undefined ? openNamed(state, runs, subject) : openList(state, asking, {denied, chosen});
	},
	/** What it means, and the reason as long as nobody wrote another, follow what is chosen. */
	changed(state, dialog, before) {
		const hosts = chosenOf(valueOf(dialog, 'hosts'));
		const earlier = chosenOf(valueOf(before, 'hosts'));
		if (valueOf(dialog, 'hosts') === valueOf(before, 'hosts')) {
			return dialog;
		}

		const runs = runsOf(state, dialog);
		const at = dialog.fields.findIndex(({id}) => id === 'reason');
		const isPreset = valueOf(dialog, 'reason') === presetReason(earlier, runs);
		const fields = isPreset ? replaceAt(dialog.fields, at, reasonFor(presetReason(hosts, runs))) : dialog.fields;
		const time = durationField(state.now, termsOf(hosts, runs).longest);
		const chosen = valueOf(dialog, 'duration');
		return {
			...dialog,
			lines: headLines(hosts, runs),
			fields: replaceAt(
				fields,
				fields.findIndex(({id}) => id === 'duration'),
				time.choices!.includes(chosen) ? {...time, value: chosen} : time,
			),
		};
	},
	keys: {N: ignoreHost},
	submit(state, dialog, values) {
		const isList = dialog.fields.some(({id}) => id === 'hosts');
		const scope = dialog.subject ?? values['scope'] ?? '';
		if (isList ? values['hosts'] === '' : scope === '') {
			return isList
				? askAgain(state, dialog, {field: 'hosts', because: 'select a host (space)'})
				: askAgain(state, dialog, {field: 'scope', because: 'a scope is needed'});
		}

		const never = isList ? neverOf(chosenOf(values['hosts'] ?? ''), runsOf(state, dialog)) : undefined;
		if (never !== undefined) {
			return askAgain(state, dialog, {field: 'hosts', because: escapeLine(never)});
		}

		const {reason} = values;
		if (!reason) {
			return askAgain(state, dialog, {field: 'reason', because: 'a grant needs a reason'});
		}

		if (isList) {
			return allowHosts(state, dialog, values);
		}

		const limit = durationArguments(values['duration'], state.now);
		return runVerbForAll(state, runsOf(state, dialog), {
			argv: run => ['allow', run.id, scope, '--because', reason, ...limit],
			title: 'allow',
		});
	},
};
