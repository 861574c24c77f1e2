import process from 'node:process';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {readRun} from '../../engine/runs.ts';
import {alone, findSchedule, lastTime, noteLast, type LastTime} from '../../engine/schedule/schedules.ts';
import type {Io} from '../../terminal/program.ts';
import {runVerb} from '../../terminal/run-verb.ts';

/** A name for the run: the schedule's, and when, as the clock on the wall has it. */
function runName(name: string, now: Date): string {
	const two = (number: number) => String(number).padStart(2, '0');
	const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
	return `${name}-${day}-${two(now.getHours())}${two(now.getMinutes())}`;
}

/** What goes on of the run before; undefined where nothing does. */
function overrun(context: Context, {run}: Pick<LastTime, 'run'>): string | undefined {
	const found = run === null ? undefined : readRun(context.paths.run(run));
	return found && hasWorker(found.stage) ? `${found.id} is ${stageName(found.stage)}` : undefined;
}

async function begin(context: Context, name: string): Promise<LastTime> {
	const {argv, env, project} = findSchedule(context, name);
	const at = new Date();
	const before = lastTime(context, name);
	const going = before && overrun(context, before);
	if (going !== undefined) {
		return {at: at.toISOString(), outcome: 'skipped', run: before!.run, because: going};
	}

	// Whatever reads the environment from here on is to find the person's.
	Object.assign(process.env, env);
	const own = argv.indexOf('--');
	const [options, rest] = own === -1 ? [argv, []] : [argv.slice(0, own), argv.slice(own)];
	const {code, stderr, report} = await runVerb(
		['run', '--name', runName(name, at), '--project', project, ...options, ...rest],
		undefined,
		undefined,
	);
	const run = report?.runs?.[0] ?? null;
	const because = report?.refusal?.because ?? stderr.trim().split('\n')[0] ?? '';
	return {at: at.toISOString(), outcome: code === 0 ? 'started' : 'failed', run, because: code === 0 ? '' : because};
}

/** What the line of the crontab calls: starts the run, unless the one before is still going on. */
export async function start(context: Context, io: Io, name: string): Promise<number> {
	const found = await alone(context, name, async () => {
		const came = await begin(context, name);
		noteLast(context, name, came);
		return came;
	});
	if (!found) {
		io.err(`schedule ${name}: skipped: it is just being started\n`);
		return 0;
	}

	// cron mails what is said, where there is mail: what went well needs none.
	const {outcome, because, run} = found;
	if (outcome !== 'started') {
		io.err(`schedule ${name}: ${outcome}: ${escapeLine(because)}\n`);
	} else if (io.interactive) {
		io.out(`started ${run}\n`);
	}

	return outcome === 'failed' ? 1 : 0;
}
