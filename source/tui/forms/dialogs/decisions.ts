import {branchName} from '../../../core/git/refs.ts';
import {policyPath} from '../../../core/names.ts';
import {countViewed, isViewed} from '../../../core/review/comments.ts';
import {flaggedUnviewed} from '../../../core/review/unviewed.ts';
import type {DiffFile} from '../../../core/review/diff.ts';
import {formatUsage} from '../../../core/run/usage.ts';
import {isInForce} from '../../../core/scope.ts';
import {formatDuration} from '../../../core/text/time.ts';
import {summaryLines} from '../../../core/packages/summary.ts';
import {timeWorked, type Run, type Verification} from '../../../core/run/run.ts';
import {outdatedBy} from '../../../core/run/outdated.ts';
import {viewedText} from '../../../core/run/viewed.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {flagsFor} from '../../review/order.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb} from '../../step.ts';
import type {DialogLine} from '../../dialog.ts';
import {
	askAgain,
	changesLine,
	confirmField,
	fact,
	flag,
	listNames,
	reasonArguments,
	reasonField,
	runsOf,
	taskLine,
	type DialogDefinition,
} from './dialog.ts';

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
function flaggedOf(state: State, run: Run): readonly DiffFile[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	return review ? flaggedUnviewed(review.review, review.files, file => flagsFor(file, review.facts)) : [];
}

/** Why an approval needs a reason; undefined where it needs none. */
function reasonNeeded(state: State, run: Run): string | undefined {
	if (state.unread?.run === run.id) {
		return 'the change could not be read';
	}

	return flaggedOf(state, run).length > 0 ? 'a file with a flag is not viewed' : undefined;
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
function viewedLines(state: State, run: Run): DialogLine[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	if (!review) {
		return [
			state.unread?.run === run.id
				? fact('Viewed', `! not known: ${state.unread.because}`, 'warn')
				: fact('Viewed', 'loading…'),
		];
	}

	const unviewed = review.files.filter(file => !isViewed(review.review, file));
	const flagged = flaggedOf(state, run);
	const count = countViewed(review.review, review.files);
	const viewed = viewedText(count);
	const isEach = unviewed.length === 0 && count.atOnce === undefined;
	const names = unviewed.length > 0 ? `: ${listFiles(unviewed)}` : '';
	return [
		isEach ? fact('Viewed', viewed) : fact('Viewed', `! ${viewed}${names}`, 'warn'),
		...(flagged.length > 0 ? [flag(`flagged: ${listFiles(flagged)} (d diff)`)] : []),
		...(run.captured?.commitFlags ?? []).map(text => flag(escapeLine(text))),
	];
}

/** Flags of packages that are shown before an approval. */
const maxPackageFlags = 3;

/** What became of packages, and what of it is to be looked at first. */
function packageLines({captured}: Run): DialogLine[] {
	const packages = captured?.packages;
	if (!packages) {
		return [];
	}

	const [text, ...flags] = summaryLines(packages, {max: maxPackageFlags, where: ' (d diff)'});
	return [
		packages.flagged > 0 ? fact('Packages', `! ${text}`, 'warn') : fact('Packages', text),
		...flags.map(own => flag(escapeLine(own))),
	];
}

function testsLine({because, at}: Verification, now: number): DialogLine {
	return {
		label: 'Tests',
		spans: [
			{text: '✓ ', tone: 'good'},
			{text: escapeLine(because)},
			{text: `, on the merged result, ${formatDuration(now - Date.parse(at))} ago`, tone: 'quiet'},
		],
	};
}

/** What the last audit found, in one line. */
function auditLine({audit}: Run): DialogLine {
	if (!audit) {
		return fact('Audit', 'not run');
	}

	const items = audit.items.map(item => `${item.id} ${item.status}`).join(' ');
	const isGood = !audit.stale && audit.items.every(item => item.status === 'PASS');
	return isGood
		? fact('Audit', `${audit.items.length} of ${audit.items.length} passed`)
		: fact('Audit', `! ${items}${audit.stale ? ' (outdated)' : ''}`, 'warn');
}

/** What its merge does to the results that wait beside it. */
function thenLines(run: Run, state: State): DialogLine[] {
	const others = outdatedBy(run, state.runs).map(({id}) => id);
	const which =
		others.length === 1 ? `${others[0]} outdated: it has` : `${listNames(others).join(', ')} outdated: they have`;
	return others.length === 0
		? []
		: [fact('Then', `its merge (m) makes ${which} to be verified (v) and approved again`, 'warn')];
}

const approve: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const {head, base, tree, policy, digest} = run.verification!;
		const {approveWord, approveSigned} = state.offers[run.project.id] ?? {};
		const needed = reasonNeeded(state, run);
		return {
			title: `Approve ${run.id} for ${branchName(run.target)}`,
			runs: [run.id],
			verb: 'approve',
			keys: [{key: 'ctrl-t', title: 'hashes'}],
			lines: [
				taskLine(run),
				changesLine(run, state),
				...viewedLines(state, run),
				...packageLines(run),
				testsLine(run.verification!, state.now),
				auditLine(run),
				fact('Used', usedText(run, state.now)),
				fact('Spent', spentText(run, state.now)),
				fact(
					'Merges',
					`${run.branch} ${head.slice(0, 7)} → ${branchName(run.target)} ${base.slice(0, 7)}  (ctrl-t: whole hashes)`,
				),
				...thenLines(run, state),
				...(approveSigned ? [fact('Signed', 'with your SSH key, exactly this')] : []),
			],
			details: [
				fact('Commit', head),
				fact('Onto', base),
				fact('Result', tree),
				fact('Policy', policy || 'none'),
				fact('Verified', digest),
			],
			fields: [
				confirmField(approveWord ?? 'yes', 'to approve'),
				reasonField(needed === undefined ? 'optional' : `required: ${needed}`),
			],
		};
	},
	load(state) {
		const {id, project} = selectedRun(state)!;
		return [
			{type: 'diff', run: id},
			...(state.offers[project.id] ? [] : [{type: 'offer' as const, project: project.id}]),
		];
	},
	submit(state, dialog, values) {
		// What was typed, and not what would have had to be: the policy may have been read since.
		const word = values['confirm'];
		const [run] = runsOf(state, dialog);
		const needed = run && reasonNeeded(state, run);
		if (needed !== undefined && !values['reason']) {
			return askAgain(state, dialog, {field: 'reason', because: `${needed}: say why; or esc, and d shows it`});
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
		const run = selectedRun(state)!;
		return {
			title: `Reject ${run.id}`,
			runs: [run.id],
			verb: 'reject',
			lines: [
				taskLine(run),
				changesLine(run, state),
				fact('Kept', `${run.branch}, as it is; not merged. r gives the agent another attempt`),
				...(run.approval ? [fact('Void', 'its approval')] : []),
			],
			fields: [reasonField('what has to change')],
		};
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
			verb: 'dismiss',
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
			verb: 'save',
			lines: [`${policyPath} is committed to ${branchName(target)}; runs cannot edit it`],
			fields: [
				{
					id: 'command',
					label: 'Command',
					value: state.offers[project.id]?.suggestedVerify ?? '',
					hint: 'runs on the merged result, in a sandbox without network',
				},
			],
		};
	},
	load(state) {
		// Also where the policy was read before: it may have been changed in a shell since.
		return [{type: 'offer', project: selectedRun(state)!.project.id}];
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
