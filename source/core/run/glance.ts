import {actorName, isPerson} from '../actor.ts';
import {branchName} from '../git/refs.ts';
import {hasFailed, needOf} from './attention.ts';
import type {Changes} from './changes.ts';
import type {Run} from './run.ts';
import {stageName} from './stages.ts';
import {addTests, formatTests, type TestSummary} from './test-summary.ts';

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
	| 'follow-up'
	| 'verify'
	| 'review'
	| 'rebase'
	| 'merge'
	| 'deploy'
	| 'continue'
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
	/** Whether its project says how it is deployed. */ readonly hasDeploy?: boolean | undefined;
};

type Found = Omit<Glance, 'since'>;

const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`;

/** What its tests amounted to; undefined where none were counted. */
export function testsOf({verification}: Run): TestSummary | undefined {
	const counted = verification?.steps.flatMap(({tests}) => (tests ? [tests] : [])) ?? [];
	return counted.length === 0 ? undefined : counted.reduce((all, one) => addTests(all, one));
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

	// A shell says 128 and the signal's number of a program that was killed.
	return exit?.code === 137 ? 'killed (exit 137)' : exit?.code ? `exit ${exit.code}` : because;
}

/** An agent's work that nobody verified yet. */
function unverified(run: Run, {changes}: Besides): Found {
	const count = run.captured?.files ?? changes?.files;
	if (run.conflicts) {
		const text = `conflicts with ${branchName(run.target)}`;
		return {group: 'needs you', sign: 'failed', text, next: 'rebase'};
	}

	return count === 0 && (run.captured?.commits ?? 0) === 0
		? {group: 'needs you', sign: 'changed', text: 'no changes', next: 'follow-up'}
		: {
				group: 'needs you',
				sign: 'changed',
				text: count === undefined ? 'not verified' : `${files(count)}, not verified`,
				next: 'verify',
			};
}

/** A run whose agent, or whose supervisor before it, is there. */
function withAgent(run: Run): Found {
	const need = needOf(run);
	if (need?.kind === 'waiting') {
		const isFault = run.status?.state === 'failed';
		return {group: 'needs you', sign: isFault ? 'failed' : 'question', text: need.because, next: 'reply'};
	}

	if (need?.kind === 'denied') {
		return {group: 'needs you', sign: 'blocked', text: need.because, next: 'allow'};
	}

	const hit = run.stage === 'running' ? run.hits.at(-1)?.because : undefined;
	return {group: 'active', sign: 'running', text: hit ?? run.status?.because ?? run.because, next: undefined};
}

function verdict(run: Run): string {
	const tests = testsOf(run);
	return tests ? formatTests(tests) : (run.verification?.because ?? run.because);
}

function find(run: Run, besides: Besides): Found {
	const [alarm] = run.alarms;
	if (alarm && run.stage !== 'discarded') {
		return {group: 'needs you', sign: 'alarm', text: `ALARM: ${alarm.because}, ${alarm.target}`, next: 'acknowledge'};
	}

	switch (run.stage) {
		case 'starting':
		case 'running': {
			return withAgent(run);
		}

		case 'queued': {
			return run.stuck
				? {group: 'needs you', sign: 'failed', text: run.because, next: undefined}
				: {group: 'active', sign: 'queued', text: run.because, next: undefined};
		}

		case 'frozen': {
			// What a limit paused waits for a decision; what a person paused does not wait for anybody else.
			const {pausedBy} = run;
			return pausedBy !== undefined && isPerson(pausedBy)
				? {group: 'active', sign: 'paused', text: `paused by ${actorName(pausedBy)}`, next: 'continue'}
				: {group: 'needs you', sign: 'paused', text: `paused: ${run.because}`, next: 'continue'};
		}

		case 'verifying':
		case 'merging':
		case 'deploying': {
			return {group: 'active', sign: 'running', text: run.because || stageName(run.stage), next: undefined};
		}

		case 'stopped': {
			return hasFailed(run)
				? {group: 'needs you', sign: 'failed', text: failure(run), next: 'retry'}
				: unverified(run, besides);
		}

		case 'captured': {
			return unverified(run, besides);
		}

		case 'verified': {
			return {group: 'needs you', sign: 'passed', text: verdict(run), next: 'review'};
		}

		case 'verify-failed': {
			return {group: 'needs you', sign: 'failed', text: verdict(run), next: 'log'};
		}

		case 'inconclusive': {
			return {group: 'needs you', sign: 'unclear', text: run.because, next: 'log'};
		}

		case 'failed':
		case 'crashed': {
			return {group: 'needs you', sign: 'failed', text: run.because, next: 'retry'};
		}

		case 'approved': {
			const by = run.approval ? `approved by ${actorName(run.approval.by)}` : 'approved';
			return {group: 'ready', sign: 'passed', text: by, next: 'merge'};
		}

		case 'merged': {
			const text = `merged ${run.merge?.commit.slice(0, 7) ?? ''}`;
			return besides.hasDeploy
				? {group: 'ready', sign: 'passed', text, next: 'deploy'}
				: {group: 'done', sign: 'done', text, next: undefined};
		}

		case 'deployed': {
			return {group: 'done', sign: 'done', text: `deployed → ${run.deployments.at(-1)?.target ?? ''}`, next: undefined};
		}

		case 'deploy-failed': {
			return {group: 'needs you', sign: 'failed', text: `deploy failed: ${run.because}`, next: 'log'};
		}

		case 'deploy-unknown': {
			return {group: 'needs you', sign: 'unclear', text: `deploy: ${run.because}`, next: 'log'};
		}

		case 'rejected': {
			return {group: 'done', sign: 'dropped', text: run.because ? `rejected: ${run.because}` : 'rejected', next: 'retry'};
		}

		case 'discarded': {
			return {group: 'done', sign: 'dropped', text: 'discarded', next: 'restore'};
		}
	}
}

/** How a run stands, in a few words. */
export function glanceAt(run: Run, besides: Besides = {}): Glance {
	return {...find(run, besides), since: needOf(run)?.since ?? run.since};
}
