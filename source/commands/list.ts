import process from 'node:process';
import stringWidth from 'string-width';
import {compose} from '../compose.ts';
import {formatChanges} from '../core/run/changes.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {checksOf, type Run} from '../core/run/run.ts';
import {stageName} from '../core/run/stages.ts';
import {formatDuration} from '../core/text/time.ts';
import {formatUsage} from '../core/run/usage.ts';
import {glanceAt, glanceText} from '../core/run/glance.ts';
import {isOutdated, lastMerges} from '../core/run/outdated.ts';
import {readChanges} from '../engine/handover/changes-file.ts';
import {listRuns} from '../engine/runs.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {runDocument, scopesOf} from './documents.ts';
import {fit} from '../tui/paint/fit.ts';
import {define, flag, json} from './verb.ts';

/**
 * What a narrow terminal does without, first to last, and the
 * least that the widest columns get before one is left out.
 */
const spare = ['USED', 'AUDIT', 'CHANGES', 'AGENT'];
const least: Readonly<Record<string, number>> = {SCOPES: 12, REASON: 24};

/**
 * A table's lines, its titles first, each within a terminal's width.
 * @param total undefined where nobody looks: then all is written out
 */
function fitted(rows: ReadonlyArray<readonly string[]>, total = Number.POSITIVE_INFINITY): string[] {
	const titles = rows[0]!;
	const widths = titles.map((_, column) => Math.max(...rows.map(row => stringWidth(row[column]!))));
	const shown = new Set(titles.keys());
	const excess = (sizes: readonly number[]) => [...shown].reduce((sum, column) => sum + sizes[column]! + 2, -2) - total;
	const smallest = widths.map((width, column) => Math.min(width, least[titles[column]!] ?? width));
	for (const title of spare) {
		if (excess(smallest) > 0) {
			shown.delete(titles.indexOf(title));
		}
	}

	// The widest gives way first.
	for (let left = excess(widths); left > 0; left--) {
		const wide = [...shown]
			.filter(column => widths[column]! > Math.min(6, smallest[column]!))
			.sort(
				(one, other) =>
					widths[other]! - smallest[other]! - (widths[one]! - smallest[one]!) || widths[other]! - widths[one]!,
			)[0];
		if (wide === undefined) {
			break;
		}

		widths[wide]!--;
	}

	return rows.map(row =>
		[...shown]
			.map(column => fit(row[column]!, widths[column]!))
			.join('  ')
			.trimEnd(),
	);
}

/** How the last audit went; what changed the work since makes it old. */
function auditText(run: Run): string {
	if (!run.audit) {
		return '-';
	}

	const {passed, total} = checksOf(run);
	return run.audit.stale ? 'old' : `${passed}/${total}`;
}

export const verb = define({
	summary: 'the runs of all projects',
	arguments: {},
	options: {all: flag('discarded runs too'), json},
	brief: ['all', 'json'],
	async run(io, _positional, options) {
		const context = compose();
		const runs = listRuns(context).filter(run => options.all || run.stage !== 'discarded');
		const changes = (run: Run) => readChanges(context.paths.run(run.id));
		if (options.json) {
			io.json(runs.map(run => runDocument(run, changes(run))));
			return;
		}

		if (runs.length === 0) {
			io.out(asTyped('no runs: fleet run -- CMD…\n'));
			return;
		}

		const merges = lastMerges(runs);
		const rows = [
			['PROJECT', 'RUN', 'AGENT', 'STAGE', 'SCOPES', 'AUDIT', 'CHANGES', 'USED', 'AGE', 'REASON'],
			...runs.map(run => {
				return [
					run.project.id,
					run.id,
					run.agent,
					stageName(run.stage),
					scopesOf(run).slice(2).join(' ') || '-',
					auditText(run),
					formatChanges(changes(run)),
					formatUsage(run.usage) || '-',
					formatDuration(Date.now() - Date.parse(run.createdAt)),
					escapeLine(glanceText(glanceAt(run, {changes: changes(run), isOutdated: isOutdated(run, merges)}))),
				];
			}),
		];
		for (const line of fitted(rows, process.stdout.isTTY ? process.stdout.columns : undefined)) {
			io.out(`${line}\n`);
		}
	},
});
