import {interrupted} from './evolve-deploy.ts';
import {matchesTarget} from '../network/egress.ts';
import {parseEgressRule} from '../network/rules.ts';
import {parseAuthority} from '../network/target.ts';
import {Refusal} from '../refusal.ts';
import type {Grant} from '../scope.ts';
import {done, type Changes} from './evolve-text.ts';
import {retryText} from './retry.ts';
import type {Denial, Run} from './run.ts';

/** Whether a scope such as `network:example.com:443` lets through what was denied. */
function answers(scope: string, target: string): boolean {
	const rule = parseEgressRule(scope.slice('network:'.length));
	const wanted = parseAuthority(target, 443);
	return (
		scope.startsWith('network:') &&
		!(rule instanceof Refusal) &&
		!(wanted instanceof Refusal) &&
		matchesTarget(rule, wanted)
	);
}

function withoutScope(grants: readonly Grant[], scope: string): Grant[] {
	return grants.filter(grant => grant.scope !== scope);
}

/** Grants that a run keeps of those that have ended. */
const maxEnded = 20;

function withEnded({endedGrants}: Run, scope: string, how: 'revoked' | 'expired'): Run['endedGrants'] {
	return [{scope, how}, ...endedGrants.filter(grant => grant.scope !== scope)].slice(0, maxEnded);
}

/** Denials that a run keeps. */
const maxDenials = 50;

/** What a grant answers is asked for no more, and is kept for the case that it is taken back. */
function withAnswers({denials, answered}: Run, scope: string): Pick<Run, 'denials' | 'answered'> {
	const isAnswered = (denial: Denial) => answers(scope, denial.target);
	const others = answered.filter(one => one.scope !== scope);
	const own = denials.filter(denial => isAnswered(denial));
	return {
		denials: denials.filter(denial => !isAnswered(denial)),
		answered: own.length === 0 ? others : [...others, {scope, denials: own}].slice(-maxDenials),
	};
}

/** What a grant that is taken back had answered, and what nothing has come of, is asked for again. */
function withoutAnswers({denials, answered, dismissed}: Run, scope: string): Pick<Run, 'denials' | 'answered'> {
	const back = answered
		.filter(one => one.scope === scope)
		.flatMap(one => one.denials)
		.filter(({target}) => !dismissed.includes(target) && !denials.some(denial => denial.target === target));
	return {
		denials: [...denials, ...back].sort((a, b) => (a.at < b.at ? 1 : Number(a.at > b.at) * -1)).slice(0, maxDenials),
		answered: answered.filter(one => one.scope !== scope),
	};
}

function attemptText({retry}: Run, attempt: number): string {
	if (retry) {
		return `retry ${retry.round} of ${retry.of}`;
	}

	return attempt > 1 ? `attempt ${attempt}` : 'the agent works';
}

/** What an event of the agent's time changes: its life, its scopes, the network, its model. */
export const agentChanges = {
	'run.queued': (_run, entry) => ({stage: 'queued', because: entry.because, stuck: entry.stuck ?? false}),
	'run.released': () => ({after: undefined, stuck: false, because: 'waits for its turn'}),
	'run.dequeued': (_run, entry) => ({stage: 'starting', because: entry.because}),
	'setup.started': (_run, entry) => ({
		stage: 'starting',
		because: `setup: ${entry.commands[0] ?? ''}${entry.commands.length > 1 ? ` and ${entry.commands.length - 1} more` : ''}`,
		exit: undefined,
	}),
	'setup.finished': (_run, entry) => (entry.of === 'run' ? {layer: entry.layer} : {}),
	'run.started': (run, entry) => ({
		status: undefined,
		pid: entry.pid,
		stage: 'running',
		because: attemptText(run, entry.attempt),
		phrase: entry.attempt > 1 ? undefined : 'running',
		attempt: entry.attempt,
		sandbox: entry.sandbox,
		notes: entry.notes,
		hits: [],
		listening: [],
		openPorts: [],
		answered: [],
		exit: undefined,
		// A new attempt may change anything, so nothing that was decided about the last one holds.
		verification: undefined,
		approval: undefined,
		conflicts: undefined,
		rebase: undefined,
		audit: run.audit && {...run.audit, stale: true},
	}),
	'profile.given': (_run, {digest, files}) => {
		return {profile: digest === null ? undefined : {digest, files: files.map(({path}) => path)}};
	},
	'run.exited': (_run, entry) => ({
		stage: entry.checks ? 'checking' : 'stopped',
		because: entry.checks ? 'its work is checked' : entry.because,
		exit: {code: entry.code, signal: entry.signal},
		listening: [],
		openPorts: [],
		retry: undefined,
	}),
	'checks.ended': (run, entry) => ({
		stage: run.captured ? 'captured' : 'stopped',
		because: entry.because,
		phrase: entry.because,
		retry: undefined,
	}),
	'run.failed': (_run, entry) => ({stage: 'failed', because: entry.because, listening: [], openPorts: []}),
	'run.crashed': (run, entry) => ({
		listening: [],
		openPorts: [],
		// A train that was cut short leaves each of its runs as it was.
		...(run.train
			? {stage: run.train.stage, because: run.train.because, phrase: run.train.phrase, train: undefined}
			: {stage: run.stage === 'deploying' ? 'deploy-unknown' : 'crashed', because: entry.because}),
		deployments: run.deployments.map(deployment =>
			deployment.outcome === 'running'
				? {...deployment, outcome: 'unknown', because: entry.because}
				: interrupted(deployment, entry.because),
		),
	}),
	'limit.hit': (run, entry) => ({
		hits: [...run.hits.filter(({limit}) => limit !== entry.limit), {limit: entry.limit, because: entry.because}],
	}),
	'run.frozen': (run, entry) => ({
		stage: 'frozen',
		ranSince: run.stage === 'running' ? run.since : run.ranSince,
		pausedBy: entry.actor,
		because: entry.because,
		phrase: done('paused', entry.because, entry.actor),
	}),
	'run.thawed': (run, entry) => ({
		stage: 'running',
		because: done('continued', entry.because, entry.actor),
		since: run.ranSince ?? entry.at,
		ranSince: undefined,
	}),
	'scope.granted': (run, entry) => ({
		grants: [...withoutScope(run.grants, entry.grant.scope), entry.grant],
		endedGrants: run.endedGrants.filter(({scope}) => scope !== entry.grant.scope),
		...withAnswers(run, entry.grant.scope),
		audit: run.audit && {...run.audit, stale: true},
	}),
	'scope.revoked': (run, entry) => ({
		grants: withoutScope(run.grants, entry.scope),
		endedGrants: withEnded(run, entry.scope, 'revoked'),
		...withoutAnswers(run, entry.scope),
		audit: run.audit && {...run.audit, stale: true},
	}),
	'scope.expired': (run, entry) => ({
		grants: withoutScope(run.grants, entry.scope),
		endedGrants: withEnded(run, entry.scope, 'expired'),
		answered: run.answered.filter(({scope}) => scope !== entry.scope),
		audit: run.audit && {...run.audit, stale: true},
	}),
	'egress.denied': (run, entry) => {
		if (run.dismissed.includes(entry.target)) {
			return {};
		}

		const rest = run.denials.filter(denial => denial.target !== entry.target);
		return {
			denials: [
				{
					target: entry.target,
					because: entry.because,
					count: entry.count,
					since: run.denials.find(denial => denial.target === entry.target)?.since ?? entry.at,
					at: entry.at,
					...(entry.terms ? {terms: entry.terms} : {}),
				},
				...rest,
			].slice(0, maxDenials),
		};
	},
	'denial.dismissed': (run, entry) => ({
		denials: run.denials.filter(denial => denial.target !== entry.target),
		dismissed: [...new Set([...run.dismissed, entry.target])].slice(-200),
	}),
	'egress.allowed': (run, entry) =>
		run.answered.length === 0
			? {}
			: {
					answered: run.answered.map(one => ({
						...one,
						denials: one.denials.filter(({target}) => target !== entry.target),
					})),
				},
	'secret.used': () => ({}),
	'scope.used': () => ({}),
	'ports.listening': (_run, entry) => ({listening: entry.ports}),
	'port.opened': (run, entry) => ({
		openPorts: [
			...run.openPorts.filter(({port}) => port !== entry.port),
			{port: entry.port, address: entry.address},
		].sort((a, b) => a.port - b.port),
	}),
	'port.used': () => ({}),
	'port.closed': (run, entry) => ({openPorts: run.openPorts.filter(({port}) => port !== entry.port)}),
	'mcp.called': () => ({}),
	'request.refused': () => ({}),
	'secret.refused': () => ({}),
	'gate.refused': (_run, entry) => {
		return entry.conflicts === undefined ? {} : {conflicts: entry.conflicts};
	},
	'alarm.raised': (run, entry) => {
		const isSame = (alarm: Denial) => alarm.target === entry.target && alarm.because === entry.because;
		return {
			alarms: [
				{
					target: entry.target,
					because: entry.because,
					count: entry.count,
					since: run.alarms.find(alarm => isSame(alarm))?.since ?? entry.at,
					at: entry.at,
				},
				...run.alarms.filter(alarm => !isSame(alarm)),
			].slice(0, 50),
		};
	},
	'alarm.acknowledged': () => ({alarms: []}),
	'agent.status': (run, entry) => ({
		status: {
			state: entry.state,
			because: entry.because,
			since: run.status?.state === entry.state ? run.status.since : entry.at,
			at: entry.at,
		},
	}),
	'agent.conversation': (_run, entry) => ({conversation: entry.conversation}),
	'prompt.sent': (run, entry) => {
		if (entry.retry) {
			return {
				prompt: entry.prompt,
				retry: entry.retry,
				stage: 'starting',
				because: retryText(entry.retry, run.verification?.because ?? ''),
			};
		}

		// What it is for is not what it was asked for in the first place.
		return entry.onto === undefined
			? {prompt: entry.prompt, task: run.task ?? entry.prompt, rebase: undefined, rounds: [], retry: undefined}
			: {rebase: {prompt: entry.prompt, onto: entry.onto}, rounds: [], retry: undefined};
	},
	'reply.sent': () => ({}),
	'usage.counted': (_run, entry) => ({usage: entry.usage}),
	'budget.set': (_run, entry) => ({budget: entry.budget ?? undefined}),
	'audit.finished': (_run, entry) => ({audit: {items: entry.items, at: entry.at, stale: false}}),
} satisfies Partial<Changes>;
