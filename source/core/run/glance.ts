import {actorName, isPerson} from '../actor.ts';
import {branchName} from '../git/refs.ts';
import {isApproved, standingNo} from '../deploy/request.ts';
import {hasFailed, needOf, stageText, waitingDeploy} from './attention.ts';
import type {Changes} from './changes.ts';
import {publishedNext, type PublishedNext} from '../publish/next.ts';
import {heldTask, isPlanDone, planText} from '../tasks/plan.ts';
import {approvedBy, type Run} from './run.ts';
import {stageName, type Stage} from './stages.ts';
import {addTests, formatTests, type TestSummary} from './test-summary.ts';
import {overBudget} from './usage.ts';

/* A run at a glance: where it belongs in a list, how it stands, and what a person does next. Pure. */

/** The groups of a list, most urgent first. */
export const groups = ['needs you', 'active', 'ready', 'done'] as const;
export type Group = (typeof groups)[number];

/** What the sign before a row says. */
export type Sign =
	| 'alarm'
	| 'question'
	| 'blocked'
	| 'failed'
	| 'unclear'
	| 'changed'
	| 'passed'
	| 'running'
	| 'paused'
	| 'queued'
	| 'done'
	| 'dropped';

/** What a person does next about a run; a screen knows the key. */
export type NextStep =
	| 'acknowledge'
	| 'reply'
	| 'allow'
	| 'log'
	| 'retry'
	| 'start'
	| 'follow-up'
	| 'verify'
	| 'set-verify'
	| 'review'
	| 'rebase'
	| 'merge'
	| 'merge-all'
	| 'publish'
	| 'look'
	| 'comments'
	| 'plan'
	| 'deploy'
	| 'continue'
	| 'budget'
	| 'restore';

export type Glance = {
	readonly group: Group;
	readonly sign: Sign;
	/** The verdict in a few words: `2 of 33 tests failed`. Others' words are in it, not escaped. */
	readonly text: string;
	/** ISO 8601: since when it is so. */
	readonly since: string;
	readonly next: NextStep | undefined;
};

/** What is known of a run besides its journal. */
export type Besides = {
	/** What it changed, as it was counted last. */ readonly changes?: Changes | undefined;
	/** Whether its target moved since it was verified. */ readonly isOutdated?: boolean | undefined;
	/** Whether its project says what verifies a result; undefined where that is not known. */
	readonly hasVerify?: boolean | undefined;
	/** Whether its project says how it is published. */ readonly hasPublish?: boolean | undefined;
	/** Whether its project says how it is deployed. */ readonly hasDeploy?: boolean | undefined;
};

type Found = Omit<Glance, 'since'>;

/** What has to be looked at or done. */
const need = (sign: Sign, text: string, next?: NextStep): Found => ({group: 'needs you', sign, text, next});
const active = (sign: Sign, text: string, next?: NextStep): Found => ({group: 'active', sign, text, next});
const over = (sign: Sign, text: string, next?: NextStep): Found => ({group: 'done', sign, text, next});
const atGate = ({stage, because}: Run): Found => active('running', because || stageName(stage));

const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`;

/** What its tests amounted to; undefined where none were counted. */
export function testsOf({verification}: Run): TestSummary | undefined {
	return addTests(verification?.steps.map(({tests}) => tests) ?? []);
}

/** How its agent ended, where it did not end well. */
function failure({exit, hits, because}: Run): string {
	const hit = hits.at(-1)?.because;
	if (hit !== undefined) {
		return hit;
	}

	if (exit?.signal) {
		return `killed (${exit.signal})`;
	}

	if (!exit?.code) {
		return because;
	}

	// A shell says 128 and the signal's number of a program that was killed.
	return exit.code === 137 ? 'killed (exit 137)' : `failed: exit ${exit.code}`;
}

/** An agent's work that nobody verified yet. */
function unverified(run: Run, besides: Besides): Found {
	const count = run.captured?.files ?? besides.changes?.files;
	if (run.conflicts) {
		return need('failed', `conflicts with ${branchName(run.target)}`, 'rebase');
	}

	const how = run.stage === 'captured' ? stageName(run.stage) : stageText(run);
	if (count === 0 && (run.captured?.commits ?? 0) === 0) {
		return need('changed', `${how}, no changes`, 'follow-up');
	}

	return need(
		'changed',
		count === undefined ? how : `${how}, ${files(count)}`,
		besides.hasVerify === false ? 'set-verify' : 'verify',
	);
}

/** A plan whose agent has ended; undefined for any other run. */
function planned(run: Run): Found | undefined {
	const {plan} = run;
	if (!plan || !['stopped', 'captured'].includes(run.stage)) {
		return undefined;
	}

	const text = planText(plan);
	if (plan.accepted) {
		const held = heldTask(plan);
		const goesOn = isPlanDone(plan) ? over('done', text) : active('queued', text, 'plan');
		return held ? need('blocked', `${held.id} ${held.because}`, 'plan') : goesOn;
	}

	if (plan.problem !== undefined) {
		return need('unclear', text, 'follow-up');
	}

	return plan.tasks.length > 0 || run.exit?.code === 0 ? need('changed', text, 'plan') : undefined;
}

/** A run whose agent, or whose supervisor before it, is there. */
function withAgent(run: Run): Found {
	const waits = needOf(run);
	if (waits?.kind === 'waiting') {
		return need(run.status?.state === 'failed' ? 'failed' : 'question', waits.because, 'reply');
	}

	if (waits?.kind === 'denied') {
		return need('blocked', waits.because, 'allow');
	}

	const hit = run.stage === 'running' ? run.hits.at(-1)?.because : undefined;
	return active('running', hit ?? run.status?.because ?? (run.stage === 'running' ? 'running' : stageText(run)));
}

/** What a verification came to: its tests, where they say it; else how the command that failed ended, and its last word. */
function verdict(run: Run): string {
	const tests = testsOf(run);
	const plain = run.stage === 'verified' ? 'verified' : stageText(run);
	const words = tests ? formatTests(tests) : plain;
	const bad = run.stage === 'verify-failed' ? run.verification?.steps.find(({code}) => code !== 0) : undefined;
	const found = bad && (tests?.failed ?? 0) === 0 ? `exit ${bad.code}: ${bad.last ?? bad.command}` : words;
	const retries = run.rounds.length - 1;
	return retries > 0 ? `${found} (after ${retries} ${retries === 1 ? 'retry' : 'retries'})` : found;
}

/** What a limit paused waits for a decision; what a person paused waits for nobody else. */
function paused({pausedBy, because, usage, budget}: Run): Found {
	// With nothing left to use it is not continued before it has more.
	const next = overBudget(usage, budget) === undefined ? 'continue' : 'budget';
	return pausedBy !== undefined && isPerson(pausedBy)
		? active('paused', `paused by ${actorName(pausedBy)}`, next)
		: need('paused', `paused: ${because}`, next);
}

/** Its target moved on; where it is known by now that the two conflict, that is what is left to do. */
const outdated = (run: Run) =>
	run.conflicts
		? need('failed', `conflicts with ${branchName(run.target)}`, 'rebase')
		: need('unclear', `outdated: ${branchName(run.target)} moved`, 'verify');

/** How one stands that is open at a forge. */
function atForge({state, text}: PublishedNext): Found {
	switch (state) {
		case 'said': {
			return need('failed', text, 'comments');
		}

		case 'conflicts': {
			return need('failed', text, 'rebase');
		}

		case 'draft': {
			return need('passed', text, 'review');
		}

		case 'ready': {
			return {group: 'ready', sign: 'passed', text, next: 'look'};
		}

		case 'waits': {
			return active('queued', text, 'look');
		}
	}
}

/** A run that is published as it stands; undefined for any other. */
function published(run: Run): Found | undefined {
	if (run.publishing && (run.stage === 'verified' || run.stage === 'approved')) {
		return need('unclear', 'publishing was interrupted', 'publish');
	}

	const next = publishedNext(run);
	return next && atForge(next);
}

function merged(run: Run, {hasDeploy}: Besides): Found {
	const text = run.merge ? `merged ${run.merge.commit.slice(0, 7)}` : stageText(run);
	if (!run.merge) {
		return over('done', text);
	}

	return hasDeploy ? {group: 'ready', sign: 'passed', text, next: 'deploy'} : over('done', text);
}

/** What became of a deploy that failed: first whether the last good one is back. */
function failedDeploy({deployments, because}: Run): string {
	const {rolledBack, target, because: why} = deployments.at(-1) ?? {};
	return rolledBack?.outcome === 'succeeded' ? `rolled back ${target}: ${why}` : `deploy failed: ${because}`;
}

/** A deploy that was asked for; undefined where none was. */
function requested(run: Run): Found | undefined {
	const text = waitingDeploy(run);
	if (text === undefined) {
		return undefined;
	}

	if (standingNo(run.deployAnswers, run.deployRequest!.target)) {
		return need('failed', text, 'deploy');
	}

	const isReady = isApproved(run.deployRequest!) && run.deployRequest!.missing.length === 0;
	return isReady ? {group: 'ready', sign: 'passed', text, next: 'deploy'} : need('question', text, 'deploy');
}

/** What was verified together is merged together; where main is on a forge, it is merged there. */
function mergeStep(run: Run, hasPublish: boolean | undefined): NextStep {
	if (hasPublish) {
		return 'publish';
	}

	return (run.verification?.train?.runs.length ?? 1) > 1 ? 'merge-all' : 'merge';
}

const byStage: {readonly [Name in Stage]: (run: Run, besides: Besides) => Found} = {
	queued: run => (run.stuck ? need('failed', run.because, 'start') : active('queued', run.because)),
	starting: withAgent,
	running: withAgent,
	frozen: paused,
	stopped: (run, besides) => (hasFailed(run) ? need('failed', failure(run), 'retry') : unverified(run, besides)),
	failed: run => need('failed', stageText(run), 'retry'),
	crashed: run => need('failed', stageText(run), 'retry'),
	checking: atGate,
	captured: unverified,
	verifying: atGate,
	verified: (run, {isOutdated}) => (isOutdated ? outdated(run) : need('passed', verdict(run), 'review')),
	'verify-failed': run => need('failed', verdict(run), 'log'),
	inconclusive: (run, {hasVerify}) => {
		const isUnset = run.verification?.doubt === 'no-commands';
		// Once there is a command, it has to be run.
		return isUnset
			? need('unclear', 'no verify command', hasVerify === true ? 'verify' : 'set-verify')
			: need('unclear', stageText(run), 'log');
	},
	approved: (run, {isOutdated, hasPublish}) =>
		isOutdated
			? outdated(run)
			: {
					group: 'ready',
					sign: 'passed',
					text: run.approval ? `approved by ${approvedBy(run.approval)}` : 'approved',
					next: mergeStep(run, hasPublish),
				},
	rejected: run => over('dropped', run.because ? `rejected: ${run.because}` : 'rejected', 'retry'),
	merging: atGate,
	merged,
	deploying: atGate,
	deployed: run => over('done', `deployed → ${run.deployments.at(-1)?.target ?? ''}`),
	'deploy-failed': run => need('failed', failedDeploy(run), 'log'),
	'deploy-unknown': run => need('unclear', `deploy: ${run.because}`, 'log'),
	// What is merged stays so; its folder alone is gone.
	discarded: run =>
		run.merge
			? over('done', `${merged(run, {}).text}, folder deleted`, 'restore')
			: over('dropped', 'discarded', 'restore'),
};

/** How a run stands, in a few words. */
export function glanceAt(run: Run, besides: Besides = {}): Glance {
	const [alarm] = run.alarms;
	const found =
		alarm && run.stage !== 'discarded'
			? need('alarm', `ALARM: ${alarm.because}, ${alarm.target}`, 'acknowledge')
			: (planned(run) ?? requested(run) ?? published(run) ?? byStage[run.stage](run, besides));
	return {...found, since: needOf(run)?.since ?? run.since};
}

/** A run at a glance where no list says what needs a person: `needs you: finished, no changes (follow up)`. */
export function glanceText({group, text, next}: Glance): string {
	const step = next === undefined ? '' : ` (${next.replace('-', ' ')})`;
	return group === 'needs you' ? `needs you: ${text}${step}` : text;
}
