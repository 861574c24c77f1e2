import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {createRun, startSupervisor} from '../engine/create.ts';
import {findProject} from '../engine/projects.ts';
import {rememberCommand} from './preferences.ts';
import {runDocument} from './documents.ts';
import type {Verb} from './verb.ts';

const collect = (value: string, earlier: string[]) => [...earlier, value];

export const verb: Verb = {
	define(command) {
		command.argument('[prompt]', 'what the agent is asked to do')
			.option('--agent <name>', 'the agent; "command" is any program', 'command')
			.option('--project <name>', 'the project; by default the one this folder belongs to')
			.option('--name <name>', 'a name for the run and its branch')
			.option('--base <branch>', 'what to start from, and what to merge into later')
			.option('--allow <scope>', 'a scope to turn on from the start; may be repeated', collect, [])
			.option('--because <text>', 'why the scopes are needed', '')
			.option('--json', 'one JSON document');
	},
	async run(io, [prompt], options) {
		const argv = io.rest ?? [];
		if (prompt === undefined && argv.length === 0) {
			throw new Refusal('nothing to run', 'fleet run -- CMD…, or fleet run "a prompt" -- CMD… {prompt}');
		}

		if (options['allow'].length > 0 && String(options['because']).trim() === '') {
			throw new Refusal('a scope needs a reason', 'say why with --because "…"');
		}

		const context = compose();
		const project = findProject(context, options['project'], io.folder);
		const {id} = await createRun(context, {project, agent: options['agent'], argv, prompt, name: options['name'], base: options['base'], allow: options['allow'], because: options['because']});
		const run = await startSupervisor(context, id);
		await rememberCommand(context.paths.config, argv);
		if (options['json']) {
			io.json(runDocument(run));
		} else {
			io.out(`${id} ${run.stage} on ${run.branch}\n  fleet attach ${id}   fleet logs ${id} --follow   fleet stop ${id}\n`);
		}
	},
};
