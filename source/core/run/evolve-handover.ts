import {branchName} from '../git/refs.ts';
import {done, type Changes} from './evolve-text.ts';
import {retryText} from './retry.ts';
import type {Entry, EntryOf} from './event.ts';
import {approvedBy, type Run} from './run.ts';
import type {Stage} from './stages.ts';
import {viewedText} from './viewed.ts';
import type {VerifyResult} from './verdict.ts';

/** Statements of one run that are kept: more than people sign. */
const maxStatements = 200;

function capturedText({commits, files, wip}: Extract<Entry, {type: 'run.captured'}>): string {
	if (commits === 0 && files === 0) {
		return 'no changes';
	}

	const work = `${commits} ${commits === 1 ? 'commit' : 'commits'}, ${files} ${files === 1 ? 'file' : 'files'}`;
	return `${work}${wip ? ', uncommitted work kept' : ''}`;
}

function verifiedStage(passed: boolean, result: VerifyResult): Stage {
	if (result === 'passed' && passed) {
		return 'verified';
	}

	return result === 'inconclusive' ? 'inconclusive' : 'verify-failed';
}

/** Where a run stands once it was verified: one whose approval goes on to hold stands where it stood. */
function verifiedChanges(
	run: Run,
	{passed, result = passed ? 'passed' : 'failed', because, keeps}: EntryOf<'verify.finished'>,
): Partial<Run> {
	return keeps && run.approval
		? {stage: 'approved', because: run.train?.because ?? because, phrase: run.train?.phrase}
		: {stage: verifiedStage(passed, result), because};
}

/** What an event of the hand-over changes: from the capture to the merge, and what becomes of the run besides. */
export const handoverChanges = {
	'suspects.found': (run, {suspects, reopened = []}) => ({
		suspects,
		waived: run.waived.filter(fingerprint => !reopened.includes(fingerprint)),
	}),
	'suspects.waived': (run, entry) => ({waived: [...new Set([...run.waived, ...entry.fingerprints])]}),
	'run.captured': (run, entry) => ({
		...(run.stage === 'checking'
			? {}
			: {
					stage: 'captured',
					because: capturedText(entry),
					phrase: entry.commits === 0 && entry.files === 0 ? capturedText(entry) : undefined,
				}),
		captured: {
			head: entry.head,
			base: entry.base ?? run.base,
			commits: entry.commits,
			files: entry.files,
			wip: entry.wip,
			notes: entry.notes,
			commitFlags: entry.commitFlags ?? [],
			packages: entry.packages,
		},
	}),
	'verify.started': (_run, entry) => ({
		conflicts: undefined,
		stage: 'verifying',
		because: entry.commands.join(' && '),
		approval: undefined,
	}),
	'verify.finished': (run, entry) => {
		const {passed, base, head, tree, policy, digest, steps, because, at, goesBack, train, keeps} = entry;
		const result = entry.result ?? (passed ? 'passed' : 'failed');
		return {
			...(goesBack ? {stage: 'checking', because: retryText(goesBack, because)} : verifiedChanges(run, entry)),
			train: undefined,
			retry: goesBack,
			// What a person has verified is no round of the loop that closes by itself.
			rounds:
				entry.actor === 'fleet'
					? [...run.rounds, {attempt: run.attempt, result, because, usage: run.usage}].slice(-20)
					: run.rounds,
			verification: {
				passed: passed && result === 'passed',
				result,
				doubt: entry.doubt,
				base,
				head,
				tree,
				policy,
				digest,
				steps,
				because,
				at,
				train,
			},
			approval:
				keeps && run.approval
					? {...run.approval, carried: {base, head, tree, policy, verify: digest, patch: keeps.patch}}
					: undefined,
		};
	},
	'train.joined': (run, {train, place, of}) => ({
		stage: 'verifying',
		because: `in a train, place ${place} of ${of}`,
		conflicts: undefined,
		train: {...(run.train ?? {stage: run.stage, because: run.because, phrase: run.phrase}), id: train},
	}),
	'train.left': ({train}) =>
		train ? {stage: train.stage, because: train.because, phrase: train.phrase, train: undefined} : {},
	'review.approved': (_run, entry) => {
		const {base, head, tree, policy, verify, actor, because, at, accepted, viewed} = entry;
		const by = approvedBy({accepted, by: actor});
		const said = (reason: string) => [reason, viewedText(viewed)].filter(text => text !== '').join('; ');
		return {
			stage: 'approved',
			because: said(because === '' ? `by ${by}` : because),
			phrase: said(
				accepted ? `approved by ${by}${because === '' ? '' : `: ${because}`}` : done('approved', because, actor),
			),
			approval: {base, head, tree, policy, verify, by: actor, because, at, accepted, viewed},
		};
	},
	'request.sent': (run, {remote}) => ({
		requestedAt: remote,
		because: run.stage === 'verified' ? `asked for approval at ${remote}` : run.because,
	}),
	'statement.signed': (run, {decision, by, word, because, at}) => ({
		statements: [...run.statements, {decision, by, word, because, at}].slice(-maxStatements),
	}),
	'review.rejected': (_run, entry) => ({stage: 'rejected', because: entry.because, approval: undefined}),
	'merge.started': (_run, entry) => {
		const {base, commit, train} = entry;
		return {
			stage: 'merging',
			because: `into ${branchName(entry.target)}`,
			merging: commit === undefined ? undefined : {base, commit, train},
		};
	},
	// What was approved is as it was, if for another tip: the next decision says so.
	'merge.aborted': (_run, entry) => ({stage: 'approved', because: entry.because, merging: undefined}),
	'merge.finished': (_run, entry) => ({
		stage: 'merged',
		because: `${branchName(entry.target)} is ${entry.commit.slice(0, 10)}`,
		phrase: `merged into ${branchName(entry.target)} as ${entry.commit.slice(0, 10)}`,
		merge: {target: entry.target, commit: entry.commit, checkout: entry.checkout, at: entry.at},
		merging: undefined,
	}),
	'preview.started': () => ({}),
	'preview.finished': () => ({}),
	'run.discarded': (_run, entry) => ({
		stage: 'discarded',
		because: entry.because === '' ? 'can be restored' : entry.because,
		approval: undefined,
	}),
	'run.retargeted': (run, entry) => {
		const decided =
			run.stage === 'verified' ||
			run.stage === 'verify-failed' ||
			run.stage === 'inconclusive' ||
			run.stage === 'approved';
		return {
			target: entry.target,
			verification: undefined,
			approval: undefined,
			conflicts: undefined,
			because: `to be merged into ${branchName(entry.target)}`,
			...(decided ? {stage: 'captured'} : {}),
		};
	},
	'run.restored': (run, entry) => {
		const because = done('restored', entry.because, entry.actor);
		return run.merge
			? {stage: 'merged', because}
			: {stage: 'stopped', because, phrase: because, verification: undefined, approval: undefined};
	},
} satisfies Partial<Changes>;
