import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {columnLines} from '../core/text/columns.ts';
import {reportMarkdown, reportTitle, sectionsOf} from '../core/report/sections.ts';
import {readReport} from '../engine/report.ts';
import {printTable} from '../terminal/report.ts';
import {parseSince, projectId} from './activity.ts';
import {define, flag, json, text} from './verb.ts';

/** Characters of a column where the table is for what reads a pipe. */
const widest = 40;

export const verb = define({
	summary: 'who granted, approved, merged and deployed what, what of it was used, and what was denied',
	arguments: {},
	options: {
		since: text('TIME', 'how far back, such as 7d; by default 30d'),
		project: text('NAME', 'of the runs of one project'),
		markdown: flag('tables of Markdown'),
		json,
	},
	brief: ['since', 'project', 'markdown', 'json'],
	async run(io, _positional, options) {
		if (options.markdown && options.json) {
			throw new Refusal('--markdown and --json do not go together', 'fleet report --markdown');
		}

		const since = parseSince(options.since, '30d');
		const context = compose();
		const project = await projectId(context, options.project, io.folder);
		const report = readReport(context, {since, now: Date.now(), project});
		if (options.json) {
			io.json(report);
			return;
		}

		if (options.markdown) {
			io.out(reportMarkdown(report));
			return;
		}

		io.out(`${reportTitle(report)}\n`);
		for (const {title, columns, rows, none} of sectionsOf(report)) {
			io.out(`\n${title}${rows.length === 0 ? `: ${none}` : ''}\n`);
			if (rows.length === 0) {
				continue;
			}

			const isTable = await printTable(io, {
				columns: columns.map(name => ({title: name, least: 9})),
				rows: rows.map(row => row.map(cell => ({text: cell}))),
			});
			if (!isTable) {
				io.out(columnLines([columns, ...rows], widest));
			}
		}
	},
});
