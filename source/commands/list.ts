import process from 'node:process';
import stringWidth from 'string-width';
import {compose} from '../compose.ts';
import {formatChanges} from '../core/changes.ts';
import {neutraliseLine} from '../core/neutralise.ts';
import {checksOf, type Run} from '../core/run.ts';
import {formatDuration} from '../core/time.ts';
import {formatUsage} from '../core/usage.ts';
import {attentionOf} from '../core/attention.ts';
import {readChanges} from '../engine/changes-file.ts';
import {listRuns} from '../engine/runs.ts';
import {runDocument, scopesOf} from './documents.ts';
import {fit} from '../tui/fit.ts';
import type {Verb} from './verb.ts';

/** Widths that fit a terminal, so that a row is a line: the widest column gives way first. @param total undefined where nobody looks: then all is written out */
function narrowed(widths: readonly number[], total: number | undefined): number[] {
	const own = [...widths];
	for (let excess = own.reduce((sum, width) => sum + width + 2, -2) - (total ?? Number.POSITIVE_INFINITY); excess > 0 && Math.max(...own) > 6; excess--) {
		own[own.indexOf(Math.max(...own))]!--;
	}

	return own;
}

export const verb: Verb = {
	define(command) {
		command.option('--all', 'discarded runs too').option('--json', 'one JSON document');
	},
	async run(io, _positional, options) {
		const context = compose();
		const runs = listRuns(context).filter(run => options['all'] || run.stage !== 'discarded');
		const changes = (run: Run) => readChanges(context.paths.run(run.id));
		if (options['json']) {
			io.json(runs.map(run => runDocument(run, changes(run))));
			return;
		}

		if (runs.length === 0) {
			io.out('no runs: fleet run -- CMD…\n');
			return;
		}

		const rows = [['PROJECT', 'RUN', 'AGENT', 'STAGE', 'SCOPES', 'CHECKS', 'CHANGES', 'USED', 'AGE', 'BECAUSE'], ...runs.map(run => {
			const checks = checksOf(run);
			return [run.project.id, run.id, run.agent, run.stage, scopesOf(run).slice(2).join(' ') || '-', `${checks.passed}/${checks.total}`, formatChanges(changes(run)), formatUsage(run.usage) || '-', formatDuration(Date.now() - Date.parse(run.createdAt)), neutraliseLine(attentionOf(run) ?? run.because)];
		})];
		const widths = narrowed(rows[0]!.map((_, column) => Math.max(...rows.map(row => stringWidth(row[column]!)))), process.stdout.isTTY ? process.stdout.columns : undefined);
		for (const row of rows) {
			io.out(`${row.map((cell, column) => fit(cell, widths[column]!)).join('  ').trimEnd()}\n`);
		}
	},
};
