import {decisionWords} from '../statement/decision.ts';
import type {Actor} from '../actor.ts';
import {branchName} from '../git/refs.ts';
import {deployWords} from '../deploy/words.ts';
import {quoteWord} from '../text/shell-words.ts';
import {formatDuration} from '../text/time.ts';
import type {DenialKind, Entry, EntryOf, RunEvent} from './event.ts';
import {verifiedText} from './gate-words.ts';
import {toldCall} from './mcp-words.ts';
import {done, givenReason} from './evolve-text.ts';
import {spentBetween, spendText} from './spend.ts';
import {formatBudget, noUsage} from './usage.ts';
import {atOnceText} from './viewed.ts';
import {nameOf, quoted, shorten} from './told-text.ts';
import {publishWords} from '../publish/words.ts';
import type {Earlier, Told} from './told.ts';

/*
 * What happened to a run, each event as a person says it: for the activity over all runs, and for the timeline of one.
 * Others' words are in it, not escaped: whoever shows it does that.
 */

export type {Earlier, EventKind, Told} from './told.ts';

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** A scope as it is talked about: of a host its name. */
const scopeText = (scope: string) => (scope.startsWith('network:') ? scope.slice('network:'.length) : scope);

/** How long something was on; empty where its beginning is not known. */
function lasted(from: string | undefined, to: string): string {
	return from === undefined ? '' : ` after ${formatDuration(Date.parse(to) - Date.parse(from))}`;
}

const cutText = (cut: number) => (cut === 0 ? '' : `, ${plural(cut, 'connection')} cut`);

/** What became of a program that ended, by its code and not by words. */
function exitText({code, signal, because}: EntryOf<'run.exited'>): Told {
	const isBad = signal !== null || (code ?? 0) !== 0;
	return {kind: 'run', text: isBad ? `failed: ${because}` : because, tone: isBad ? 'bad' : undefined};
}

/** Of a person, what one did and why; of a limit, the reason alone. */
function paused(what: string, because: string, actor: Actor): Told {
	const by = nameOf(actor);
	return by === undefined
		? {kind: 'decision', text: done(what, because, actor)}
		: {kind: 'decision', text: `${what} it${quoted(givenReason(because))}`, by};
}

function deniedText(kind: DenialKind | undefined, target: string): string {
	return kind === 'past-proxy' ? `blocked past the proxy: ${target}` : `blocked ${target}`;
}

type Words = {readonly [Type in RunEvent['type']]: (entry: EntryOf<Type>, earlier: Earlier) => Told};

/** The words of each event. A type that is missing does not compile. */
const words: Words = {
	'run.created': ({agent, prompt, argv, grants, actor}) => {
		const task = prompt ?? argv.map(word => quoteWord(word)).join(' ');
		const scopes = grants.map(({scope}) => scopeText(scope));
		const allowed = scopes.length === 0 ? '' : `, with ${scopes.join(', ')}`;
		const whom = agent === 'command' ? 'started' : `asked ${agent}`;
		return {kind: 'run', text: `${whom}: “${shorten(task, 200)}”${allowed}`, by: nameOf(actor)};
	},
	'plan.proposed': ({tasks}) => ({kind: 'run', text: `proposed a plan of ${plural(tasks.length, 'task')}`}),
	'plan.refused': ({because}) => ({kind: 'run', text: `proposed no plan: ${because}`, tone: 'warn'}),
	'plan.edited': ({tasks, actor}) => ({
		kind: 'decision',
		text: `edited the plan: ${plural(tasks.length, 'task')}`,
		by: nameOf(actor),
	}),
	'plan.accepted': ({agent, actor}) => ({
		kind: 'decision',
		text: `accepted the plan, for ${agent}`,
		by: nameOf(actor),
		tone: 'good',
	}),
	'task.started': ({task, run}) => ({kind: 'run', text: `${task} started as ${run}`}),
	'task.merged': ({task}) => ({kind: 'run', text: `${task} is merged`, minor: true}),
	'task.released': ({task, because, actor}) => ({
		kind: 'decision',
		text: `started ${task} without waiting any longer${quoted(because)}`,
		by: nameOf(actor),
	}),
	'task.dropped': ({task, because, actor}) => ({
		kind: 'decision',
		text: `dropped ${task}${quoted(because)}`,
		by: nameOf(actor),
	}),
	'task.held': ({task, because}) => ({
		kind: 'run',
		text: because === null ? `${task} waits for nobody any more` : `${task}: ${because}`,
		tone: because === null ? undefined : 'warn',
		minor: because === null,
	}),
	'run.queued': ({because, stuck}) => ({kind: 'run', text: `queued: ${because}`, tone: stuck ? 'warn' : undefined}),
	'run.released': ({actor}) => ({kind: 'run', text: 'started it without waiting any longer', by: nameOf(actor)}),
	'run.dequeued': ({because}) => ({kind: 'run', text: because, minor: true}),
	'setup.started': ({commands}) => ({kind: 'run', text: `setup: ${commands.join(' && ')}`, minor: true}),
	'setup.finished': ({reused, ms}) => ({
		kind: 'run',
		text: reused ? 'setup was there already' : `setup finished in ${formatDuration(ms)}`,
		minor: true,
	}),
	'run.started': ({attempt}) => ({
		kind: 'run',
		text: attempt > 1 ? `started again, attempt ${attempt}` : 'started',
		minor: attempt === 1,
	}),
	'profile.given': ({digest}) => ({kind: 'run', text: `your profile is ${digest ? 'in' : 'out again'}`, minor: true}),
	'run.exited': exitText,
	'checks.ended': ({because}) => ({kind: 'check', text: `not verified: ${because}`, tone: 'warn'}),
	'run.failed': ({because}) => ({kind: 'run', text: `failed: ${because}`, tone: 'bad'}),
	'run.crashed': ({because}) => ({kind: 'run', text: `crashed: ${because}`, tone: 'bad'}),
	'limit.hit': ({because}) => ({kind: 'run', text: because, tone: 'warn'}),
	'run.frozen': ({because, actor}) => ({...paused('paused', because, actor), tone: 'warn'}),
	'run.thawed': ({because, actor}) => paused('continued', because, actor),
	'scope.granted': ({grant, at, actor}) => {
		const length =
			grant.until === undefined
				? 'until the run ends'
				: `for ${formatDuration(Date.parse(grant.until) - Date.parse(grant.at || at) + 500)}`;
		return {
			kind: 'decision',
			text: `allowed ${scopeText(grant.scope)} ${length}${quoted(grant.because)}`,
			by: nameOf(actor),
		};
	},
	'scope.revoked': ({scope, because, cut, at, actor}, {granted}) => ({
		kind: 'decision',
		text: `revoked ${scopeText(scope)}${lasted(granted[scope], at)}${cutText(cut)}${quoted(because)}`,
		by: nameOf(actor),
	}),
	'scope.expired': ({scope, cut, at, uses}, {granted}) => ({
		kind: 'run',
		text:
			uses === undefined
				? `${scopeText(scope)} expired${lasted(granted[scope], at)}${cutText(cut)}`
				: `${scopeText(scope)} taken back: used ${uses === 1 ? 'once' : `${uses} times`}, as granted`,
	}),
	'scope.used': ({scope, use, of}) => ({kind: 'run', text: `${scopeText(scope)} used, ${use} of ${of}`, minor: true}),
	'egress.denied': ({target, count, kind}) => ({
		kind: 'denial',
		text: deniedText(kind, target),
		tone: 'warn',
		same: `denied ${target}`,
		seen: count,
	}),
	'denial.dismissed': ({target, because, actor}) => ({
		kind: 'decision',
		text: `ignored ${target} from now on${quoted(because)}`,
		by: nameOf(actor),
	}),
	'egress.allowed': ({target, rule}) => ({kind: 'run', text: `connected to ${target}, by ${rule}`, minor: true}),
	'request.refused': ({target, because, count}) => ({
		kind: 'denial',
		text: `request refused: ${target}: ${because}`,
		tone: 'warn',
		same: `refused ${target} ${because}`,
		seen: count,
	}),
	'secret.used': ({scope, target}) => ({
		kind: 'run',
		text: `${scope} used by pointer at ${target}`,
		same: `used ${scope} ${target}`,
	}),
	'ports.listening': ({ports}) => ({
		kind: 'run',
		text: ports.length === 0 ? 'listens on no port' : `listens on ${ports.join(', ')}`,
		minor: true,
		same: 'listening',
	}),
	'port.opened': ({port, address}) => ({kind: 'run', text: `port ${port} opened for your browser, at ${address}`}),
	'port.used': ({port, count}) => ({
		kind: 'run',
		text: `your browser loaded a page from port ${port}`,
		minor: true,
		same: `page ${port}`,
		seen: count,
	}),
	'port.closed': ({port, because}) => ({kind: 'run', text: `port ${port} closed: ${because}`}),
	'mcp.called': entry => ({kind: entry.outcome === 'refused' ? 'denial' : 'run', ...toldCall(entry)}),
	'preview.started': ({command, port}) => ({
		kind: 'run',
		text: `previewed on port ${port}: ${command}`,
	}),
	'preview.finished': ({because}) => ({kind: 'run', text: `preview ended: ${because}`, minor: true}),
	'secret.refused': ({target, because, count}) => ({
		kind: 'denial',
		text: `secret not sent to ${target}: ${because}`,
		tone: 'warn',
		same: `secret ${target} ${because}`,
		seen: count,
	}),
	'alarm.raised': ({target, because, count}) => ({
		kind: 'denial',
		text: `ALARM: ${because}, ${target}`,
		tone: 'bad',
		same: `alarm ${target} ${because}`,
		seen: count,
	}),
	'alarm.acknowledged': ({because, actor}) => ({
		kind: 'decision',
		text: `acknowledged the alarms${quoted(because)}`,
		by: nameOf(actor),
	}),
	'agent.status': ({state, because}) => ({
		kind: 'run',
		text: because === '' ? state : because,
		tone: state === 'waiting' ? 'warn' : undefined,
		minor: state === 'working' || state === 'done',
		same: `status ${state} ${because}`,
	}),
	'agent.conversation': ({conversation}) => ({kind: 'run', text: `conversation ${conversation}`, minor: true}),
	'prompt.sent': ({prompt, onto, retry, actor}) => ({
		kind: 'run',
		minor: retry !== undefined,
		text: onto === undefined ? `asked: “${shorten(prompt, 200)}”` : 'asked to bring it onto the target',
		by: nameOf(actor),
	}),
	'reply.sent': ({actor}) => ({kind: 'decision', text: 'replied in its terminal', by: nameOf(actor)}),
	'usage.counted': (entry, {usage}) => {
		const spend = usage && spentBetween(usage, entry.usage);
		// What was spent before is not known: nothing is told, and not all of it.
		return spend === undefined || spend.requests <= 0
			? {kind: 'spend', text: 'spend counted', minor: true}
			: {kind: 'spend', text: `spent ${spendText(spend)}`, same: 'spend', spend};
	},
	'budget.set': ({budget, because, actor}) => ({
		kind: 'decision',
		text: `${budget ? `set the budget to ${formatBudget(budget)}` : 'removed the budget'}${quoted(because)}`,
		by: nameOf(actor),
	}),
	'suspects.found': ({suspects}) => ({
		kind: 'check',
		text:
			suspects.length === 0
				? 'nothing that looks like a secret'
				: `${plural(suspects.length, 'line')} may hold a secret: ${suspects.map(({file, line}) => `${file}:${line}`).join(', ')}`,
		tone: suspects.length === 0 ? undefined : 'bad',
		minor: suspects.length === 0,
	}),
	'suspects.waived': ({fingerprints, because, actor}) => ({
		kind: 'decision',
		text: `dismissed ${plural(fingerprints.length, 'finding')}${quoted(because)}`,
		by: nameOf(actor),
	}),
	'gate.refused': ({gate, because}) => ({
		kind: 'check',
		text: `${gate} refused: ${because}`,
		tone: 'warn',
		// `approve/NAME` is what an audit asked from inside; what came of it is the audit's own line.
		minor: gate.includes('/'),
	}),
	'run.captured': ({commits, files, wip}) => ({
		kind: 'run',
		text: `snapshot: ${plural(commits, 'commit')}, ${plural(files, 'file')}${wip ? ', with uncommitted work' : ''}`,
		minor: true,
	}),
	'verify.started': ({commands}) => ({kind: 'check', text: `verify: ${commands.join(' && ')}`, minor: true}),
	'verify.finished': verifiedText,
	'train.joined': ({place, of, runs, actor}) => ({
		kind: 'check',
		text: `verified together with ${plural(of - 1, 'other run')}, in place ${place}: ${runs.join(', ')}`,
		by: nameOf(actor),
		minor: true,
	}),
	'train.left': () => ({kind: 'check', text: 'left the train, as it was before', minor: true}),
	'review.approved': ({viewed, because, actor, accepted}) => {
		const files =
			viewed === undefined
				? ''
				: [`, ${viewed.files - viewed.unviewed} of ${plural(viewed.files, 'file')} viewed`, atOnceText(viewed)]
						.filter(text => text !== '')
						.join(', ');
		return {
			kind: 'decision',
			text: `approved it${files}${quoted(because)}`,
			by: accepted?.by.join(', ') ?? nameOf(actor),
			tone: 'good',
		};
	},
	'request.sent': ({remote, actor}) => ({
		kind: 'decision',
		text: `asked others to approve it, at ${remote}`,
		by: nameOf(actor),
	}),
	'statement.signed': ({decision, by, because}) => ({
		kind: 'decision',
		text: `${decisionWords[decision]}${quoted(because)}`,
		by,
		tone: decision === 'reject' || decision === 'break-glass' ? 'warn' : undefined,
	}),
	'review.rejected': ({because, actor}) => ({
		kind: 'decision',
		text: `rejected it${quoted(because)}`,
		by: nameOf(actor),
		tone: 'bad',
	}),
	'merge.started': ({target}) => ({kind: 'decision', text: `merging into ${branchName(target)}`, minor: true}),
	'merge.aborted': ({target, because}) => ({
		kind: 'decision',
		text: `merge into ${branchName(target)} aborted: ${because}`,
		tone: 'warn',
	}),
	'merge.finished': ({target, commit}) => ({
		kind: 'decision',
		text: `merged as ${commit.slice(0, 7)} into ${branchName(target)}`,
		tone: 'good',
	}),
	...publishWords,
	...deployWords,
	'audit.finished': ({items}) => {
		const passed = items.filter(({status}) => status === 'PASS').length;
		return {
			kind: 'check',
			text: `audit: ${passed} of ${items.length} passed`,
			tone: passed === items.length ? 'good' : 'bad',
		};
	},
	'run.discarded': ({because, actor}) => ({
		kind: 'decision',
		text: `discarded it${quoted(because)}`,
		by: nameOf(actor),
	}),
	'run.restored': ({because, actor}) => ({kind: 'decision', text: `restored it${quoted(because)}`, by: nameOf(actor)}),
	'run.retargeted': ({target, because, actor}) => ({
		kind: 'decision',
		text: `set the target to ${branchName(target)}${quoted(because)}`,
		by: nameOf(actor),
	}),
};

/** A journal's event in words. */
export function tell(entry: Entry, earlier: Earlier): Told {
	// Each function takes the entries of the type that it stands under: the record says so, and the lookup forgets it.
	const say = words[entry.type] as (entry: Entry, earlier: Earlier) => Told;
	return say(entry, earlier);
}

/** What is known before a journal's first event. */
export const atBeginning: Earlier = {granted: {}, usage: noUsage};

/** What is known after an event. */
export function after(earlier: Earlier, entry: Entry): Earlier {
	switch (entry.type) {
		case 'run.created': {
			return {...earlier, granted: Object.fromEntries(entry.grants.map(grant => [grant.scope, grant.at]))};
		}

		case 'scope.granted': {
			return {...earlier, granted: {...earlier.granted, [entry.grant.scope]: entry.grant.at}};
		}

		case 'scope.revoked':
		case 'scope.expired': {
			const {[entry.scope]: _, ...granted} = earlier.granted;
			return {...earlier, granted};
		}

		case 'usage.counted': {
			return {...earlier, usage: entry.usage};
		}

		default: {
			return earlier;
		}
	}
}

/** An event in words, with whose doing it was in front. */
export function sentence({by, text}: Pick<Told, 'by' | 'text'>): string {
	return by === undefined ? text : `${by} ${text}`;
}
