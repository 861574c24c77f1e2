import {branchName} from '../../../core/git/refs.ts';
import {policyPath} from '../../../core/names.ts';
import {countViewed, isViewed} from '../../../core/review/comments.ts';
import type {DiffFile} from '../../../core/review/diff.ts';
import {formatChanges} from '../../../core/run/changes.ts';
import {formatUsage} from '../../../core/run/usage.ts';
import {isInForce} from '../../../core/scope.ts';
import {formatDuration} from '../../../core/text/time.ts';
import {taskOf} from '../../list.ts';
import {summaryLines} from '../../../core/packages/summary.ts';
import {timeWorked, type Run} from '../../../core/run/run.ts';
import {viewedText} from '../../../core/run/statement.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {flagsFor} from '../../review/order.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {askAgain, confirmField, reasonArguments, reasonField, runsOf, type DialogDefinition} from './dialog.ts';

/* What is decided about a result: what verifies it, that it is good, or not. */

/** Files that are named one by one where not all were viewed. */
const maxFileNames = 3;

/** Findings that are shown before they are dismissed. */
const maxFindings = 8;

function listFiles(files: ReadonlyArray<{readonly path: string}>): string {
	const names = files.slice(0, maxFileNames).map(file => escapeLine(file.path));
	return `${names.join(', ')}${files.length > maxFileNames ? ` and ${files.length - maxFileNames} more` : ''}`;
}

/** Files with a flag that nobody marked as viewed; none while the change is not loaded. */
function flaggedUnviewed(state: State, run: Run): readonly DiffFile[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	return review?.files.filter(file => !isViewed(review.review, file) && flagsFor(file, review.facts).length > 0) ?? [];
}

/** How much it changes. */
function changesText({id, captured}: Run, state: State): string {
	const lines = formatChanges(state.changes[id]);
	const commits = captured ? `${captured.commits} ${captured.commits === 1 ? 'commit' : 'commits'}` : '';
	return [lines || `${captured?.files ?? 0} files`, commits].filter(text => text !== '').join(', ');
}

/** What it was given besides what every run has, and what it asked for in vain. */
function usedText({grants, denials}: Run, now: number): string {
	const scopes = grants.filter(grant => isInForce(grant, now)).map(({scope}) => escapeLine(scope));
	const granted = scopes.length === 0 ? 'no scope besides this project' : scopes.join(', ');
	return `${granted}; ${denials.length === 0 ? 'nothing was blocked' : `${denials.length} blocked`}`;
}

function spentText(run: Run, now: number): string {
	return [run.agent, formatUsage(run.usage), formatDuration(timeWorked(run, now))]
		.filter(text => text !== '')
		.join(' · ');
}

/** How much of a change was viewed before it is approved: the files that were not, those with a flag by name. */
function viewedLines(state: State, run: Run): string[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	if (!review) {
		return [state.unread?.run === run.id ? `! viewed   not known: ${state.unread.because}` : 'viewed   loading…'];
	}

	const unviewed = review.files.filter(file => !isViewed(review.review, file));
	const flagged = flaggedUnviewed(state, run);
	const viewed = viewedText(countViewed(review.review, review.files));
	return [
		unviewed.length > 0 ? `! viewed   ${viewed}: ${listFiles(unviewed)}` : `viewed   ${viewed}`,
		...(flagged.length > 0 ? [`!          flagged: ${listFiles(flagged)} (d diff)`] : []),
		...(run.captured?.commitFlags ?? []).map(flag => `!          ${escapeLine(flag)}`),
	];
}

/** Flags of packages that are shown before an approval. */
const maxPackageFlags = 3;

/** What became of packages, and what of it is to be looked at first. */
function packageLines({captured}: Run): string[] {
	const packages = captured?.packages;
	if (!packages) {
		return [];
	}

	const [text, ...flags] = summaryLines(packages, {max: maxPackageFlags, where: ' (d diff)'});
	return [
		`${packages.flagged > 0 ? '! ' : ''}packages ${text}`,
		...flags.map(flag => `!          ${escapeLine(flag)}`),
	];
}

/** What the last audit found, in one line. */
function auditText({audit}: Run): string {
	if (!audit) {
		return 'not run';
	}

	const items = audit.items.map(item => `${item.id} ${item.status}`).join(' ');
	return `${items}${audit.stale ? ' (outdated)' : ''}`;
}

const approve: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const {head, base, tree, policy, digest, because, at} = run.verification!;
		const {approveWord, approveSigned} = state.offers[run.project.id] ?? {};
		return {
			title: `Approve ${run.id} for ${branchName(run.target)}`,
			runs: [run.id],
			lines: [
				`task     ${escapeLine(taskOf(run))}`,
				`changes  ${changesText(run, state)}`,
				...viewedLines(state, run),
				...packageLines(run),
				`tests    ${escapeLine(because)}, on the merged result, ${formatDuration(state.now - Date.parse(at))} ago`,
				`audit    ${auditText(run)}`,
				`used     ${usedText(run, state.now)}`,
				`spent    ${spentText(run, state.now)}`,
				`merges   ${run.branch} ${head.slice(0, 7)} → ${branchName(run.target)} ${base.slice(0, 7)}  (ctrl-t: whole hashes)`,
				...(approveSigned ? ['signed   with your SSH key, exactly this'] : []),
			],
			details: [
				`commit   ${head}`,
				`onto     ${base}`,
				`result   ${tree}`,
				`policy   ${policy || 'none'}`,
				`verified ${digest}`,
			],
			fields: [
				confirmField(approveWord ?? 'yes', 'to approve'),
				reasonField(flaggedUnviewed(state, run).length > 0 ? 'required: a file with a flag is not viewed' : 'optional'),
			],
		};
	},
	load: state => [{type: 'diff', run: selectedRun(state)!.id}],
	submit(state, dialog, values) {
		// What was typed, and not what would have had to be: the policy may have been read since.
		const word = values['confirm'];
		const [run] = runsOf(state, dialog);
		if (run && !values['reason'] && flaggedUnviewed(state, run).length > 0) {
			return askAgain(state, dialog, {
				field: 'reason',
				because: 'a file with a flag is not viewed: say why, or view it (d)',
			});
		}

		const confirmed = word === undefined || word === 'yes' ? [] : ['--confirm', word];
		const [id = ''] = dialog.runs;
		return runVerb(state, id, {
			argv: ['approve', id, ...reasonArguments(values['reason']), ...confirmed],
			title: 'approve',
		});
	},
};

const reject: DialogDefinition = {
	open(state) {
		const {id} = selectedRun(state)!;
		return {title: `Reject ${id}`, runs: [id], lines: [], fields: [reasonField('what has to change')]};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		return runVerb(state, id, {argv: ['reject', id, ...reasonArguments(values['reason'])], title: 'reject'});
	},
};

/** Dismisses what looks like a secret, and verifies again. */
const waive: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const findings = run.suspects.filter(({fingerprint}) => !run.waived.includes(fingerprint));
		return {
			title: `Not a secret: dismiss ${findings.length === 1 ? 'this finding' : `${findings.length} findings`}`,
			runs: [run.id],
			lines: findings
				.slice(0, maxFindings)
				.map(({file, line, rule, span}) => escapeLine(`${file}:${line} (${rule}) ${span}`)),
			fields: [reasonField('required')],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		return values['reason']
			? runVerb(state, id, {
					argv: ['verify', id, '--waive-secrets', ...reasonArguments(values['reason'])],
					title: 'verify',
				})
			: askAgain(state, dialog, {field: 'reason', because: 'dismissing a finding needs a reason'});
	},
};

/** Asks for a project's verify command, and commits it. */
const init: DialogDefinition = {
	open(state) {
		const {id, project, target} = selectedRun(state)!;
		return {
			title: `${project.id} has no verify command`,
			runs: [id],
			lines: [`${policyPath} is committed to ${branchName(target)}; runs cannot edit it`],
			fields: [
				{
					id: 'command',
					label: 'Command',
					value: state.offers[project.id]!.suggestedVerify ?? '',
					hint: 'runs on the merged result, in a sandbox without network',
				},
			],
		};
	},
	submit(state, dialog, values) {
		if (!values['command']) {
			return askAgain(state, dialog, {field: 'command', because: 'a command is needed'});
		}

		const project = runsOf(state, dialog)[0]!.project.id;
		const argv = ['project', 'init', project, '--verify', values['command']];
		return runVerb(state, dialog.runs[0], {argv, title: 'verify command', then: 'offer'});
	},
};

export const decisionDialogs = {approve, reject, waive, init};
