import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {decidePlanAccept} from '../../core/run/plan-rules.ts';
import type {Run} from '../../core/run/run.ts';
import type {Terms} from '../../core/tasks/plan.ts';
import type {Context} from '../../engine/context.ts';
import {findProject} from '../../engine/project/projects.ts';
import {readSettings} from '../../engine/project/settings.ts';
import {record} from '../../engine/record.ts';
import {findRun, listRuns, withJournal} from '../../engine/runs.ts';
import {noteUnderWay} from '../../engine/tasks/under-way.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';
import {modelScope, wantsProfile} from '../run/questions.ts';
import {carryOn} from './carry-on.ts';
import type {PlanAction, PlanRequest} from './options.ts';
import {findPlan, planDocument, planLines} from './show.ts';

/** With what the runs are to start. What the plan's own run was given of its model, they are given, too. */
async function termsOf(
	context: Context,
	io: Io,
	{run, options}: {readonly run: Run; readonly options: PlanRequest['options']},
): Promise<Terms> {
	const agent = options.agent ?? run.agent;
	const argv = io.rest ?? (agent === run.agent ? run.argv : []);
	if (!context.agents.some(({id}) => id === agent)) {
		const names = context.agents.map(({id}) => id).join(', ');
		throw new Refusal(`there is no agent "${agent.slice(0, 60)}"`, `agents: ${names}`);
	}

	if (agent === 'command' && argv.length === 0) {
		throw new Refusal('say what the agent "command" runs', `fleet plan accept ${run.id} -- CMD…`);
	}

	const project = await findProject(context, run.project.id, run.project.root);
	const models: string[] = [];
	let withoutProfile = false;
	for (const id of new Set([agent, ...run.plan!.tasks.flatMap(task => task.agent ?? [])])) {
		const has = run.grants.some(({scope}) => scope === `model:${id}`) && options.model !== false;
		const asked = {...options, allow: [], include: undefined, filters: undefined};
		const scopes = has ? [`model:${id}`] : await modelScope(context, io, {project, agentId: id, options: asked});
		models.push(...(scopes.length > 0 ? [id] : []));
		withoutProfile ||= !(await wantsProfile(context, io, {agentId: id, options: asked}));
	}

	return {agent, argv: [...argv], models, ...(withoutProfile ? {withoutProfile} : {})};
}

/** What will happen, in the words of the question. */
async function consequence(context: Context, run: Run, {agent, models}: Terms): Promise<string> {
	const {tasks} = run.plan!;
	const first = tasks.filter(({after}) => after.length === 0).length;
	const {limits} = await readSettings(context.paths);
	const rest = tasks.length - first;
	const scopes = models.length === 0 ? 'no scope besides' : `besides: ${models.map(id => `model:${id}`).join(', ')}`;
	return (
		`${tasks.length} ${tasks.length === 1 ? 'run' : 'runs'} of ${agent}: ${first} now` +
		`${rest === 0 ? '' : `, ${rest} as what ${rest === 1 ? 'it waits' : 'they wait'} for is merged`}; ` +
		`${limits.running === undefined ? 'no limit of runs at once' : `at most ${limits.running} at once`}\n` +
		`  repo and build are on; ${scopes}\n`
	);
}

export const accept: PlanAction = async (context, io, {run: typed, options}) => {
	const found = await findPlan(context, typed);
	const refusal = decidePlanAccept(found, context.actor);
	if (refusal) {
		throw refusal;
	}

	const {revision} = found.plan!;
	if (options.revision !== undefined && options.revision !== String(revision)) {
		throw gateRefusal('the plan was changed since it was shown', `fleet plan show ${found.id}`);
	}

	if (!options.yes && !io.interactive) {
		throw new Refusal('a person accepts a plan, and there is nobody to ask', `fleet plan accept ${found.id} --yes`);
	}

	if (!options.yes) {
		io.err(planLines(found, listRuns(context)));
	}

	const terms = await termsOf(context, io, {run: found, options});
	if (!options.yes) {
		io.err(await consequence(context, found, terms));
		const answer = (await ask('start them? [y/N] ', false)).trim().toLowerCase();
		if (!['y', 'yes'].includes(answer)) {
			throw new Refusal('nothing was started', `fleet plan edit ${found.id}`);
		}
	}

	await withJournal(context, found.id, async journal => {
		// What was read and said yes to is what is accepted: another process may have edited it meanwhile.
		if (journal.run.plan!.revision !== revision) {
			throw gateRefusal('the plan was changed meanwhile', `fleet plan show ${found.id}`);
		}

		record(journal, {type: 'plan-accept', terms}, {actor: context.actor});
	});
	noteUnderWay(context);
	await carryOn(context, io, found.id);
	const run = findRun(context, found.id);
	if (options.json) {
		io.json(planDocument(context, run));
	} else {
		io.out(planLines(run, listRuns(context)));
	}
};
