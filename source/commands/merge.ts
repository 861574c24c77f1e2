import {branchName} from '../core/git/refs.ts';
import {Refusal} from '../core/refusal.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {compose} from '../compose.ts';
import {merge} from '../engine/handover/merge.ts';
import {findProject} from '../engine/project/projects.ts';
import {collect, withdraw} from '../engine/requests/send.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {exitCodeOf, mergeAll, type TrainReport} from '../engine/train/merge-all.ts';
import type {Outcome} from '../engine/train/train.ts';
import {goOnUnread, type Io} from '../terminal/program.ts';
import {sayRun} from './documents.ts';
import {toGateLog} from './journal/push.ts';
import {define, flag, json, optional, reason, text, texts} from './verb.ts';

const stateWords: {readonly [State in Outcome['state']]: string} = {
	merged: 'merged',
	approve: 'needs you',
	left: 'left out',
	merge: 'to merge',
	verify: 'needs you',
};

export const verb = define({
	summary: 'make the approved merge real; --all: of every run that is ready, verified together first',
	arguments: {run: optional('[RUN]')},
	options: {
		all: flag('every run that is ready: those of one target are verified together, and merged in one move'),
		project: text('PROJECT', 'with --all: only the runs of that project'),
		without: texts('RUN', 'with --all: leave that run out'),
		dryRun: flag('with --all: only say what would be done'),
		because: reason(),
		key: text('FILE', "the SSH key to sign with, where people are named; git's user.signingKey by default"),
		json,
	},
	usage: 'RUN|--all [--project PROJECT] [--without RUN]… [--dry-run] [--because TEXT] [--key FILE]',
	async run(io, {run: name}, {all, project, without, dryRun, because, key, json}) {
		const context = compose();
		if (all === (name !== undefined)) {
			throw all
				? new Refusal('--all is every run, and one is named', `fleet merge ${name}, or fleet merge --all`)
				: new Refusal('no run is named', 'fleet merge RUN, or fleet merge --all');
		}

		if (name === undefined) {
			const id = project === undefined ? undefined : (await findProject(context, project, io.folder)).id;
			// A move of several runs ends as it began to, whoever reads along.
			goOnUnread();
			const reports = await mergeAll(context, {
				project: id,
				without: without.map(other => findRun(context, other).id),
				because,
				key,
				dryRun,
				onProgress(words) {
					if (!json) {
						io.err(`${escapeLine(words)}\n`);
					}
				},
			});
			const merged = reports.flatMap(report => report.outcomes).filter(outcome => outcome.state === 'merged');
			for (const {run} of dryRun ? [] : merged) {
				await toGateLog(context, io, run);
			}

			say(io, reports, json);
			return exitCodeOf(reports);
		}

		const [extra] = [
			...(project === undefined ? [] : ['--project']),
			...(without.length === 0 ? [] : ['--without']),
			...(dryRun ? ['--dry-run'] : []),
		];
		if (extra !== undefined) {
			throw new Refusal(`${extra} is for --all`, `fleet merge ${name}`);
		}

		const run = findRun(context, name);
		const {commit, checkout} = await withJournal(context, run.id, async journal => {
			// Others were asked over a remote: what they signed by now is what counts, a no after a yes, too.
			const answers =
				journal.run.merge || journal.run.merging ? undefined : await collect(context, journal, io.interactive);
			if (answers?.result instanceof Refusal) {
				throw answers.result;
			}

			return merge(context, journal, {because, key});
		});
		await withdraw(context, run, io.interactive).catch((error: unknown) => {
			io.err(`the request at ${escapeLine(run.requestedAt ?? '')} stays: ${escapeLine((error as Error).message)}\n`);
		});
		await toGateLog(context, io, run.id);
		const target = branchName(run.target);
		const said = `merged into ${target} as ${commit.slice(0, 10)}; local checkout ${checkout}\n`;
		sayRun(io, context, {run: run.id, json, text: said});
	},
});

/** What became of all runs: a table for each target. */
function say(io: Io, reports: readonly TrainReport[], isJson: boolean): void {
	const outcomes = reports.flatMap(report => report.outcomes);
	const count = (state: Outcome['state']) => outcomes.filter(outcome => outcome.state === state).length;
	const stopped = reports.flatMap(report => report.stopped ?? []);
	const [stop] = stopped;
	if (stop) {
		io.report({outcome: {because: escapeLine(stop.because), hint: escapeLine(stop.hint)}});
	} else {
		const words = [
			[count('merged'), 'merged'],
			[count('approve'), 'to approve'],
			[count('left'), 'left out'],
		].flatMap(([number, word]) => (number === 0 ? [] : [`${number} ${word}`]));
		io.report({outcome: {because: words.length === 0 ? 'nothing is ready to be merged' : words.join(', ')}});
	}

	if (isJson) {
		io.json(
			reports.map(({train, project, target, outcomes, stopped}) => ({
				train,
				project,
				target,
				runs: outcomes,
				stopped: stopped ? {because: stopped.because, hint: stopped.hint} : null,
			})),
		);
		return;
	}

	if (reports.length === 0) {
		io.out('nothing is ready to be merged\n');
	}

	for (const {project, target, outcomes, stopped} of reports) {
		io.out(`${escapeLine(project)}, ${escapeLine(branchName(target))}\n`);
		const width = Math.max(0, ...outcomes.map(({run}) => run.length));
		for (const {run, state, because, hint, failed} of outcomes) {
			io.out(`  ${stateWords[state].padEnd(9)}  ${run.padEnd(width)}  ${escapeLine(because)}\n`);
			if (failed) {
				io.out(`${' '.repeat(13 + width)}$ ${escapeLine(failed.command)}\n`);
				for (const line of failed.end) {
					io.out(`${' '.repeat(13 + width)}${escapeLine(line)}\n`);
				}
			}

			if (hint !== undefined) {
				io.out(`${' '.repeat(13 + width)}hint: ${escapeLine(hint)}\n`);
			}
		}

		if (stopped) {
			io.out(`  stopped: ${escapeLine(stopped.because)}\n    hint: ${escapeLine(stopped.hint)}\n`);
		}
	}
}
