import {actorName, type Actor, type DecidedBy} from '../actor.ts';
import {branchName} from '../git/refs.ts';
import {isRunBranch, printable} from '../names.ts';
import {Refusal} from '../refusal.ts';
import {decidePublish} from '../publish/rules.ts';
import type {Grant} from '../scope.ts';
import {wallTime} from '../text/window.ts';
import type {Command, CommandOf, GrantCommand} from './command.ts';
import type {RunEvent} from './event.ts';
import {
	decideActor,
	decideApprove,
	decideDeploy,
	decideDiscard,
	decideMerge,
	decideReject,
	decideRestore,
	decideResume,
	decideRetarget,
	decideScopeChange,
	decideSpending,
	decideVerify,
	decideWindow,
	openSuspects,
} from './rules.ts';
import type {Run} from './run.ts';
import {decidePlanAccept, decidePlanEdit, decideTask} from './plan-rules.ts';
import {isCheckedByItself, mayHaveSupervisor} from './stages.ts';

type Decided = RunEvent[] | Refusal;

type Decider<Type extends Command['type']> = (run: Run, command: CommandOf<Type>, by: DecidedBy) => Decided;

/** The events, or the reason against them. */
function unless(refusal: Refusal | undefined, ...events: RunEvent[]): Decided {
	return refusal ?? events;
}

/** A person's reason, or that person. */
function reasonOf(because: string, actor: Actor): string {
	return because === '' ? `by ${actorName(actor)}` : because;
}

/** A grant as it is written down. @param now milliseconds */
export function grantOf(command: GrantCommand, actor: Actor, now: number): Grant {
	const {id, scope, because, durationMs, reference, identity, uses, signed} = command;
	const until = durationMs === undefined ? undefined : new Date(now + durationMs).toISOString();
	return {
		id,
		scope,
		because: because.trim(),
		by: actor,
		// What was signed says its own time.
		at: signed?.at ?? new Date(now).toISOString(),
		reference,
		identity,
		until: signed ? signed.until : until,
		...(uses === undefined ? {} : {uses}),
		...(signed ? {signed: {signer: signed.signer, signature: signed.signature}} : {}),
	};
}

/** When a grant takes effect, in words. */
function effectOf(reaches: string, runId: string): string {
	if (reaches === 'start') {
		return 'when the run is next started';
	}

	return reaches === 'now'
		? 'effective now'
		: `when the run is next started (${reaches}): fleet stop ${runId}, fleet resume ${runId}`;
}

function revokeRefusal(run: Run, scope: string): Refusal | undefined {
	if (run.grants.some(grant => grant.scope === scope)) {
		return undefined;
	}

	const granted = run.grants.map(grant => grant.scope);
	return new Refusal(
		`${scope} is not granted to ${run.id}`,
		granted.length === 0 ? 'nothing is granted' : `granted: ${granted.join(', ')}`,
	);
}

function notRunning(run: Run): Refusal {
	return new Refusal(`${run.id} is not running: it is ${run.stage}`, `fleet show ${run.id}`);
}

function freezeRefusal(run: Run): Refusal | undefined {
	if (run.stage === 'frozen') {
		return new Refusal(`${run.id} is paused already`, `fleet continue ${run.id}, or fleet stop ${run.id}`);
	}

	return run.stage === 'running' ? undefined : notRunning(run);
}

function retargetRefusal(run: Run, target: string): Refusal | undefined {
	const branch = branchName(target);
	if (target === run.target) {
		return new Refusal(`${run.id} is merged into ${branch} already`, `fleet verify ${run.id}`);
	}

	return isRunBranch(branch)
		? new Refusal(`${branch} is a run's own branch`, "name a branch of the project's")
		: undefined;
}

function waiveRefusal(run: Run, because: string): Refusal | undefined {
	if (because.trim() === '') {
		return new Refusal('dismissing a finding needs a reason', 'say why with --because "…"');
	}

	return openSuspects(run).length === 0
		? new Refusal(`no possible secret was found in ${run.id}`, `fleet verify ${run.id}`)
		: undefined;
}

const deciders: {readonly [Type in Command['type']]: Decider<Type>} = {
	grant: (run, command, {actor, now}) =>
		unless(decideScopeChange(run, actor, command.because), {
			type: 'scope.granted',
			grant: grantOf(command, actor, now),
			effect: effectOf(command.reaches ?? 'start', run.id),
		}),
	revoke: (run, {scope, because}, {actor}) =>
		unless(decideActor(actor, 'a scope') ?? revokeRefusal(run, scope), {
			type: 'scope.revoked',
			scope,
			because,
			cut: 0,
		}),
	// Written down once the agent has ended; another attempt of a run that has ended may be about to start.
	stop: (run, {because}, {actor}) =>
		unless(decideActor(actor, 'stopping a run') ?? (mayHaveSupervisor(run.stage) ? undefined : notRunning(run)), {
			type: 'run.exited',
			code: null,
			signal: null,
			because: because === '' ? `stopped by ${actorName(actor)}` : because,
		}),
	release: (run, {because}, {actor}) =>
		unless(
			decideActor(actor, 'starting a run') ??
				(run.stage === 'queued' ? undefined : new Refusal(`${run.id} is not queued`, `fleet show ${run.id}`)),
			{type: 'run.released', because: reasonOf(because, actor)},
		),
	// Written down by whoever stops the processes: `whole` is how that came out.
	freeze: (run, {because}, {actor}) =>
		unless(decideActor(actor, 'pausing a run') ?? freezeRefusal(run), {
			type: 'run.frozen',
			because: reasonOf(because, actor),
			whole: true,
		}),
	thaw: (run, {because}, {actor}) =>
		unless(
			decideActor(actor, 'continuing a run') ??
				(run.stage === 'frozen' ? decideSpending(run) : new Refusal(`${run.id} is not paused`, `fleet show ${run.id}`)),
			{type: 'run.thawed', because: reasonOf(because, actor)},
		),
	budget: (_run, {budget, because}, {actor}) =>
		unless(decideActor(actor, 'a budget'), {type: 'budget.set', budget, because}),
	dismiss: (run, {target, because}, {actor}) =>
		unless(
			decideActor(actor, 'a denial') ??
				(run.denials.some(denial => denial.target === target)
					? undefined
					: new Refusal(`${run.id} was not denied ${printable(target)}`, `fleet show ${run.id}`)),
			{type: 'denial.dismissed', target, because},
		),
	acknowledge: (run, {because}, {actor}) =>
		unless(
			decideActor(actor, 'an alarm') ??
				(run.alarms.length === 0 ? new Refusal(`${run.id} has no alarm`, `fleet show ${run.id}`) : undefined),
			{type: 'alarm.acknowledged', because},
		),
	audit: (run, {items, asked, because}, {actor}) =>
		unless(
			actor === 'fleet' && isCheckedByItself(run.stage) ? undefined : decideActor(actor, 'an audit'),
			...asked.map((gate): RunEvent => ({type: 'gate.refused', gate, because: 'agents decide nothing'})),
			{type: 'audit.finished', items: [...items], because},
		),
	resume: (run, {prompt, onto}, {actor}) =>
		unless(decideActor(actor, 'resume') ?? decideResume(run) ?? decideSpending(run), {
			type: 'prompt.sent',
			prompt,
			...(onto === undefined ? {} : {onto}),
		}),
	verify: (run, {facts, commands}, {actor}) =>
		unless(decideVerify(run, actor), {
			type: 'verify.started',
			...facts,
			commands: [...commands],
		}),
	'plan-edit': (run, {tasks}, {actor}) => unless(decidePlanEdit(run, actor), {type: 'plan.edited', tasks: [...tasks]}),
	'plan-accept': (run, {terms}, {actor}) => unless(decidePlanAccept(run, actor), {type: 'plan.accepted', ...terms}),
	'task-release': (run, {task, because}, {actor}) =>
		unless(decideTask(run, task, actor), {type: 'task.released', task, because}),
	'task-drop': (run, {task, because}, {actor}) =>
		unless(decideTask(run, task, actor), {type: 'task.dropped', task, because}),
	waive: (run, {because}, {actor}) =>
		unless(decideActor(actor, 'to waive') ?? waiveRefusal(run, because), {
			type: 'suspects.waived',
			fingerprints: openSuspects(run).map(({fingerprint}) => fingerprint),
			because: because.trim(),
		}),
	approve: (run, {facts, because, accepted, viewed}, {actor, now}) =>
		unless(decideApprove(run, facts, {actor, now}), {
			type: 'review.approved',
			...facts,
			verify: run.verification?.digest ?? '',
			because,
			...(accepted ? {accepted} : {}),
			...(viewed ? {viewed} : {}),
		}),
	reject: (run, {because}, {actor}) =>
		unless(decideReject(run, actor), {
			type: 'review.rejected',
			because: because === '' ? 'no reason was given' : because,
		}),
	merge: (run, {facts, commit, train}, {actor, now}) =>
		unless(decideMerge(run, facts, {actor, now}, train !== undefined), {
			type: 'merge.started',
			target: run.target,
			base: facts.base,
			head: facts.head,
			tree: facts.tree,
			commit,
			...(train ? {train} : {}),
		}),
	publish: (run, {type: _, when, ...start}, {actor, now}) =>
		unless(decidePublish(run, {head: start.head, when}, {actor, now}), {type: 'publish.started', ...start}),
	deploy: (run, {target, confirmed, window, outside, because, command, credentials, lease}, {actor, now}) =>
		unless(
			decideDeploy(run, actor, {target, confirmed}) ??
				decideWindow({target, window}, wallTime(now), outside ? because : undefined),
			{
				type: 'deploy.started',
				target,
				commit: run.merge?.commit ?? '',
				command,
				credentials: [...credentials],
				...(lease === undefined ? {} : {lease}),
				...(because === '' ? {} : {because}),
				...(outside && window !== undefined ? {outside: window} : {}),
			},
		),
	retarget: (run, {target, because}, {actor}) =>
		unless(decideRetarget(run, actor) ?? retargetRefusal(run, target), {type: 'run.retargeted', target, because}),
	discard: (run, {because, kept}, {actor}) =>
		unless(decideDiscard(run, actor), {type: 'run.discarded', because, kept: [...kept]}),
	restore: (run, {because}, {actor}) => unless(decideRestore(run, actor), {type: 'run.restored', because}),
};

/**
 * What comes of a command: events, in the order in which they are written down, or why nothing does. Pure and total.
 * Who carries out a command that has effects beside its events does so before, between or after them, and asks first.
 */
export function decide(run: Run, command: Command, by: DecidedBy): RunEvent[] | Refusal {
	// Each function takes the commands of the type that it stands under: the record says so, and the lookup forgets it.
	const decider = deciders[command.type] as (run: Run, command: Command, by: DecidedBy) => Decided;
	return decider(run, command, by);
}
