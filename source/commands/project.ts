import {escapeLine} from '../core/text/escape-controls.ts';
import {printable} from '../core/names.ts';
import {policyPath} from '../core/policy.ts';
import {Refusal} from '../core/refusal.ts';
import {compose} from '../compose.ts';
import type {Context} from '../engine/context.ts';
import {projectOffer, promptsPath} from '../engine/project/offer.ts';
import {commitVerify} from '../engine/project/policy-file.ts';
import {listProjects} from '../engine/project/list-projects.ts';
import {findProject} from '../engine/project/projects.ts';
import {listPrograms, toolsOf} from '../engine/sandbox/tools.ts';
import {removeProject} from './project/remove.ts';
import {define, flag, json, oneOf, optional, text, texts, type OptionValues} from './verb.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {askHidden} from '../terminal/ask.ts';
import type {Io} from '../terminal/program.ts';
import {add} from './project/add.ts';
import {addOptions} from './project/options.ts';
import {toolLines} from './documents.ts';

const options = {
	project: text('NAME', 'for show, init and remove: the project; by default the one this folder belongs to'),
	...addOptions,
	verify: texts('COMMAND', 'for init: what verifies a result; may be given more than once'),
	discard: flag('for remove: discard runs with unmerged work, too; it is kept as refs of the repository'),
	loseWork: flag('for remove: delete what was kept of runs in the repository, too'),
	json,
};

/** What was typed after the action. */
type ProjectRequest = {readonly place: string | undefined; readonly options: OptionValues<typeof options>};

type ProjectAction = (context: Context, io: Io, request: ProjectRequest) => Promise<void>;

/** What a project offers for a new run, and what its policy says of gates. */
const show: ProjectAction = async (context, io, {place, options}) => {
	const project = await findProject(context, place ?? options.project, io.folder);
	const offer = await projectOffer(project);
	if (options.json) {
		io.json(offer);
		return;
	}

	const lines: Array<readonly [string, string]> = [
		['root', escapeLine(project.root)],
		[
			'branches',
			offer.branches
				.slice(0, 10)
				.map(branch => escapeLine(branch))
				.join(' '),
		],
		[
			'prompts',
			offer.prompts.map(prompt => escapeLine(prompt.name)).join(' ') || `none: ${promptsPath}/NAME.md, committed`,
		],
		['network', offer.network.join(' ') || 'nothing'],
		[
			'deploy',
			Object.entries(offer.deploy)
				.map(([target, {credentials}]) => `${target}${credentials.length === 0 ? '' : ` (${credentials.join(', ')})`}`)
				.join(', ') || 'no target',
		],
	];
	const tools = await toolsOf(context, project.root);
	lines.push(...toolLines(await listPrograms(tools), tools));
	io.out(lines.map(([title, text]) => `${title.padEnd(10)}${text}\n`).join(''));
};

const list: ProjectAction = async (context, io, {options}) => {
	const projects = listProjects(context);
	if (options.json) {
		io.json(projects);
	} else {
		io.out(
			projects.map(project => `${project.id.padEnd(24)} ${escapeLine(project.root)}\n`).join('') ||
				asTyped('no project yet: fleet project add PATH\n'),
		);
	}
};

/** Commits what verifies a project's results. */
const init: ProjectAction = async (context, io, {place, options}) => {
	const project = await findProject(context, place ?? options.project, io.folder);
	const commands = options.verify;
	if (commands.length === 0) {
		const {suggestedVerify} = await projectOffer(project);
		throw new Refusal(
			'say what verifies a result',
			`fleet project init ${project.id} --verify "${suggestedVerify ?? 'npm test'}"`,
		);
	}

	const {branch, commit} = await commitVerify(project, commands);
	if (options.json) {
		io.json(await projectOffer(project));
		return;
	}

	const verifies = commands.map(command => escapeLine(command)).join(' && ');
	io.out(`${policyPath} is committed on ${branch} as ${commit.slice(0, 10)}: ${verifies} verifies what runs hand in\n`);
};

/** Takes a project off the list, with all that is kept of its runs. Its repository stays. */
const remove: ProjectAction = async (context, io, {place, options}) => {
	const project = await findProject(context, place ?? options.project, io.folder);
	await removeProject(context, io, {project, options});
};

const actions: Readonly<Record<string, ProjectAction>> = {add, list, show, init, remove};

export const verb = define({
	summary: 'the repositories whose runs are managed',
	arguments: {
		what: oneOf('ACTION', Object.keys(actions)),
		place: optional('[PATH]', "a folder in a git repository; for show and remove, a project's name"),
	},
	options,
	usage: 'add [PATH] [--yes] | list | show NAME | init NAME --verify CMD | remove NAME',
	async run(io, {what, place}, options) {
		const action = Object.hasOwn(actions, what) ? actions[what] : undefined;
		if (!action) {
			throw new Refusal(
				`fleet project has no action "${printable(what)}": ${Object.keys(actions).join(', ')}`,
				'fleet project --help',
			);
		}

		await action(compose(askHidden(io.interactive)), io, {place, options});
	},
});
