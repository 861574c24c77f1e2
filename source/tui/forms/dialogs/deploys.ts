import type {Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {lastGood} from '../../targets.ts';
import type {Field} from '../../dialog.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb, type Step} from '../../step.ts';
import {opensAt, windowText} from '../deploy-window.ts';
import {askAgain, confirmField, reasonArguments, reasonField, runsOf, type DialogDefinition} from './dialog.ts';

/* To deploy what is merged, and to roll back. */

/** Characters of a commit's name that tell it from others. */
const shortCommitLength = 10;

/** A variable that a deploy needs, and the secret it comes from; undefined where it is typed. */
type Credential = {readonly name: string; readonly reference: string | undefined};

/** Why a deploy to a target now needs a reason, where it has none; undefined where it may go. */
function outsideWindow(
	state: State,
	run: Run,
	{target, reason}: {readonly target: string; readonly reason?: string | undefined},
): string | undefined {
	const opens = opensAt(state.offers[run.project.id]?.deploy[target]?.window, state.now);
	return opens === undefined || reason
		? undefined
		: `${target} is outside its deploy window (opens ${opens}): give a reason to deploy now, esc cancels`;
}

/** The field for a reason, where one of the targets needs one now. */
function outsideField(state: State, run: Run, targets: readonly string[]): Field[] {
	return targets.some(target => outsideWindow(state, run, {target}) !== undefined)
		? [reasonField('why now, outside the deploy window')]
		: [];
}

/** The secrets of the vault that are a target's credentials: for deploys alone, and named like them. */
function credentialsOf(state: State, run: Run, names: readonly string[]): Credential[] {
	return names.map(name => {
		const wanted = name.toLowerCase().replaceAll('_', '-');
		const secrets = state.vault?.secrets.filter(
			secret =>
				secret.class === 'deploy' &&
				(secret.project === null || secret.project === run.project.id) &&
				(secret.environment === name || secret.reference.endsWith(`/${wanted}`)),
		);
		// The project's own goes before the person's.
		const own = secrets?.find(secret => secret.project !== null) ?? secrets?.[0];
		return {name, reference: own?.reference};
	});
}

function describeCredentials(credentials: readonly Credential[]): string {
	return credentials.every(({reference}) => reference)
		? credentials.map(({name, reference}) => `${name} from ${reference}`).join(', ')
		: `${credentials.map(({name}) => name).join(', ')}, typed hidden`;
}

/** What a deploy there runs, when it may, and where its credentials come from. */
function targetLines(state: State, run: Run, name: string): string[] {
	const target = state.offers[run.project.id]?.deploy[name];
	if (!target) {
		return [];
	}

	const credentials = credentialsOf(state, run, target.credentials);
	return [
		`${name}: ${escapeLine(target.command)}${windowText(target.window, state.now)}`,
		...(credentials.length === 0 ? [] : [`  with ${describeCredentials(credentials)}; for this deploy alone`]),
	];
}

/**
 * Begins a deploy: on the screen where every credential is in the vault, and in
 * the terminal where one is typed, since no value is ever in this program.
 */
function startDeploy(
	state: State,
	run: Run,
	{target, reason}: {readonly target: string; readonly reason: string | undefined},
): Step {
	const known = state.offers[run.project.id]?.deploy[target];
	const credentials = credentialsOf(state, run, known?.credentials ?? []);
	const argv = [
		'deploy',
		run.id,
		target,
		'--confirm',
		target,
		...(reason ? ['--outside-window', ...reasonArguments(reason)] : []),
		...credentials.flatMap(({name, reference}) => (reference ? ['--credential', `${name}=${reference}`] : [])),
	];
	return known && credentials.every(({reference}) => reference)
		? runVerb(state, run.id, {argv, title: 'deploy'})
		: {state, effects: [{type: 'terminal', argv, pause: true}]};
}

const deploy: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const names = Object.keys(state.offers[run.project.id]?.deploy ?? {});
		return {
			title: `Deploy ${run.merge!.commit.slice(0, shortCommitLength)} of ${run.id}`,
			runs: [run.id],
			verb: 'deploy',
			lines:
				names.length === 0
					? ['loading the targets of the project policy…']
					: names.flatMap(name => targetLines(state, run, name)),
			fields: [
				{
					id: 'target',
					label: 'Target',
					value: names[0] ?? '',
					hint: names.length > 1 ? '←/→ a target of the project policy' : 'a target of the project policy',
					...(names.length > 0 ? {choices: names} : {}),
				},
				...outsideField(state, run, names),
				{id: 'confirm', label: 'Confirm', value: '', hint: 'type the name of the target; esc cancels', confirm: ''},
			],
		};
	},
	submit(state, dialog, values) {
		const {target, reason, confirm} = values;
		if (!target) {
			return askAgain(state, dialog, {field: 'target', because: 'name a target'});
		}

		const run = runsOf(state, dialog)[0]!;
		const early = outsideWindow(state, run, {target, reason});
		if (early) {
			return askAgain(state, dialog, {field: 'reason', because: early});
		}

		return confirm === target
			? startDeploy(state, run, {target, reason})
			: askAgain(state, dialog, {field: 'confirm', because: `type ${target} to deploy there`});
	},
	leave: (state, dialog, {target = '', reason}) => outsideWindow(state, runsOf(state, dialog)[0]!, {target, reason}),
};

/** Deploys the run again that was the last good one on a target. The target is the word that confirms it. */
const rollback: DialogDefinition = {
	open(state) {
		const {run, target} = lastGood(state)!;
		return {
			title: `Roll back ${target} to ${run.id}`,
			runs: [run.id],
			verb: 'roll back',
			lines: [
				`commit ${run.merge!.commit}, the last good deploy there before this one`,
				...targetLines(state, run, target),
			],
			fields: [...outsideField(state, run, [target]), confirmField(target, 'to deploy')],
		};
	},
	submit(state, dialog, {reason}) {
		const target = dialog.fields.at(-1)!.confirm!;
		const run = runsOf(state, dialog)[0]!;
		const early = outsideWindow(state, run, {target, reason});
		return early
			? askAgain(state, dialog, {field: 'reason', because: early})
			: startDeploy(state, run, {target, reason});
	},
	leave: (state, dialog, {reason}) =>
		outsideWindow(state, runsOf(state, dialog)[0]!, {target: dialog.fields.at(-1)!.confirm!, reason}),
};

export const deployDialogs = {deploy, rollback};
