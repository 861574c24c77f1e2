import process from 'node:process';
import {compose} from '../compose.ts';
import {changeText, flagLines, summaryText} from '../core/packages/summary.ts';
import {visibleText} from '../core/review/diff.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {diff} from '../engine/handover/diff.ts';
import {readPackages, type Packages} from '../engine/handover/packages-file.ts';
import {findRun} from '../engine/runs.ts';
import {define, flag, required} from './verb.ts';

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

export const verb = define({
	summary: 'what the run changed',
	arguments: {run: required('RUN')},
	options: {stat: flag('a summary'), raw: flag('as git writes it, with every byte; on a terminal, those that paint')},
	brief: ['stat'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const raw = await diff(context, run, options.stat);
		if (options.raw) {
			io.out(raw);
			return;
		}

		const text = visibleText(raw);
		if (text === '') {
			io.err('fleet: no changes\n');
			return;
		}

		io.out(packageText(readPackages(context.paths.run(run.id))));
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
