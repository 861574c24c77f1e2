import {summaryText} from '../core/packages/summary.ts';
import {forgeText} from '../core/publish/words.ts';
import {placeText} from '../core/publish/place.ts';
import {branchName} from '../core/git/refs.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {viewedText} from '../core/run/viewed.ts';
import type {Entry, EntryOf, RunEvent} from '../core/run/event.ts';
import {callText} from '../core/run/mcp-words.ts';
import {localStamp} from '../core/text/time.ts';
import {formatBudget, formatUsage} from '../core/run/usage.ts';

/** The words of each event. A type that is missing does not compile. */
const words: {readonly [Type in RunEvent['type']]: (entry: EntryOf<Type>) => string} = {
	'run.created': entry => `${entry.id} in ${entry.project.id}: ${entry.argv.join(' ')}`,
	'plan.proposed': entry => `${entry.head.slice(0, 10)}: ${entry.tasks.map(({id}) => id).join(', ')}`,
	'plan.refused': entry => `${entry.head.slice(0, 10)}: ${entry.because}`,
	'plan.edited': entry => entry.tasks.map(({id}) => id).join(', '),
	'plan.accepted': entry => `${entry.agent}${entry.models.map(name => `, model:${name}`).join('')}`,
	'task.started': entry => `${entry.task} as ${entry.run}`,
	'task.merged': entry => entry.task,
	'task.released': entry => `${entry.task}${entry.because === '' ? '' : `: ${entry.because}`}`,
	'task.dropped': entry => `${entry.task}${entry.because === '' ? '' : `: ${entry.because}`}`,
	'task.held': entry => `${entry.task}: ${entry.because ?? 'not any more'}`,
	'run.queued': entry => entry.because,
	'run.dequeued': entry => entry.because,
	'run.released': entry => entry.because,
	'setup.started': entry => entry.commands.join(' && '),
	'setup.finished': entry => {
		const what = `${entry.files} files, ${formatBytes(entry.bytes)}`;
		const hosts = entry.hosts.length === 0 ? '' : `, from ${entry.hosts.join(', ')}`;
		const notes = entry.notes.map(note => `; ${note}`).join('');
		const made = entry.reused ? 'as it was made before' : `made in ${Math.round(entry.ms / 100) / 10} s`;
		return `${entry.layer.slice(0, 10)}, ${made}: ${what}${hosts}${notes}`;
	},
	'run.started': entry => `attempt ${entry.attempt}, ${entry.sandbox}, supervisor ${entry.pid}`,
	'profile.given': entry =>
		entry.digest === null
			? 'none any more'
			: `${entry.digest.slice(0, 10)}, ${entry.files.length} ${entry.files.length === 1 ? 'file' : 'files'}`,
	'run.exited': entry => entry.because,
	'checks.ended': entry => entry.because,
	'run.failed': entry => entry.because,
	'run.crashed': entry => entry.because,
	'limit.hit': entry => entry.because,
	'run.frozen': entry => entry.because,
	'run.thawed': entry => entry.because,
	'scope.granted': entry => {
		const until = entry.grant.until ? `until ${localStamp(entry.grant.until)}` : 'until the run ends';
		return `${entry.grant.scope}, ${until}, ${entry.effect}: ${entry.grant.because}`;
	},
	'scope.revoked': entry => `${entry.scope}${entry.because === '' ? '' : `: ${entry.because}`}`,
	'scope.expired': entry =>
		entry.uses === undefined
			? `${entry.scope}, ${entry.cut} ${entry.cut === 1 ? 'connection' : 'connections'} cut`
			: `${entry.scope}, used ${entry.uses === 1 ? 'once' : `${entry.uses} times`}, as granted`,
	'scope.used': entry => `${entry.scope}, ${entry.use} of ${entry.of}`,
	'egress.denied': entry => `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`,
	'denial.dismissed': entry => entry.target,
	'egress.allowed': entry => `${entry.target}, by ${entry.rule}`,
	'request.refused': entry => `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`,
	'secret.used': entry => `${entry.scope}, at ${entry.target}`,
	'ports.listening': entry => (entry.ports.length === 0 ? 'on no port' : `on ${entry.ports.join(', ')}`),
	'port.opened': entry => `${entry.port}, at ${entry.address}`,
	'port.used': entry => `${entry.port}: a page was loaded${entry.count > 1 ? `, ${entry.count} times` : ''}`,
	'port.closed': entry =>
		`${entry.port}: ${entry.because}, ${entry.cut} ${entry.cut === 1 ? 'connection' : 'connections'} cut`,
	'mcp.called': entry => callText(entry),
	'secret.refused': entry => `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`,
	'alarm.raised': entry => `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`,
	'alarm.acknowledged': entry => entry.because,
	'agent.status': entry => `${entry.state}: ${entry.because}`,
	'agent.conversation': entry => entry.conversation,
	'prompt.sent': entry => entry.prompt,
	'reply.sent': entry => `${entry.characters} ${entry.characters === 1 ? 'character' : 'characters'}`,
	'usage.counted': entry => {
		const {requests, model} = entry.usage;
		const replies = `${requests} ${requests === 1 ? 'reply' : 'replies'}`;
		return `${formatUsage(entry.usage)}, ${replies}${model === '' ? '' : ` of ${model}`}`;
	},
	'budget.set': entry =>
		`${entry.budget ? formatBudget(entry.budget) : 'none'}${entry.because === '' ? '' : `: ${entry.because}`}`,
	'suspects.found': entry =>
		entry.suspects.length === 0
			? 'none'
			: entry.suspects.map(({rule, file, line, span}) => `${file}:${line} ${rule} ${span}`).join('; '),
	'suspects.waived': entry => `${entry.fingerprints.length}: ${entry.because}`,
	'gate.refused': entry => `${entry.gate}: ${entry.because}`,
	'run.captured': entry => {
		const commits = `${entry.commits} ${entry.commits === 1 ? 'commit' : 'commits'}`;
		const files = `${entry.files} ${entry.files === 1 ? 'file' : 'files'}`;
		const packages = entry.packages ? `; packages: ${summaryText(entry.packages)}` : '';
		return `${entry.head.slice(0, 10)}, ${commits}, ${files}${entry.wip ? ', with uncommitted work' : ''}${packages}`;
	},
	'verify.started': entry => entry.commands.join(' && '),
	'verify.finished': entry => `${entry.result ?? (entry.passed ? 'passed' : 'failed')}: ${entry.because}`,
	'train.joined': ({place, of, runs}) => `place ${place} of ${of}: ${runs.join(', ')}`,
	'train.left': () => '',
	'review.approved': entry => {
		const signed = entry.accepted ? `, signed by ${entry.accepted.by.join(', ')}` : '';
		const viewed = entry.viewed ? `, ${viewedText(entry.viewed)}` : '';
		const because = entry.because === '' ? '' : `: ${entry.because}`;
		return `${entry.head.slice(0, 10)} onto ${entry.base.slice(0, 10)}${signed}${viewed}${because}`;
	},
	'request.sent': ({remote}) => remote,
	'statement.signed': ({decision, by, because}) => `${by}: ${decision}${because === '' ? '' : `: ${because}`}`,
	'review.rejected': entry => entry.because,
	'merge.started': entry => `${entry.head.slice(0, 10)} into ${entry.target}`,
	'merge.aborted': entry => `${entry.target}: ${entry.because}`,
	'merge.finished': entry => `${entry.target} is ${entry.commit.slice(0, 10)}, checkout ${entry.checkout}`,
	'publish.started': entry =>
		`${entry.head.slice(0, 10)} to ${entry.remote}, ${placeText(entry.place)}, by ${entry.via}`,
	'publish.failed': entry => entry.because,
	'publish.finished': entry => `${entry.head.slice(0, 10)}, ${entry.url}`,
	'publish.state': entry => forgeText(entry),
	'publish.told': entry => `${entry.ids.length}: ${entry.ids.join(', ')}`,
	'preview.started': entry => `${entry.commit.slice(0, 10)}, port ${entry.port}: ${entry.command}`,
	'preview.finished': entry => entry.because,
	'deploy.requested': ({target, commit, missing, wants, because}) => {
		const waits = [...missing, ...(wants ? [`a yes of ${wants.people} of ${wants.of.join(', ')}`] : [])].join(', ');
		return `${commit.slice(0, 10)} to ${target}, waits for ${waits}${because === '' ? '' : `: ${because}`}`;
	},
	'deploy.approved': ({target, commit, approver, until, because}) =>
		`${commit.slice(0, 10)} to ${target}, signed by ${approver}, until ${until}${because === '' ? '' : `: ${because}`}`,
	'deploy.rejected': ({target, commit, approver, because}) =>
		`${commit.slice(0, 10)} to ${target}, signed by ${approver}: ${because}`,
	'deploy.started': entry => {
		const outside = entry.outside === undefined ? '' : `, outside of ${entry.outside}`;
		const because = entry.because ? `: ${entry.because}` : '';
		const back = entry.rollbackOf === undefined ? '' : `, in place of ${entry.rollbackOf.slice(0, 10)}`;
		return `${entry.commit.slice(0, 10)} to ${entry.target}${back}: ${entry.command}${outside}${because}`;
	},
	'deploy.finished': entry => `${entry.target} ${entry.outcome}: ${entry.because}`,
	'audit.finished': entry => entry.items.map(item => `${item.id} ${item.status}`).join(', '),
	'run.discarded': entry => entry.because,
	'run.restored': entry => entry.because,
	'run.retargeted': entry => `${branchName(entry.target)}${entry.because === '' ? '' : `: ${entry.because}`}`,
};

/** One journal line in words. Not escaped: whoever shows it does that. */
export function describe(entry: Entry): string {
	// Each function takes the entries of the type that it stands under: the record says so, and the lookup forgets it.
	const say = words[entry.type] as (entry: Entry) => string;
	return say(entry);
}
