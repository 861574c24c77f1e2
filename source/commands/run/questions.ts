import {commandsOf, lfs, type Filter} from '../../core/git/filters.ts';
import {changesText} from '../../core/profile.ts';
import type {Project} from '../../core/project.ts';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {isRemembered, remember} from '../../engine/grants/remembered.ts';
import {describeGrant, secretOfScope} from '../../engine/grants/scope-secrets.ts';
import {approveProfile, stateOf} from '../../engine/profile/approved.ts';
import {readProfile} from '../../engine/profile/read.ts';
import {areTrusted, findFilters, trustFilters} from '../../engine/project/filters.ts';
import {findIncluded, includePath, isTrusted, trust} from '../../engine/project/include.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';
import {fileLines, leftLines} from '../profile/lines.ts';

/* What a person is asked before a run starts, where the command line does not say it. */

/** What the command line says of it. */
type Asked = {
	readonly model: boolean | undefined;
	readonly rememberModel: boolean;
	readonly allow: readonly string[];
	readonly include: boolean | undefined;
	readonly base: string | undefined;
	readonly profile: boolean | undefined;
	readonly filters: boolean | undefined;
};

/**
 * Whether the agent may talk to its model: as typed, as remembered,
 * or as a person answers now. Shown with what it opens, always.
 */
export async function modelScope(
	context: Context,
	io: Io,
	{project, agentId, options}: {readonly project: Project; readonly agentId: string; readonly options: Asked},
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
export async function includedFiles(
	context: Context,
	io: Io,
	{project, options}: {readonly project: Project; readonly options: Asked},
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
export async function wantsProfile(
	context: Context,
	io: Io,
	{agentId, options}: {readonly agentId: string; readonly options: Asked},
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
export async function chosenFilters(
	context: Context,
	io: Io,
	{project, options}: {readonly project: Project; readonly options: Asked},
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
