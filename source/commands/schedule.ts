import {compose} from '../compose.ts';
import {isName, nameFrom, parseName, printable} from '../core/names.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {parseScheduled, type ScheduledRun} from '../core/schedule/arguments.ts';
import {parseCron} from '../core/schedule/cron.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {quoteWord} from '../core/text/shell-words.ts';
import {localStamp} from '../core/text/time.ts';
import type {Context} from '../engine/context.ts';
import {isRemembered} from '../engine/grants/remembered.ts';
import {secretOfScope} from '../engine/grants/scope-secrets.ts';
import {findProject} from '../engine/project/projects.ts';
import {
	entries,
	findSchedule,
	keptEnvironment,
	lastTime,
	listSchedules,
	removeSchedule,
	saveSchedule,
	type Schedule,
} from '../engine/schedule/schedules.ts';
import {checkPrompt} from '../engine/run/check-prompt.ts';
import {findOnPath} from '../host/program.ts';
import {asTyped} from '../terminal/as-typed.ts';
import type {Io} from '../terminal/program.ts';
import {start} from './schedule/start.ts';
import {define, json, optional, required, text} from './verb.ts';

/** An element of `fleet schedule list --json`. */
function scheduleDocument(context: Context, {env: _, ...known}: Schedule, isInCrontab: boolean | null) {
	return {...known, last: lastTime(context, known.name) ?? null, crontab: isInCrontab};
}

/** What a person reads of it: when, what, and what came of it the last time. */
function lineOf(context: Context, {name, cron, project, argv}: Schedule, isInCrontab: boolean | undefined): string {
	const last = lastTime(context, name);
	const came = last
		? `${localStamp(last.at)}: ${last.outcome}${last.run === null ? '' : ` ${last.run}`}${last.because === '' ? '' : `: ${last.because}`}`
		: 'has not started yet';
	const missing = isInCrontab === false ? '\n  it is not in your crontab, so that nothing starts it: make it anew' : '';
	const what = argv.map(word => quoteWord(word)).join(' ');
	return `${name}  ${cron}  ${project}\n  ${escapeLine(what)}\n  ${escapeLine(came)}${missing}\n`;
}

function list(context: Context, io: Io, isJson: boolean): void {
	const all = listSchedules(context);
	const found =
		all.length === 0
			? {}
			: entries(
					context,
					all.map(({name}) => name),
				);
	if (isJson) {
		io.json(all.map(one => scheduleDocument(context, one, found?.[one.name] ?? null)));
		return;
	}

	io.out(
		all.map(one => lineOf(context, one, found?.[one.name])).join('') ||
			asTyped('no schedule yet: fleet schedule "0 3 * * 1-5" -- --agent NAME "what to do"\n'),
	);
}

/** Refuses what could only fail, at night, when nobody looks. */
async function checkRun(context: Context, io: Io, asked: ScheduledRun): Promise<string> {
	const agent = context.agents.find(({id}) => id === asked.agent);
	if (!agent) {
		throw new Refusal(
			`there is no agent "${printable(asked.agent, 60)}"`,
			`agents: ${context.agents.map(({id}) => id).join(', ')}`,
		);
	}

	if (asked.agent === 'command' ? asked.argv.length === 0 : asked.prompt === undefined) {
		throw new Refusal('nothing to run', 'fleet schedule "0 3 * * *" -- --agent NAME "what to do"');
	}

	if (agent.program !== undefined && !findOnPath(agent.program)) {
		throw new Refusal(`${agent.title} is not installed: there is no program "${agent.program}" here`, 'fleet doctor');
	}

	const project = await findProject(context, asked.project, io.folder);
	await checkPrompt(context, asked.prompt, {project});
	await checkPrompt(context, asked.argv.length === 0 ? undefined : asked.argv.join(' '), {
		project,
		what: 'the command line',
	});
	const entry = agent.model && secretOfScope(context, `model:${agent.id}`, project);
	if (entry && asked.model === undefined && !isRemembered(context, {project, agentId: agent.id}, entry)) {
		throw new Refusal(
			`${agent.title} needs the scope model:${agent.id}, and there will be nobody to ask`,
			'turn it on with --model after the --, or leave it off with --no-model',
		);
	}

	return project.id;
}

async function add(
	context: Context,
	io: Io,
	{cron: typed, name: named}: {cron: string; name: string | undefined},
): Promise<Schedule> {
	const cron = orThrow(parseCron(typed));
	const argv = io.rest ?? [];
	const asked = orThrow(parseScheduled(argv));
	const project = await checkRun(context, io, asked);
	const name = named ?? nameFrom(asked.prompt ?? asked.argv[0] ?? '', 'schedule', 24);
	// The run's name has the time behind it.
	if (!isName(name) || name.length > 40) {
		throw orThrow(parseName(name.length > 40 ? `${name}-` : name, 'schedule name'));
	}

	const known = listSchedules(context).find(one => one.name === name);
	if (known && named === undefined) {
		throw new Refusal(`there is a schedule "${name}" already`, 'choose another name with --name; its own changes it');
	}

	const wanted: Schedule = {
		name,
		cron,
		project,
		argv: [...argv],
		env: keptEnvironment(),
		createdAt: new Date().toISOString(),
	};
	saveSchedule(context, wanted);
	return wanted;
}

export const verb = define({
	summary: "start a run by your own crontab, again and again, with every run's scopes and no more",
	arguments: {
		what: required('"CRON"', 'when, as in crontab(5), or an action: list, remove, run'),
		name: optional('[NAME]', 'for remove and run: a schedule'),
	},
	options: {
		name: text('NAME', 'what it is called; one of that name is changed'),
		json,
	},
	usage: '"CRON" [--name NAME] -- RUN-ARGUMENTS… | list | remove NAME | run NAME',
	async run(io, {what, name}, options) {
		const context = compose();
		if (what === 'list') {
			list(context, io, options.json);
			return;
		}

		if (what === 'remove' || what === 'run') {
			if (name === undefined) {
				throw new Refusal('say which schedule', 'fleet schedule list');
			}

			if (what === 'run') {
				return start(context, io, findSchedule(context, name).name);
			}

			removeSchedule(context, name);
			io.out(`removed ${name}; runs that it started stay\n`);
			return;
		}

		if (name !== undefined) {
			throw new Refusal(
				`fleet schedule has no action "${printable(what)}": list, remove, run`,
				'fleet schedule "0 3 * * 1-5" -- --agent NAME "what to do": the time in quotes',
			);
		}

		const made = await add(context, io, {cron: what, name: options.name});
		if (options.json) {
			io.json(scheduleDocument(context, made, true));
			return;
		}

		io.out(`${made.name} starts at "${made.cron}" in ${made.project}, by your crontab\n`);
		io.out(asTyped(`  fleet schedule list   fleet schedule run ${made.name}   fleet schedule remove ${made.name}\n`));
	},
});
