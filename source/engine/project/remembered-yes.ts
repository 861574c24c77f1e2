import path from 'node:path';
import * as v from 'valibot';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {readOwnFile} from '../own-file.ts';

/* What a person said yes to for a project, by a digest of exactly that: anything else is asked about again. */

/** The lists there are: what each is of, and its file below the configuration. */
const lists = {
	includes: {file: 'trusted-includes.json', what: 'a list of files that runs are given'},
	filters: {file: 'trusted-filters.json', what: 'a list of filters that the files of runs pass'},
} as const;

type List = keyof typeof lists;

function fileOf(context: Pick<Context, 'paths'>, list: List): string {
	return path.join(context.paths.config, lists[list].file);
}

function readList(context: Pick<Context, 'paths'>, list: List): Record<string, string> {
	return (
		readOwnFile({
			file: fileOf(context, list),
			schema: v.record(v.string(), v.string()),
			what: lists[list].what,
			hint: 'mend or remove it; without it each project is asked about again',
		}) ?? {}
	);
}

function writeList(context: Pick<Context, 'paths'>, list: List, all: Record<string, string>): void {
	replaceFile(fileOf(context, list), `${JSON.stringify(all, undefined, '\t')}\n`);
}

/** Whether a person said yes to exactly this. @throws Refusal where the list cannot be read */
export function saidYes(
	context: Pick<Context, 'paths'>,
	list: List,
	{project, digest}: {readonly project: string; readonly digest: string},
): boolean {
	return readList(context, list)[project] === digest;
}

/** Remembers a yes. @throws Refusal where the list cannot be read */
export function rememberYes(
	context: Pick<Context, 'paths'>,
	list: List,
	{project, digest}: {readonly project: string; readonly digest: string},
): void {
	writeList(context, list, {...readList(context, list), [project]: digest});
}

/** Takes back all that was said yes to for a project. */
export function forgetYes(context: Pick<Context, 'paths'>, project: string): void {
	for (const list of Object.keys(lists) as List[]) {
		const all = readList(context, list);
		if (Object.hasOwn(all, project)) {
			const {[project]: _, ...others} = all;
			writeList(context, list, others);
		}
	}
}
