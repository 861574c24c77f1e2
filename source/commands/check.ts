import {readFileSync} from 'node:fs';
import {agentInstructions} from '../compose.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {summaryText, type Report} from '../core/check/report.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {check, refusalOf} from '../engine/check/check.ts';
import {checkPush, parseUpdates, trustText} from '../engine/check/hook.ts';
import type {Io} from '../terminal/program.ts';
import {define, flag, json, optional, text, texts} from './verb.ts';

/** The document of `--json`: see docs/json.md. */
function documentOf(report: Report) {
	const {from, trusted, refused} = report;
	return {...report, from: from ?? null, trusted: trusted ?? null, refused: refused ?? null};
}

/** Warnings that are said one by one; how many more there are is said, too. */
const mostShown = 20;

function sayWarnings(say: (text: string) => void, {warnings}: Report): void {
	for (const {commit, because} of warnings.slice(0, mostShown)) {
		say(`open: ${commit.slice(0, 12)} ${escapeLine(because)}\n`);
	}

	if (warnings.length > mostShown) {
		say(`open: and ${warnings.length - mostShown} more, which --json has\n`);
	}
}

async function runHook(io: Io, folder: string, branches: readonly string[]): Promise<void> {
	if (io.interactive) {
		throw new Refusal('a hook is told by git what is pushed', 'hooks/pre-receive: exec fleet check --hook');
	}

	const {reports, missing} = await checkPush(folder, parseUpdates(readFileSync(0, 'utf8')), {
		branches,
		instructions: agentInstructions,
	});
	if (missing !== undefined) {
		const name = missing.replace('refs/heads/', '');
		io.err(
			`nothing of this push was checked: HEAD points to ${name}, which is not here; --branch NAME protects others\n`,
		);
	}

	for (const report of reports) {
		const refusal = refusalOf(report);
		if (refusal) {
			throw refusal;
		}

		sayWarnings(io.err, report);
		const trust = trustText(report);
		if (trust !== undefined) {
			io.err(`${trust}\n`);
		}
	}
}

export const verb = define({
	summary: 'prove, offline and from a clone alone, that what is on a branch came there by people',
	arguments: {range: optional('[COMMIT|FROM..TO]', 'what is checked; the branch that is checked out without it')},
	options: {
		repo: text('DIR', 'the repository, bare or not; the folder where it is typed without it'),
		branch: texts('NAME', 'the branch that approvals have to be for; with --hook, one more that is protected'),
		hook: flag('as a pre-receive hook: reads OLD NEW REF from stdin'),
		json,
	},
	brief: ['repo', 'branch', 'hook', 'json'],
	async run(io, {range}, options) {
		const folder = options.repo ?? io.folder;
		if (options.hook) {
			if (range !== undefined || options.json) {
				throw new Refusal('--hook is told by git what to check', 'fleet check --hook');
			}

			await runHook(io, folder, options.branch);
			return;
		}

		if (options.branch.length > 1) {
			throw new Refusal('approvals are for one branch', 'fleet check --branch main');
		}

		const report = await check(folder, {range, branch: options.branch[0], instructions: agentInstructions});
		if (options.json) {
			io.json(documentOf(report));
		} else {
			io.out(`${summaryText(report)}\n`);
			sayWarnings(io.out, report);
		}

		const refusal = refusalOf(report);
		if (refusal && !options.json) {
			throw refusal;
		}

		return refusal?.exitCode ?? exitCodes.ok;
	},
});
