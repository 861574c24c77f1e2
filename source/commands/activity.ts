import {compose} from '../compose.ts';
import {activityKinds, activityText, hasWords, type Activity} from '../core/run/activity.ts';
import {Refusal} from '../core/refusal.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {localDay, localMinute, parseDuration} from '../core/text/time.ts';
import {ActivityReader, journalSources} from '../engine/activity.ts';
import type {Context} from '../engine/context.ts';
import {findProject} from '../engine/project/projects.ts';
import {findRun} from '../engine/runs.ts';
import {define, json, text} from './verb.ts';

/** Lines that are printed where nobody says how many. */
const usualLimit = 500;

/** A number of lines as it is typed. @throws Refusal */
export function parseLimit(typed: string | undefined, usual: number): number {
	if (typed === undefined) {
		return usual;
	}

	const limit = /^\d{1,6}$/.test(typed) ? Number(typed) : 0;
	if (limit === 0) {
		throw new Refusal(`"${typed.slice(0, 20)}" is not a number of lines`, 'a whole number from 1, such as --limit 100');
	}

	return limit;
}

/** The moment so long ago, milliseconds. @throws Refusal */
export function parseSince(typed: string | undefined, usual: string): number {
	const span = parseDuration(typed ?? usual);
	if (span instanceof Refusal) {
		throw span;
	}

	return Date.now() - span;
}

/** The id of a project as it is typed; undefined where none is. @throws Refusal where there is no such project */
export async function projectId(
	context: Pick<Context, 'paths'>,
	typed: string | undefined,
	folder: string,
): Promise<string | undefined> {
	return typed === undefined ? undefined : (await findProject(context, typed, folder)).id;
}

/** One activity for people: what happened last is at the end, as in a log. */
function printed(lines: readonly Activity[]): string {
	const width = (of: (line: Activity) => string, most: number) =>
		Math.min(most, Math.max(0, ...lines.map(line => of(line).length)));
	const [run, project] = [width(line => line.run, 30), width(line => line.project, 20)];
	let day = '';
	return [...lines]
		.reverse()
		.map(line => {
			const own = localDay(line.at);
			const heading = own === day ? '' : `${own}\n`;
			day = own;
			return `${heading}  ${localMinute(line.at)}  ${line.run.padEnd(run)}  ${line.project.padEnd(project)}  ${escapeLine(activityText(line))}\n`;
		})
		.join('');
}

export const verb = define({
	summary: 'what happened over all runs: decisions, denials, verifications, spend',
	arguments: {},
	options: {
		since: text('TIME', 'how far back, such as 30m, 2h or 7d; by default 1d'),
		run: text('RUN', 'of one run alone'),
		project: text('NAME', 'of the runs of one project'),
		kind: text('KIND', 'of one kind alone', activityKinds),
		search: text('WORDS', 'lines that have all of these words'),
		limit: text('N', `at most so many lines, the newest; by default ${usualLimit}`),
		json,
	},
	brief: ['since', 'run', 'project', 'json'],
	async run(io, _positional, options) {
		const since = parseSince(options.since, '1d');
		const limit = parseLimit(options.limit, usualLimit);
		const kind = options.kind;
		if (kind !== undefined && !(activityKinds as readonly string[]).includes(kind)) {
			throw new Refusal(`there is no kind "${kind.slice(0, 20)}" of activity`, `one of: ${activityKinds.join(', ')}`);
		}

		const context = compose();
		const run = options.run === undefined ? undefined : findRun(context, options.run).id;
		const project = await projectId(context, options.project, io.folder);
		const lines = new ActivityReader(context).read(
			journalSources(context).filter(source => run === undefined || source.run === run),
			{
				since: new Date(since).toISOString(),
				limit,
				fits: (_run, own) => project === undefined || own === project,
				shows: line =>
					(kind === undefined || line.kind === kind) &&
					(options.search === undefined || hasWords(line, options.search)),
			},
		);
		if (options.json) {
			io.json(lines.map(({by, tone, ...line}) => ({...line, by: by ?? null, tone: tone ?? null})));
		} else if (lines.length === 0) {
			io.out('no activity\n');
		} else {
			io.out(printed(lines));
		}
	},
});
