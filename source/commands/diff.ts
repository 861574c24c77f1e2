import process from 'node:process';
import {compose} from '../compose.ts';
import {changeText, flagLines, summaryText} from '../core/packages/summary.ts';
import {binaryText, type BinaryChange} from '../core/review/content.ts';
import {changeLine, type PolicyChange} from '../core/policy-diff.ts';
import {Refusal} from '../core/refusal.ts';
import {parseDiff, visibleText} from '../core/review/diff.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {diff, diffWithBinaries, policyChanges, wholeDiff} from '../engine/handover/diff.ts';
import {readPackages, type Packages} from '../engine/handover/packages-file.ts';
import {findRun} from '../engine/runs.ts';
import {define, flag, required, text as optionText} from './verb.ts';

const colours: Record<string, string> = {'+': '\u001B[32m', '-': '\u001B[31m', '@': '\u001B[36m'};

/** Packages of a file, or flags, that are shown one by one. */
const maxShown = 20;

/** What became of packages, before the diff: `git apply` passes over what stands there. */
function packageText(packages: Packages | undefined): string {
	if (!packages?.summary) {
		return '';
	}

	const lines = [`packages   ${summaryText(packages.summary)}`];
	for (const lock of packages.locks) {
		const plain = lock.packages.filter(({flags}) => flags.length === 0).map(one => changeText(one));
		const flagged = flagLines(lock, false).map(line => `! ${line}`);
		const all = [...flagged.slice(0, maxShown), ...plain.slice(0, maxShown)];
		const left = flagged.length + plain.length - all.length + (lock.more ?? 0);
		lines.push(
			`  ${lock.path}${lock.state === 'changed' ? '' : ` (${lock.state})`}`,
			...all.map(line => `    ${line}`),
			...(left > 0 ? [`    and ${left} more`] : []),
		);
	}

	return `${lines.map(line => escapeLine(line)).join('\n')}\n\n`;
}

/** What a change of the policy opens and closes, before the diff: a line that is left out of it opens without a word. */
function policyText(changes: readonly PolicyChange[] | Refusal): string {
	const lines =
		changes instanceof Refusal ? [`cannot be read: ${changes.because}`] : changes.map(one => changeLine(one));
	return lines.length === 0 ? '' : `${lines.map(line => `policy     ${escapeLine(line)}\n`).join('')}\n`;
}

/** With what git only says of that it is no text: sizes and kinds, in the order of the files. */
function withBinaries(text: string, raw: string, binaries: readonly BinaryChange[]): string {
	const files = binaries.length === 0 ? [] : parseDiff(raw).filter(({binary}) => binary);
	let at = 0;
	// Every line of a hunk has its sign before it.
	return text.replaceAll(/^Binary files .*/gm, line => {
		const {path} = files[at++] ?? {};
		const found = binaries.find(change => change.path === path);
		return found ? `${line} (${binaryText(found)})` : line;
	});
}

export const verb = define({
	summary: 'what the run changed',
	arguments: {run: required('RUN')},
	options: {
		stat: flag('a summary'),
		whole: optionText('PATH', 'one file with every line of it'),
		raw: flag('as git writes it, with every byte; on a terminal, those that paint'),
	},
	brief: ['stat'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		if (options.whole !== undefined) {
			const whole = await wholeDiff(context, run, options.whole);
			io.out(options.raw ? whole : visibleText(whole));
			return;
		}

		const {text: raw, binaries} = options.stat
			? {text: await diff(context, run, true), binaries: []}
			: await diffWithBinaries(context, run);
		if (options.raw) {
			io.report({binaries});
			io.out(raw);
			return;
		}

		const text = withBinaries(visibleText(raw), raw, binaries);
		if (text === '') {
			io.err('fleet: no changes\n');
			return;
		}

		io.out(packageText(readPackages(context.paths.run(run.id))));
		const changes = /^diff --git .*\.fleet\/(?:policy|people)\.yaml/m.test(raw)
			? await policyChanges(context, run)
			: [];
		io.out(policyText(changes));
		io.out(
			process.stdout.isTTY && !process.env['NO_COLOR'] && !options.stat
				? text
						.split('\n')
						.map(line => (colours[line[0] ?? ''] ? `${colours[line[0]!]}${line}\u001B[0m` : line))
						.join('\n')
				: text,
		);
	},
});
