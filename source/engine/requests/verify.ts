import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import {branchName} from '../../core/git/refs.ts';
import {exitCodes, Refusal} from '../../core/refusal.ts';
import type {Subject} from '../../core/statement/accept.ts';
import {Lock} from '../../host/lock.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {runFilePaths, runFiles} from '../../host/run-files.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {checkMerge, type Found} from '../handover/verify.ts';
import {vet} from '../handover/vet.ts';
import {readOwnFile} from '../own-file.ts';
import {readPolicy} from '../project/policy.ts';
import {readSettings} from '../project/settings.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import type {OthersRequest, Place} from './read.ts';

/*
 * What others ask for, verified once more here: the merge that this machine made of it, by the policy of the branch's tip
 * at the remote, in this machine's own sandbox. What whoever asks says of it has no part in that.
 */

const schema = v.strictObject({
	version: v.literal(1),
	base: v.string(),
	head: v.string(),
	tree: v.string(),
	policy: v.string(),
	result: v.picklist(['passed', 'failed', 'inconclusive']),
	because: v.string(),
	/** ISO 8601. */
	at: v.string(),
});

/** What a verification of a request on this machine came to. */
export type VerifiedHere = Pick<v.InferOutput<typeof schema>, 'result' | 'because' | 'at'>;

const requestsFolder = ({paths}: Pick<Context, 'paths'>, {id}: {readonly id: string}): string =>
	path.join(paths.state, 'requests', id);

/** Takes away what is kept of requests that are not there any more. @param runs those that are */
export function forgetOthers(context: Context, place: Place, runs: readonly string[]): void {
	const folder = requestsFolder(context, place.project);
	const keep = new Set(runs.map(run => placesOf(context, place, run).id));
	for (const name of existsSync(folder) ? readdirSync(folder) : []) {
		if (!keep.has(name) && !Lock.isHeld(path.join(folder, name, runFiles.lock.name))) {
			removeFolder(path.join(folder, name));
		}
	}
}

/** Where what is kept of a request lies, in the way of a run's own folder. */
function placesOf({paths}: Context, {project}: Place, run: string) {
	// Another machine's run may have the name of one of this machine's.
	const id = `asked-${createHash('sha256')
		.update(JSON.stringify([project.id, run]))
		.digest('hex')
		.slice(0, 20)}`;
	const folder = path.join(requestsFolder({paths}, project), id);
	return {...paths.run(id), ...runFilePaths(folder), id, folder, found: path.join(folder, 'found.json')};
}

/** What the last verification on this machine came to, of exactly this merge and policy; undefined where there was none. */
export function verifiedHere(context: Context, place: Place, {run, subject}: OthersRequest): VerifiedHere | undefined {
	const file = placesOf(context, place, run).found;
	const found = readOwnFile({
		file,
		schema,
		what: 'what a verification came to',
		hint: `verify it again: fleet requests verify ${run}`,
	});
	return found && isAbout(found, subject) ? found : undefined;
}

const isAbout = (found: v.InferOutput<typeof schema>, {base, head, tree, policy}: Subject): boolean =>
	found.base === base && found.head === head && found.tree === tree && found.policy === policy;

/** It in words, for who decides: `passed: 12 tests`. */
export const verifiedText = ({result, because}: VerifiedHere): string => `${result}: ${because}`;

/**
 * Verifies a request here, and keeps what came of it for whoever then answers.
 * @param options.allowsSecrets whether setup may read with this person's secrets over what another's agent wrote
 * @throws Refusal where there is nothing to verify it with, or its branch holds what is never merged
 */
export async function verifyRequest(
	context: Context,
	place: Place,
	{
		request,
		allowsSecrets,
		onOutput,
	}: {readonly request: OthersRequest; readonly allowsSecrets: boolean; onOutput(text: string): void},
): Promise<VerifiedHere> {
	const {git, commonDir, project} = place;
	const {run, subject} = request;
	const {base, head, tree} = subject;
	const {sandbox} = await chooseSandbox(context).catch((error: unknown) => {
		throw error instanceof Refusal ? new Refusal(error.because, error.hint, exitCodes.inconclusive) : error;
	});
	const {policy, blob} = await readPolicy(git, base);
	const forbidden = await vet({git, commonDir, root: project.root}, {id: run, base}, subject);
	if (forbidden) {
		throw new Refusal(forbidden.because, `fleet requests reject ${run} --because "…"`, forbidden.exitCode);
	}

	const places = placesOf(context, place, run);
	mkdirSync(places.folder, {recursive: true, mode: 0o700});
	const lock = Lock.acquire(places.lock);
	if (!lock) {
		throw new Refusal(`${run} is being verified by another process`, 'try again when it has ended');
	}

	try {
		// What was found before is of before.
		rmSync(places.found, {force: true});
		const {limits: settings} = await readSettings(context.paths);
		const paths = {...context.paths, run: (id: string) => (id === places.id ? places : context.paths.run(id))};
		const found: Found =
			policy.verify.commands.length === 0
				? noCommands(subject)
				: await checkMerge(
						{
							context: {...context, paths},
							run: {
								id: places.id,
								target: subject.target,
								project,
								worktree: places.worktree,
								verbs: {diff: `fleet requests show ${run}`, verify: `fleet requests verify ${run}`},
							},
							git,
							commonDir,
							sandbox,
							policy,
							settings,
							commandTimeoutMs: undefined,
							allowsSecrets,
							folder: places.verifyWork,
							// There is no journal of it here that would say what setup took.
							onLayer() {},
						},
						{base, tree, head},
						onOutput,
					);
		const {result, because} = found.verdict;
		const here = {result, because, at: new Date().toISOString()};
		const kept = {version: 1 as const, base, head, tree, policy: blob, ...here};
		replaceFile(places.found, `${JSON.stringify(kept)}\n`);
		return here;
	} finally {
		lock.release();
	}
}

function noCommands({target}: Subject): Found {
	const because = `the project's policy has no verify commands on ${branchName(target)}`;
	return {checked: [], verdict: {result: 'inconclusive', doubt: 'no-commands', because}};
}
