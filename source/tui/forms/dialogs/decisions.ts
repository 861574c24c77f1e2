import {branchName} from '../../../core/git/refs.ts';
import {policyPath} from '../../../core/names.ts';
import {countViewed, isViewed} from '../../../core/review/comments.ts';
import {summaryLines} from '../../../core/packages/summary.ts';
import type {Run} from '../../../core/run/run.ts';
import {viewedText} from '../../../core/run/statement.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {flagsFor} from '../../review/rows.ts';
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

/** How much of a change was viewed before it is approved: the files that were not, those with a flag by name. */
function viewedLines(state: State, run: Run): string[] {
	const review = state.review?.run === run.id ? state.review : undefined;
	if (!review) {
		return [state.unread?.run === run.id ? `! viewed   not known: ${state.unread.because}` : 'viewed   loading…'];
	}

	const unviewed = review.files.filter(file => !isViewed(review.review, file));
	const flagged = unviewed.filter(file => flagsFor(file, review.facts).length > 0);
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
		const {head, base, tree, policy, digest, because} = run.verification!;
		const {approveWord, approveSigned} = state.offers[run.project.id] ?? {};
		return {
			title: `Approve ${run.id} for ${branchName(run.target)}`,
			runs: [run.id],
			lines: [
				`commit   ${head}`,
				`onto     ${base}`,
				`result   ${tree}`,
				`policy   ${policy || 'none'}`,
				`verified ${digest}`,
				`         ${escapeLine(because)}`,
				...viewedLines(state, run),
				...packageLines(run),
				`audit    ${auditText(run)}`,
				...(approveSigned ? ['signed   with your SSH key, exactly this'] : []),
			],
			fields: [reasonField('optional'), confirmField(approveWord ?? 'yes', 'to approve')],
		};
	},
	load: state => [{type: 'diff', run: selectedRun(state)!.id}],
	submit(state, dialog, values) {
		// What was typed, and not what would have had to be: the policy may have been read since.
		const word = values['confirm'];
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
