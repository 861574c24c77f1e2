import {createHash} from 'node:crypto';
import path from 'node:path';
import * as v from 'valibot';
import type {Project} from '../../core/project.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {readOwnFile} from '../own-file.ts';
import type {SecretEntry} from './secrets.ts';

/*
 * Model scopes that a person turned on for a project once and for all. What was remembered
 * is what was seen: when the secret or what it opens changes, it is asked about again.
 */

/** An agent in the runs of one project. */
type ProjectAgent = {readonly project: Pick<Project, 'id'>; readonly agentId: string};

type Remembered = Record<string, Record<string, string>>;

function file(context: Context): string {
	return path.join(context.paths.config, 'remembered-models.json');
}

function read(context: Context): Remembered {
	return (
		readOwnFile({
			file: file(context),
			schema: v.record(v.string(), v.record(v.string(), v.string())),
			what: 'a list of models that are on for projects',
			hint: 'mend or remove it; without it each model is asked about again',
		}) ?? {}
	);
}

function digest(entry: SecretEntry): string {
	return createHash('sha256')
		.update(JSON.stringify([formatReference(entry.reference), entry.project ?? '', entry.binding]))
		.digest('hex');
}

/**
 * Whether the model scope of an agent was turned on for every run of a project, with exactly this secret and binding.
 */
export function isRemembered(context: Context, {project, agentId}: ProjectAgent, entry: SecretEntry): boolean {
	return read(context)[project.id]?.[agentId] === digest(entry);
}

/** Remembers it, or with no entry forgets it. */
export function remember(context: Context, {project, agentId}: ProjectAgent, entry: SecretEntry | undefined): void {
	const all = read(context);
	const {[agentId]: _, ...others} = all[project.id] ?? {};
	replaceFile(
		file(context),
		`${JSON.stringify({...all, [project.id]: entry ? {...others, [agentId]: digest(entry)} : others}, undefined, '\t')}\n`,
	);
}

/** Forgets all that was remembered for a project. */
export function forgetModels(context: Context, project: string): void {
	const all = read(context);
	if (Object.hasOwn(all, project)) {
		const {[project]: _, ...others} = all;
		replaceFile(file(context), `${JSON.stringify(others, undefined, '\t')}\n`);
	}
}
