import path from 'node:path';
import * as v from 'valibot';
import {changesSince, tokenOf, type ProfileChanges} from '../../core/profile.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {readOwnFile} from '../own-file.ts';
import type {Profile} from './read.ts';

/* Which profile of each agent a person said yes to: all of it, file by file, so that what changed since can be said. */

const schema = v.record(
	v.string(),
	v.object({digest: v.string(), at: v.string(), files: v.record(v.string(), v.string())}),
);

type Approvals = v.InferOutput<typeof schema>;

const fileOf = (context: Pick<Context, 'paths'>) => path.join(context.paths.config, 'approved-profiles.json');

function readApprovals(context: Pick<Context, 'paths'>): Approvals {
	return (
		readOwnFile({
			file: fileOf(context),
			schema,
			what: 'a list of approved profiles',
			hint: 'mend or remove it; without it each profile is asked about again',
		}) ?? {}
	);
}

/** `new`: nobody said yes to any. `changed`: not to what it is now. `none`: there is nothing that could go in. */
export type ProfileState =
	| {readonly state: 'none' | 'new' | 'approved'}
	| {readonly state: 'changed'; readonly changes: ProfileChanges};

/** @throws Refusal where the list of approvals cannot be read */
export function stateOf(context: Pick<Context, 'paths'>, agentId: string, profile: Profile | undefined): ProfileState {
	const all = readApprovals(context);
	const approved = Object.hasOwn(all, agentId) ? all[agentId] : undefined;
	const files = profile?.files ?? [];
	if (files.length === 0) {
		return {state: 'none'};
	}

	if (!approved) {
		return {state: 'new'};
	}

	return approved.digest === profile!.digest
		? {state: 'approved'}
		: {state: 'changed', changes: changesSince(approved.files, files)};
}

/** Remembers a yes to exactly this. @throws Refusal where the list cannot be read */
export function approveProfile(context: Pick<Context, 'paths'>, agentId: string, profile: Profile): void {
	const files = Object.fromEntries(profile.files.map(file => [file.path, tokenOf(file)]));
	const all = {...readApprovals(context), [agentId]: {digest: profile.digest, at: new Date().toISOString(), files}};
	replaceFile(fileOf(context), `${JSON.stringify(all, undefined, '\t')}\n`);
}

/** Takes a yes back. @returns whether there was one */
export function forgetProfile(context: Pick<Context, 'paths'>, agentId: string): boolean {
	const {[agentId]: gone, ...others} = readApprovals(context);
	if (gone) {
		replaceFile(fileOf(context), `${JSON.stringify(others, undefined, '\t')}\n`);
	}

	return gone !== undefined;
}
