import {existsSync, readFileSync} from 'node:fs';
import type {Project} from '../../core/project.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Context} from '../context.ts';

/** All projects, in the order they were added. @throws Refusal where the file cannot be read as such */
export function listProjects({paths}: Pick<Context, 'paths'>): Project[] {
	if (!existsSync(paths.projects)) {
		return [];
	}

	try {
		// By hand and not by a schema: the screen reads the list before its first frame.
		const projects: unknown = JSON.parse(readFileSync(paths.projects, 'utf8'));
		if (
			Array.isArray(projects) &&
			projects.every(project => typeof project?.id === 'string' && typeof project.root === 'string')
		) {
			return projects as Project[];
		}
	} catch {
		// Refused below, as what is JSON and no list of projects is.
	}

	throw new Refusal(`${paths.projects} is not a list of projects`, 'mend or remove it; runs are not affected');
}
