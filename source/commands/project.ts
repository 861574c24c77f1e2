import path from 'node:path';
import {neutraliseLine} from '../core/neutralise.ts';
import {policyPath} from '../core/policy.ts';
import {Refusal} from '../core/refusal.ts';
import {compose} from '../compose.ts';
import {addProject, listProjects, openRepository} from '../engine/projects.ts';
import {readPolicy} from '../engine/policy.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command.argument('<what>', 'add or list').argument('[path]', 'a folder in a git repository').option('--json', 'one JSON document');
	},
	async run(io, [what, place], options) {
		const context = compose();
		if (what === 'list') {
			const projects = listProjects(context);
			if (options['json']) {
				io.json(projects);
			} else {
				io.out(projects.map(project => `${project.id.padEnd(24)} ${neutraliseLine(project.root)}\n`).join('') || 'no project yet: fleet project add PATH\n');
			}

			return;
		}

		if (what !== 'add') {
			throw new Refusal(`"${what}" is not something fleet project does`, 'fleet project add [PATH], or fleet project list');
		}

		const {project, added} = await addProject(context, path.resolve(io.folder, place ?? '.'));
		if (options['json']) {
			io.json(project);
			return;
		}

		io.out(`${added ? 'added' : 'already there:'} ${project.id}, ${neutraliseLine(project.root)}\n`);
		const {checkout} = await openRepository(project.root);
		let read;
		try {
			read = await readPolicy(checkout, 'HEAD');
		} catch (error) {
			if (!(error instanceof Refusal)) {
				throw error;
			}

			io.err(`  note: no run can start before its policy is mended: ${error.because}\n`);
			return;
		}

		const {blob, policy} = read;
		if (blob === 'none' || policy.verify.length === 0) {
			io.out(`  no verify commands yet, so nothing can be merged: commit a ${policyPath} such as\n\n    verify:\n      - npm test\n\n`);
		}
	},
};
