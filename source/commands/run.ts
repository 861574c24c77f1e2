import {agentNames, compose} from '../compose.ts';
import {commandsOf, lfs, type Filter} from '../core/git/filters.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {issuePrompt, parseIssueNumber} from '../core/issue.ts';
import {changesText} from '../core/profile.ts';
import type {Project} from '../core/project.ts';
import {orThrow, personRefusal, Refusal} from '../core/refusal.ts';
import {parseName} from '../core/names.ts';
import {parseBudget} from '../core/run/usage.ts';
import type {Context} from '../engine/context.ts';
import {startRun} from '../engine/run/create.ts';
import {completeScope, describeGrant, secretOfScope} from '../engine/grants/scope-secrets.ts';
import {findIncluded, includePath, isTrusted, trust} from '../engine/project/include.ts';
import {areTrusted, findFilters, trustFilters} from '../engine/project/filters.ts';
import {handProfile} from '../engine/profile/hand.ts';
import {approveProfile, stateOf} from '../engine/profile/approved.ts';
import {readProfile} from '../engine/profile/read.ts';
import {fetchIssue} from '../engine/project/issue.ts';
import {findProject} from '../engine/project/projects.ts';
import {filesOf, parseGrantable} from '../scopes/registry.ts';
import {isRemembered, remember} from '../engine/grants/remembered.ts';
import {findRun} from '../engine/runs.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {ask, askHidden} from '../terminal/ask.ts';
import {sayRun} from './documents.ts';
import {filesNotes} from '../terminal/files-notes.ts';
import {rememberUse} from '../terminal/recent.ts';
import {noteHidden, readPrompt} from '../terminal/prompt.ts';
import {fileLines, leftLines} from './profile/lines.ts';
import {choice, define, flag, json, optional, promptFile, reason, text, texts, type OptionValues} from './verb.ts';
import type {Io} from '../terminal/program.ts';

const options = {
	promptFile,
	issue: text(
		'N',
		"an issue of the project's tracker as the task, read by your gh or glab; it gets no scopes from the start",
	),
	agent: text(
		'NAME',
		`${agentNames.filter(name => name !== 'command').join(', ')}, or command: any program`,
		agentNames,
	),
	interactive: flag("the agent's own screen, for fleet attach, in place of a prompt"),
	model: choice("turn the agent's model scope on for this run, without asking", 'start it without'),
	rememberModel: flag('turn it on for every run of this agent in the project'),
	budget: text('AMOUNT', 'pause the run when it has used this much: 5 or 2.50 (dollars), 200k or 2M (tokens)'),
	project: text('NAME', 'the project; by default the one this folder belongs to'),
	name: text('NAME', 'a name for the run and its branch'),
	path: text('FOLDER', "the folder that the agent works in; the policy's path.only has it see nothing else"),
	base: text('BRANCH', 'what to start from, and what to merge into later'),
	after: text('RUN', 'start after that run has finished'),
	batch: text('NAME', 'a name for runs that are started together, to compare them'),
	include: choice(
		"copy what the project's .worktreeinclude names, without asking; remembered for exactly these files",
		'do not copy it',
	),
	filters: choice(
		'have files pass the filters that your git has for them, in the sandbox; remembered for exactly these commands',
		'have all files as they are stored, those of Git LFS, too',
	),
	profile: choice(
		'copy your own instructions, skills, commands and settings of the agent, without asking; remembered for exactly these',
		'do not copy them (fleet profile)',
	),
	allow: texts('SCOPE', 'a scope to turn on from the start; may be repeated'),
	because: reason('why the scopes are needed'),
	json,
};

type RunOptions = OptionValues<typeof options>;

/**
 * Whether the agent may talk to its model: as typed, as remembered,
 * or as a person answers now. Shown with what it opens, always.
 */
async function modelScope(
	context: Context,
	io: Io,
	{project, agentId, options}: {readonly project: Project; readonly agentId: string; readonly options: RunOptions},
): Promise<string[]> {
	const agent = context.agents.find(agent => agent.id === agentId);
	const scope = `model:${agentId}`;
	if (!agent?.model || (options.model === false && !options.rememberModel) || options.allow.includes(scope)) {
		return [];
	}

	const entry = secretOfScope(context, scope, project)!;
	const remembered = isRemembered(context, {project, agentId}, entry);
	let always = options.rememberModel;
	if (options.model !== true && !always && !remembered) {
		if (!io.interactive) {
			throw personRefusal(
				`${agent.title} needs the scope ${scope}, and there is nobody to ask`,
				'turn it on with --model (for this run) or --remember-model (for the project), or leave it off with --no-model',
			);
		}

		io.err(
			`${agent.title} asks for ${scope}\n  it opens ${escapeLine(describeGrant(entry))}\n` +
				'  what the run can read goes to that model; the credential stays outside\n',
		);
		const answer = (await ask('turn it on? [y: this run, a: always in this project, N] ', false)).trim().toLowerCase();
		if (!['y', 'yes', 'a', 'always'].includes(answer)) {
			throw new Refusal('the agent was not started', 'without its model: --no-model');
		}

		always = answer.startsWith('a');
	}

	if (always) {
		remember(context, {project, agentId}, entry);
	}

	return [scope];
}

/** What is copied into the run besides what git keeps: shown, and asked about once for exactly these files. */
async function includedFiles(
	context: Context,
	io: Io,
	{project, options}: {readonly project: Project; readonly options: RunOptions},
): Promise<readonly string[] | undefined> {
	const included = options.include === false ? undefined : await findIncluded(project, options.base ?? 'HEAD');
	if (!included || isTrusted(context, project, included)) {
		return included?.files;
	}

	if (options.include !== true) {
		if (!io.interactive) {
			throw new Refusal(
				`${includePath} names ${included.files.length} ${included.files.length === 1 ? 'file' : 'files'} ` +
					'that the run would get, and there is nobody to ask',
				'fleet run --include says yes to exactly these files, --no-include leaves them out',
			);
		}

		io.err(
			`${includePath} gives every run of ${project.id}:\n` +
				included.files.map(name => `  ${escapeLine(name)}\n`).join('') +
				'  what a run can read goes to its model, and where its scopes let it\n',
		);
		const answer = (await ask('copy them, now and from now on? [y/N] ', false)).trim().toLowerCase();
		if (!['y', 'yes'].includes(answer)) {
			return undefined;
		}
	}

	trust(context, project, included);
	return included.files;
}

/** Files of a profile that a question names; the rest is counted. */
const mostAsked = 30;

/**
 * Whether the person's own profile of the agent goes in: shown, and asked about once for exactly these files. Where
 * nobody can be asked the run starts without it, which its notes say.
 */
async function wantsProfile(
	context: Context,
	io: Io,
	{agentId, options}: {readonly agentId: string; readonly options: RunOptions},
): Promise<boolean> {
	const agent = context.agents.find(({id}) => id === agentId);
	if (options.profile === false || !agent?.profile) {
		return options.profile !== false;
	}

	if (options.profile === undefined && !io.interactive) {
		return true;
	}

	const profile = await readProfile(context, agent);
	const state = stateOf(context, agent.id, profile);
	if (state.state === 'none' || state.state === 'approved') {
		return true;
	}

	if (options.profile !== true) {
		const changed = state.state === 'changed' ? `, which changed (${changesText(state.changes)})` : '';
		io.err(
			`Your own profile of ${agent.title}${changed}:\n${fileLines(profile!, state, mostAsked)}` +
				`${leftLines(profile!, true)}  what a run can read goes to its model; programs among it run in the sandbox alone\n`,
		);
		const question = 'copy it into runs of this agent, now and from now on? [y/N] ';
		const answer = (await ask(question, false)).trim().toLowerCase();
		if (!['y', 'yes'].includes(answer)) {
			return false;
		}
	}

	approveProfile(context, agent.id, profile!);
	return true;
}

/** A filter as it is shown. */
function describe({name, clean, smudge, process: both}: Filter): string {
	return Object.entries({clean, smudge, process: both})
		.flatMap(([key, command]) => (command === undefined ? [] : [`  ${escapeLine(`${name} ${key}: ${command}`)}\n`]))
		.join('');
}

/** What the files pass: Git LFS without a question, programs of the person's after one yes to exactly these. */
async function chosenFilters(
	context: Context,
	io: Io,
	{project, options}: {readonly project: Project; readonly options: RunOptions},
): Promise<readonly Filter[]> {
	const filters = options.filters === false ? [] : await findFilters(project, options.base ?? 'HEAD');
	if (areTrusted(context, project, filters)) {
		return filters;
	}

	const plain = filters.filter(({name}) => name === lfs);
	if (options.filters !== true) {
		if (!io.interactive) {
			return plain;
		}

		io.err(
			`git stores files of ${project.id} in another form, by these programs:\n` +
				commandsOf(filters)
					.map(filter => describe(filter))
					.join('') +
				'  they would run in the sandbox, without network, over what the agent writes\n',
		);
		const answer = (await ask('have files pass them, now and from now on? [y/N] ', false)).trim().toLowerCase();
		if (!['y', 'yes'].includes(answer)) {
			return plain;
		}
	}

	trustFilters(context, project, filters);
	return filters;
}

export const verb = define({
	summary: 'start an agent in a worktree and a sandbox of its own',
	arguments: {prompt: optional('["PROMPT"]', 'what the agent is asked to do')},
	options,
	usage: '[--agent NAME] ["PROMPT"] [--allow SCOPE]… [--after RUN] [-- CMD…]',
	async run(io, {prompt: typed}, options) {
		const said = readPrompt(typed, options.promptFile);
		const issue = options.issue === undefined ? undefined : orThrow(parseIssueNumber(options.issue));
		if (issue !== undefined && options.allow.length > 0) {
			throw new Refusal(
				'what others wrote gets no scope from the start',
				'leave --allow out; the screen (+) and fleet allow turn one on once you see what it is for',
			);
		}

		const argv = io.rest ?? [];
		const agent = options.agent ?? 'command';
		if (said === undefined && issue === undefined && argv.length === 0 && agent === 'command') {
			throw new Refusal('nothing to run', 'fleet run --agent NAME "a prompt", or fleet run -- CMD…');
		}

		const context = compose(askHidden(io.interactive));
		const budget = options.budget === undefined ? undefined : orThrow(parseBudget(options.budget));
		const project = await findProject(context, options.project, io.folder);
		const prompt = issue === undefined ? said : issuePrompt(await fetchIssue(project, issue), said);
		noteHidden(io, prompt);
		// What can never be granted is refused before anything is asked for.
		for (const text of options.allow) {
			const {scope} = orThrow(parseGrantable(completeScope(context, text, project)));
			secretOfScope(context, scope, project);
		}

		if (options.allow.length > 0 && options.because.trim() === '') {
			throw new Refusal('a scope needs a reason', 'say why with --because "…"');
		}

		const model = await modelScope(context, io, {project, agentId: agent, options});
		const because = options.because.trim() === '' ? "the agent's own model" : options.because;
		const after = options.after === undefined ? undefined : findRun(context, options.after).id;
		const batch = options.batch === undefined ? undefined : orThrow(parseName(options.batch, 'batch'));
		const include = await includedFiles(context, io, {project, options});
		const profile = await wantsProfile(context, io, {agentId: agent, options});
		const filters = await chosenFilters(context, io, {project, options});
		const run = await startRun(context, {
			after,
			batch,
			include,
			profile,
			filters,
			project,
			agent,
			argv,
			prompt,
			name: options.name ?? (issue === undefined ? undefined : `issue-${issue}`),
			base: options.base,
			path: options.path,
			allow: [...options.allow, ...model],
			because,
			interactive: options.interactive,
			budget,
		});
		for (const [index, grant] of run.grants.entries()) {
			const files = filesOf(grant.scope);
			io.err(
				filesNotes(context, files && {...files, scope: grant.scope, identity: ''}, {
					typed: options.allow[index] ?? grant.scope,
					run: run.id,
				}),
			);
		}

		// Of a start with nobody to ask, what is missing is said here, too.
		const isMissed = !io.interactive && run.profile === undefined;
		for (const note of isMissed ? (await handProfile(context, run)).notes : []) {
			io.err(asTyped(`${escapeLine(note)}\n`));
		}

		await rememberUse(context.paths.config, {argv: agent === 'command' ? argv : undefined, prompt});

		io.report({runs: [run.id]});
		const text =
			`${run.id} ${run.stage} on ${run.branch}\n` +
			asTyped(`  fleet attach ${run.id}   fleet logs ${run.id} --follow   fleet stop ${run.id}\n`);
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
