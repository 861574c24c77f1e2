import {escapeControls} from '../../core/text/escape-controls.ts';
import {isPassed} from '../../core/run/verdict.ts';
import type {AskedLimits} from '../../core/limits.ts';
import type {Sandbox} from '../../core/seams.ts';
import type {ProjectCheckout} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {checkMerge, type Found} from '../handover/verify.ts';
import type {Chain, Link} from './chain.ts';

/* Whether a chain passes as a whole, and which of its runs turns it red where it does not. */

/** Characters of it. */
const longestEnd = 8192;

/** Lines of what the last command wrote. */
const endLines = 10;

/** What was found out. `end`: the last lines of what the last command wrote, escaped. */
export type Ended = Found & {readonly end: readonly string[]};

/** What the commands of a chain are run with. */
export type Checker = {
	readonly context: Context;
	readonly project: ProjectCheckout;
	readonly sandbox: Sandbox;
	readonly settings: AskedLimits;
	readonly journals: ReadonlyMap<string, Journal>;
	/** What was found out of a commit of a chain: a chain without one of its runs begins with the same ones. */
	readonly known: Map<string, Ended>;
	readonly signal: AbortSignal | undefined;
	/** Told before each verification: how many runs are in it, of how many. */
	onCheck(runs: readonly string[]): void;
	onOutput(text: string): void;
};

/** What became of a chain. `unclear`: it could not be told. `target`: what fails, fails without any of the runs. */
export type Checked =
	| {readonly kind: 'passed'; readonly found: Ended}
	| {readonly kind: 'red'; readonly link: Link; readonly found: Ended}
	| {readonly kind: 'unclear' | 'target'; readonly found: Ended};

/**
 * Verifies the merge of all runs of a chain, and where that fails looks for the first whose addition makes it fail: by
 * halves, each on a fresh sandbox, as every verification.
 */
export async function checkChain(checker: Checker, chain: Chain): Promise<Checked> {
	const {links} = chain;
	let found = await check(checker, chain, links.length);
	if (found.verdict.result === 'passed') {
		return {kind: 'passed', found};
	}

	// All before `good` passes, all up to `bad` fails: they meet at the one that is looked for.
	let good = 0;
	let bad = links.length;
	while (found.verdict.result === 'failed' && bad - good > 1) {
		const middle = Math.ceil((good + bad) / 2);
		const half = await check(checker, chain, middle);
		if (half.verdict.result === 'passed') {
			good = middle;
		} else {
			bad = middle;
			found = half;
		}
	}

	if (found.verdict.result !== 'failed') {
		return {kind: 'unclear', found};
	}

	// Nobody is to blame for what the target itself does not pass.
	if (bad === 1) {
		const alone = await check(checker, chain, 0);
		if (
			alone.checked.some(one => !isPassed(one)) ||
			alone.verdict.doubt === 'sandbox' ||
			alone.verdict.doubt === 'stopped'
		) {
			return {kind: alone.verdict.result === 'failed' ? 'target' : 'unclear', found: alone};
		}
	}

	return {kind: 'red', link: links[bad - 1]!, found};
}

/** @param count of the chain's runs, from the first */
async function check(checker: Checker, chain: Chain, count: number): Promise<Ended> {
	const {context, project, sandbox, settings, journals, known, signal} = checker;
	const last = chain.links[Math.max(count, 1) - 1]!;
	const commit = count === 0 ? chain.tip : last.commit;
	const before = known.get(commit);
	if (before) {
		return before;
	}

	checker.onCheck(chain.links.slice(0, count).map(({run}) => run.id));
	let written = '';
	const found = await checkMerge(
		{
			context,
			run: last.run,
			git: project.git,
			commonDir: project.commonDir,
			sandbox,
			policy: chain.policy,
			settings,
			commandTimeoutMs: undefined,
			allowsSecrets: false,
			signal,
			folder: context.paths.run(last.run.id).verifyWork,
			onLayer({layer: {key, ms, bytes, files, hosts, notes}, isNew}) {
				journals
					.get(last.run.id)
					?.append(
						{type: 'setup.finished', of: 'verify', layer: key, reused: !isNew, ms, bytes, files, hosts, notes},
						'fleet',
					);
			},
		},
		count === 0 ? {base: chain.tip, tree: ''} : last.facts,
		text => {
			written = (written + text).slice(-longestEnd);
			checker.onOutput(text);
		},
	);
	const lines = escapeControls(written)
		.split('\n')
		.filter(line => line.trim() !== '');
	const from = lines.findLastIndex(line => line === `$ ${found.checked.at(-1)?.command}`) + 1;
	const ended = {...found, end: lines.slice(from).slice(-endLines)};
	known.set(commit, ended);
	return ended;
}
