import {branchName} from '../../../core/git/refs.ts';
import {approvedBy, type Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import type {Tone} from '../../../core/text/spans.ts';
import {formatDuration} from '../../../core/text/time.ts';
import type {DeployPlanView} from '../../../protocol/client.ts';
import type {Dialog, DialogLine, Field} from '../../dialog.ts';
import {withDialog} from '../../focus.ts';
import {lastGood} from '../../targets.ts';
import {selectedRun, type Effect, type State} from '../../state.ts';
import {bad, runVerb, stay, type Step} from '../../step.ts';
import {opensAt, windowNote} from '../deploy-window.ts';
import {deployNo} from './deploy-no.ts';
import {wayArguments, wayLines, wayOf, wayWords} from './deploy-way.ts';
import {
	askAgain,
	confirmField,
	fact,
	plural,
	reasonArguments,
	reasonField,
	runsOf,
	taskLine,
	type DialogDefinition,
} from './dialog.ts';

/* To deploy what is merged, and to roll back. */

/** Characters of a commit's name that tell it from others. */
const shortCommitLength = 10;

/** The same where many are listed. */
const shortLength = 7;

/** Commits that are named one by one. */
const maxSubjects = 5;

/** Targets of which it is asked what a deploy would bring. */
const maxPlans = 6;

/** A variable that a deploy needs, and the secret it comes from; undefined where it is typed. */
type Credential = {readonly name: string; readonly reference: string | undefined};

/** Why a deploy to a target now needs a reason, where it has none; undefined where it may go. */
function outsideWindow(
	state: State,
	run: Run,
	{target, reason}: {readonly target: string; readonly reason?: string | undefined},
): string | undefined {
	// What is asked for, or approved, begins later.
	if (wayOf(state, run, target) !== 'deploy') {
		return undefined;
	}

	const opens = opensAt(state.offers[run.project.id]?.deploy[target]?.window, state.now);
	return opens === undefined || reason ? undefined : `${target} is outside its deploy window (opens ${opens})`;
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

/** What a deploy there runs, and where its credentials come from. */
function targetLines(state: State, run: Run, name: string): DialogLine[] {
	const target = state.offers[run.project.id]?.deploy[name];
	if (!target) {
		return [];
	}

	const credentials = credentialsOf(state, run, target.credentials);
	return [
		fact('Runs', escapeLine(target.command)),
		fact(
			'Needs',
			credentials.length === 0 ? 'no credentials' : `${describeCredentials(credentials)}; for this deploy alone`,
		),
		...wayLines(state, run, name),
	];
}

/** Commits by their subjects, the newest first. */
function commitLines(label: string, list: DeployPlanView['added'], tone?: Tone): DialogLine[] {
	if (!list || list.count === 0) {
		return [];
	}

	const shown = list.newest.slice(0, maxSubjects);
	const more = list.count - shown.length;
	return [
		fact(label, `${tone === undefined ? '' : '! '}${plural(list.count, 'commit')}`, tone),
		...shown.map(({commit, subject}) => fact('', `${commit.slice(0, shortLength)} ${escapeLine(subject)}`)),
		...(more > 0 ? [fact('', `and ${more} more`)] : []),
	];
}

const planOf = (state: State, run: Run, target: string): DeployPlanView | undefined =>
	state.plans[`${run.id} ${target}`];

/** What a deploy brings to a target against the last good one there. */
function planLines(state: State, run: Run, target: string): DialogLine[] {
	const plan = planOf(state, run, target);
	if (!plan) {
		const isRead = Object.hasOwn(state.plans, `${run.id} ${target}`);
		return [isRead ? fact('Last', '! not known: the repository could not be read', 'warn') : fact('Last', 'loading…')];
	}

	const {last, added, removed} = plan;
	if (!last) {
		return [fact('Last', `none: the first good deploy to ${target}`)];
	}

	const ago = formatDuration(state.now - Date.parse(last.at));
	const isKnown = added !== null && removed !== null;
	const isSame = isKnown && added.count === 0 && removed.count === 0;
	return [
		fact('Last', `${last.commit.slice(0, shortLength)} of ${last.run}, ${ago} ago`),
		...(isKnown ? [] : [fact('Brings', '! not known: the last deploy is not in the repository', 'warn')]),
		...(isSame ? [fact('Brings', 'nothing: it is there already')] : []),
		...commitLines('Brings', added),
		...commitLines('Takes back', removed, 'warn'),
	];
}

function mergedLine({merge, target, approval}: Run): DialogLine {
	const reason = approval?.because ? `: ${escapeLine(approval.because)}` : '';
	const by = approval ? `, approved by ${approvedBy(approval)}${reason}` : '';
	return fact('Merged', `${merge!.commit.slice(0, shortLength)} into ${branchName(target)}${by}`);
}

function deployLines(state: State, run: Run, target: string): DialogLine[] {
	return target === ''
		? [taskLine(run), mergedLine(run), fact('Target', 'loading the targets of the project policy…')]
		: [taskLine(run), mergedLine(run), ...targetLines(state, run, target), ...planLines(state, run, target)];
}

/** Where deploys can go, each with its window. */
function targetField(state: State, run: Run): Field {
	const targets = Object.entries(state.offers[run.project.id]?.deploy ?? {});
	// What waits goes on first.
	const at = Math.max(
		0,
		targets.findIndex(([name]) => name === run.deployRequest?.target),
	);
	return {
		id: 'target',
		label: 'Target',
		value: targets[at]?.[0] ?? '',
		hint: '',
		...(targets.length === 0
			? {}
			: {
					cursor: at,
					options: targets.map(([value, {window}]) => ({
						value,
						note: windowNote(window, state.now),
						isOff: opensAt(window, state.now) !== undefined,
					})),
				}),
	};
}

const wordField = (state: State, run: Run, target: string): Field => ({
	id: 'confirm',
	label: 'Confirm',
	value: '',
	hint:
		`type ${target === '' ? 'the name of the target' : target} ${wayWords[wayOf(state, run, target)].types}; ` +
		'a paste does not count',
	confirm: '',
});

const requestReason = reasonField('why, for those who are to say yes');

/** What is filled in besides the target: a request says why. */
const fieldsBelow = (state: State, run: Run, target: string): Field[] => [
	...(wayOf(state, run, target) === 'request' ? [requestReason] : []),
	wordField(state, run, target),
];

const whyField = reasonField('why now, outside the deploy window');

/** What has to be read: the policy, the vault, and what a deploy to each target would bring. */
function loadPlans(state: State, run: Run, targets: readonly string[]): readonly Effect[] {
	return [
		...(state.offers[run.project.id] ? [] : [{type: 'offer' as const, project: run.project.id}]),
		...(state.vault ? [] : [{type: 'vault' as const}]),
		...targets.slice(0, maxPlans).map(target => ({type: 'deploy-plan' as const, run: run.id, target})),
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
	const yes = wayArguments(state, run, {target, reason});
	if (yes) {
		return runVerb(state, run.id, {argv: yes, title: wayWords[wayOf(state, run, target)].verb});
	}

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

/** The way to deploy to a target whose window is closed. */
const outsideHint = 'o: deploy now';

const chosenTarget = ({fields}: Dialog) => fields.find(({id}) => id === 'target')?.value ?? '';

/** With a field for the reason of a deploy outside of the window, and the cursor there. */
function askWhy(state: State, dialog: Dialog): Step {
	const [target, ...others] = dialog.fields;
	const {value} = target!;
	const run = runsOf(state, dialog)[0]!;
	return outsideWindow(state, run, {target: value}) === undefined
		? bad(state, `${value} is not outside of its deploy window`)
		: stay(withDialog(state, {...dialog, fields: [target!, whyField, others.at(-1)!], at: 1}));
}

const deploy: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const target = targetField(state, run);
		return {
			title: `Deploy ${run.merge!.commit.slice(0, shortCommitLength)} of ${run.id}`,
			runs: [run.id],
			verb: wayWords[wayOf(state, run, target.value)].verb,
			keys: target.options?.some(({isOff}) => isOff) ? [{key: 'o', title: 'outside the window'}] : [],
			lines: deployLines(state, run, target.value),
			fields: [target, ...fieldsBelow(state, run, target.value)],
		};
	},
	load(state) {
		const run = selectedRun(state)!;
		return loadPlans(state, run, Object.keys(state.offers[run.project.id]?.deploy ?? {}));
	},
	/** What is said is about the target that is chosen; of another one, another word is asked for. */
	changed(state, dialog, before) {
		const run = runsOf(state, dialog)[0];
		const target = chosenTarget(dialog);
		const lines = run ? deployLines(state, run, target) : dialog.lines;
		const verb = run ? wayWords[wayOf(state, run, target)].verb : dialog.verb;
		// Another one may have said yes meanwhile: what is typed now means something else.
		return !run || (target === chosenTarget(before) && verb === dialog.verb)
			? {...dialog, lines}
			: {...dialog, lines, verb, fields: [dialog.fields[0]!, ...fieldsBelow(state, run, target)], at: 0};
	},
	keys: {o: askWhy},
	submit(state, dialog, values) {
		const {target, reason, confirm} = values;
		if (!target) {
			return askAgain(state, dialog, {field: 'target', because: 'name a target'});
		}

		const run = runsOf(state, dialog)[0]!;
		const early = outsideWindow(state, run, {target, reason});
		if (early) {
			return askAgain(state, dialog, {
				field: reason === undefined ? 'target' : 'reason',
				because: `${early}; ${reason === undefined ? outsideHint : 'say why'}`,
			});
		}

		const way = wayOf(state, run, target);
		if (wayWords[way].verb !== dialog.verb) {
			return askAgain(state, dialog, {field: 'target', because: 'it is not as it was: look again'});
		}

		if (reason === '' && way === 'request') {
			return askAgain(state, dialog, {field: 'reason', because: 'say why: those who are to say yes read it'});
		}

		return confirm === target
			? startDeploy(state, run, {target, reason})
			: askAgain(state, dialog, {field: 'confirm', because: `type ${target} ${wayWords[way].types}`});
	},
	leave(state, dialog, {target = '', reason}) {
		const isAsked = dialog.fields[dialog.at]?.id === 'reason' && reason === '';
		if (isAsked && wayOf(state, runsOf(state, dialog)[0]!, target) === 'request') {
			return 'say why: those who are to say yes read it';
		}

		const early = outsideWindow(state, runsOf(state, dialog)[0]!, {target, reason});
		return early === undefined ? undefined : `${early}; ${reason === undefined ? outsideHint : 'say why'}`;
	},
};

/** From what a roll back goes, and to what; what it takes back is what the last deploy brought. */
function rollbackLines(state: State, from: Run, {to, target}: {readonly to: Run; readonly target: string}) {
	const last = from.deployments.at(-1)!;
	const ago = formatDuration(state.now - Date.parse(last.at));
	const because = escapeLine(last.because);
	const plan = planOf(state, to, target);
	const taken = plan?.last?.run === to.id ? planOf(state, from, target)?.added : plan?.removed;
	return [
		fact('From', `${last.commit.slice(0, shortLength)} of ${from.id}, ${last.outcome}: ${because}, ${ago} ago`),
		fact('To', `${to.merge!.commit.slice(0, shortLength)} of ${to.id}, the last good deploy before it`),
		...commitLines('Takes back', taken ?? null, 'warn'),
		...targetLines(state, to, target),
	];
}

/** Deploys the run again that was the last good one on a target. The target is the word that confirms it. */
const rollback: DialogDefinition = {
	open(state) {
		const from = selectedRun(state)!;
		const good = lastGood(state);
		if (!good) {
			return undefined;
		}

		const {run: to, target} = good;
		const note = windowNote(state.offers[to.project.id]?.deploy[target]?.window, state.now);
		const isClosed = outsideWindow(state, to, {target}) !== undefined;
		const way = wayOf(state, to, target);
		const reasons = {request: [requestReason], approve: [], deploy: isClosed ? [whyField] : []}[way];
		return {
			title: `Roll back ${target} to ${to.id}`,
			runs: [to.id],
			verb: way === 'deploy' ? 'roll back' : wayWords[way].verb,
			lines: [
				...rollbackLines(state, from, {to, target}),
				...(note === '' ? [] : [isClosed ? fact('Window', `! ${note}`, 'warn') : fact('Window', note)]),
			],
			fields: [...reasons, confirmField(target, wayWords[way].types)],
		};
	},
	load(state) {
		const {run, target} = lastGood(state)!;
		return [...loadPlans(state, run, [target]), {type: 'deploy-plan' as const, run: selectedRun(state)!.id, target}];
	},
	submit(state, dialog, {reason}) {
		const target = dialog.fields.at(-1)!.confirm!;
		const run = runsOf(state, dialog)[0]!;
		const early = outsideWindow(state, run, {target, reason});
		const way = wayOf(state, run, target);
		if (dialog.verb !== (way === 'deploy' ? 'roll back' : wayWords[way].verb)) {
			return askAgain(state, dialog, {field: 'confirm', because: 'it is not as it was: look again'});
		}

		if (way === 'request' && !reason) {
			return askAgain(state, dialog, {field: 'reason', because: 'say why: those who are to say yes read it'});
		}

		return early
			? askAgain(state, dialog, {field: 'reason', because: `${early}; say why`})
			: startDeploy(state, run, {target, reason});
	},
	leave: (state, dialog, {reason}) =>
		outsideWindow(state, runsOf(state, dialog)[0]!, {target: dialog.fields.at(-1)!.confirm!, reason}),
};

export const deployDialogs = {deploy, rollback, 'deploy-no': deployNo};
