import {agentNames, compose} from '../compose.ts';
import {issuePrompt, parseIssueNumber} from '../core/issue.ts';
import {parseName} from '../core/names.ts';
import type {Project} from '../core/project.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {parseBudget} from '../core/run/usage.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Context} from '../engine/context.ts';
import {completeScope, secretOfScope} from '../engine/grants/scope-secrets.ts';
import {handProfile} from '../engine/profile/hand.ts';
import {fetchIssue} from '../engine/project/issue.ts';
import {findProject} from '../engine/project/projects.ts';
import {startRun} from '../engine/run/create.ts';
import {findRun} from '../engine/runs.ts';
import {filesOf, parseGrantable} from '../scopes/registry.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {askHidden} from '../terminal/ask.ts';
import {filesNotes} from '../terminal/files-notes.ts';
import {noteHidden, readPrompt} from '../terminal/prompt.ts';
import {rememberUse} from '../terminal/recent.ts';
import {sayRun} from './documents.ts';
import {chosenFilters, includedFiles, modelScope, wantsProfile} from './run/questions.ts';
import {choice, define, flag, json, optional, promptFile, reason, text, texts} from './verb.ts';

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
	key: text(
		'FILE',
		"the SSH key to sign the scopes with, where the policy wants that; git's user.signingKey by default",
	),
	json,
};

/** What can never be granted is refused before anything is asked for. */
function checkScopes(context: Context, project: Project, scopes: readonly string[]): void {
	for (const text of scopes) {
		const {scope} = orThrow(parseGrantable(completeScope(context, text, project)));
		secretOfScope(context, scope, project);
	}
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
		checkScopes(context, project, options.allow);
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
			key: options.key,
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
