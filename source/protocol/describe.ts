import {branchName} from '../core/git/refs.ts';
import {viewedText} from '../core/run/statement.ts';
import type {Entry} from '../core/run/event.ts';
import {localStamp} from '../core/text/time.ts';
import {formatBudget, formatUsage} from '../core/run/usage.ts';

/** One journal line in words. Not escaped: whoever shows it does that. */
export function describe(entry: Entry): string {
	switch (entry.type) {
		case 'run.created': {
			return `${entry.id} in ${entry.project.id}: ${entry.argv.join(' ')}`;
		}

		case 'run.started': {
			return `attempt ${entry.attempt}, ${entry.sandbox}, supervisor ${entry.pid}`;
		}

		case 'scope.granted': {
			const until = entry.grant.until ? `until ${localStamp(entry.grant.until)}` : 'until the run ends';
			return `${entry.grant.scope}, ${until}, ${entry.effect}: ${entry.grant.because}`;
		}

		case 'scope.revoked': {
			return `${entry.scope}${entry.because === '' ? '' : `: ${entry.because}`}`;
		}

		case 'scope.expired': {
			return `${entry.scope}, ${entry.cut} ${entry.cut === 1 ? 'connection' : 'connections'} cut`;
		}

		case 'egress.denied': {
			return `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`;
		}

		case 'denial.dismissed': {
			return entry.target;
		}

		case 'egress.allowed': {
			return `${entry.target}, by ${entry.rule}`;
		}

		case 'secret.used': {
			return `${entry.scope}, at ${entry.target}`;
		}

		case 'request.refused':
		case 'secret.refused':
		case 'alarm.raised': {
			return `${entry.target}: ${entry.because}${entry.count > 1 ? `, ${entry.count} times` : ''}`;
		}

		case 'agent.status': {
			return `${entry.state}: ${entry.because}`;
		}

		case 'agent.conversation': {
			return entry.conversation;
		}

		case 'prompt.sent': {
			return entry.prompt;
		}

		case 'usage.counted': {
			const {requests, model} = entry.usage;
			const replies = `${requests} ${requests === 1 ? 'reply' : 'replies'}`;
			return `${formatUsage(entry.usage)}, ${replies}${model === '' ? '' : ` of ${model}`}`;
		}

		case 'budget.set': {
			return `${entry.budget ? formatBudget(entry.budget) : 'none'}${entry.because === '' ? '' : `: ${entry.because}`}`;
		}

		case 'suspects.found': {
			return entry.suspects.length === 0
				? 'none'
				: entry.suspects.map(({rule, file, line, span}) => `${file}:${line} ${rule} ${span}`).join('; ');
		}

		case 'suspects.waived': {
			return `${entry.fingerprints.length}: ${entry.because}`;
		}

		case 'gate.refused': {
			return `${entry.gate}: ${entry.because}`;
		}

		case 'run.captured': {
			const commits = `${entry.commits} ${entry.commits === 1 ? 'commit' : 'commits'}`;
			const files = `${entry.files} ${entry.files === 1 ? 'file' : 'files'}`;
			return `${entry.head.slice(0, 10)}, ${commits}, ${files}${entry.wip ? ', with uncommitted work' : ''}`;
		}

		case 'verify.started': {
			return entry.commands.join(' && ');
		}

		case 'verify.finished': {
			return `${entry.result ?? (entry.passed ? 'passed' : 'failed')}: ${entry.because}`;
		}

		case 'review.approved': {
			const signed = entry.signed ? `, signed by ${entry.signed.signer}` : '';
			const viewed = entry.viewed ? `, ${viewedText(entry.viewed)}` : '';
			const because = entry.because === '' ? '' : `: ${entry.because}`;
			return `${entry.head.slice(0, 10)} onto ${entry.base.slice(0, 10)}${signed}${viewed}${because}`;
		}

		case 'run.retargeted': {
			return `${branchName(entry.target)}${entry.because === '' ? '' : `: ${entry.because}`}`;
		}

		case 'merge.started': {
			return `${entry.head.slice(0, 10)} into ${entry.target}`;
		}

		case 'merge.finished': {
			return `${entry.target} is ${entry.commit.slice(0, 10)}, checkout ${entry.checkout}`;
		}

		case 'deploy.started': {
			const outside = entry.outside === undefined ? '' : `, outside of ${entry.outside}`;
			const because = entry.because ? `: ${entry.because}` : '';
			return `${entry.commit.slice(0, 10)} to ${entry.target}: ${entry.command}${outside}${because}`;
		}

		case 'deploy.finished': {
			return `${entry.target} ${entry.outcome}: ${entry.because}`;
		}

		case 'audit.finished': {
			return entry.items.map(item => `${item.id} ${item.status}`).join(', ');
		}

		default: {
			return entry.because;
		}
	}
}
