import {branchName, fetchedRequests, requestRef} from '../../core/git/refs.ts';
import {isName} from '../../core/names.ts';
import type {Project} from '../../core/project.ts';
import {parseRequestFile, requestFile, type RequestFile} from '../../core/people/request-file.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import {parseDiff, type DiffFile} from '../../core/review/diff.ts';
import {redactText} from '../../core/secrets/redact.ts';
import {besideThat, type Signed, type Subject} from '../../core/statement/accept.ts';
import {parseEnvelopeWord} from '../../core/statement/envelope.ts';
import {parseStatement, type Statement} from '../../core/statement/statement.ts';
import type {Git, ProjectGit} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {diffFlags} from '../handover/diff-flags.ts';
import {chainCommit, mergeTrees} from '../handover/facts.ts';
import {knownValues} from '../grants/secret-values.ts';
import {decidersOf, readStatement, type Deciders} from '../people/statements.ts';
import {openRepository} from '../project/projects.ts';
import {fetchFrom, fetchIfThere, fileOf, refsBelow, type Carrier} from './carry.ts';

/* Whoever is asked: what others want approved, looked at with nothing of theirs believed that is not signed. */

/** A request as it was fetched, and what is true of it. */
export type OthersRequest = {
	readonly run: string;
	/** The commit that it is on. */
	readonly commit: string;
	readonly file: RequestFile;
	readonly statement: Statement;
	readonly signed: Signed;
	readonly subject: Subject;
	readonly deciders: Deciders;
};

/** One that cannot be answered as it is. `by`: who says to ask. */
export type BadRequest = {readonly run: string; readonly by: string; readonly refusal: Refusal};

/** Where a project's requests are looked for. */
export type Place = ProjectGit & {readonly project: Project; readonly checkout: Git; readonly carrier: Carrier};

/** The project's repository, and its remote. */
export async function placeOf(project: Project, carrierFor: (git: Git) => Promise<Carrier>): Promise<Place> {
	const opened = await openRepository(project.root);
	return {...opened, project, carrier: await carrierFor(opened.git)};
}

/** Where the tip of a branch of the remote is kept here. */
const tipRef = (carrier: Carrier, target: string) => `refs/remotes/${carrier.remote}/${branchName(target)}`;

/** Branches that a request may be about: of plain names, so that none is anything else to git. */
const plainBranch = /^refs\/heads\/(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)))[\w][\w./+-]{0,200}$/;

/** What a request's statement says; its signature was not looked at. */
async function claimOf(
	git: Git,
	commit: string,
): Promise<{readonly file: RequestFile; readonly claimed: Statement} | Refusal> {
	const file = parseRequestFile(await fileOf(git, commit, requestFile));
	if (file instanceof Refusal) {
		return file;
	}

	const envelope = parseEnvelopeWord(file.statement);
	const claimed = envelope instanceof Refusal ? envelope : parseStatement(envelope.payload);
	return claimed instanceof Refusal ? claimed : {file, claimed};
}

/**
 * Brings what is asked over a remote, and the branches that it is about, as a fetch of these does. No other branch of the
 * person's comes or goes.
 */
export async function fetchRequests({git, carrier}: Place): Promise<void> {
	const folder = `${fetchedRequests}/${carrier.remote}`;
	await fetchFrom(carrier, [[requestRef('*'), `${folder}/*`]]);
	const targets = new Set<string>();
	for (const commit of (await refsBelow(git, folder)).values()) {
		const claim = await claimOf(git, commit).catch((error: unknown) => error as Error);
		if ('claimed' in claim && plainBranch.test(claim.claimed.target)) {
			targets.add(claim.claimed.target);
		}
	}

	for (const target of targets) {
		await fetchIfThere(carrier, target, tipRef(carrier, target));
	}
}

/** All requests that were fetched from a remote. */
export async function listRequests(place: Place): Promise<Array<OthersRequest | BadRequest>> {
	const folder = `${fetchedRequests}/${place.carrier.remote}`;
	const refs = await refsBelow(place.git, folder);
	return Promise.all(
		[...refs].map(async ([ref, commit]) => {
			const run = ref.slice(folder.length + 1);
			return readRequest(place, run, commit).catch((error: unknown) => {
				if (error instanceof Refusal) {
					return {run, by: '', refusal: error};
				}

				throw error;
			});
		}),
	);
}

/** One of them. @throws Refusal where there is none, or it is not as it says */
export async function findRequest(place: Place, run: string): Promise<OthersRequest> {
	const folder = `${fetchedRequests}/${place.carrier.remote}`;
	const commit = isName(run) ? await place.git.resolve(`${folder}/${run}`) : undefined;
	if (commit === undefined) {
		throw new Refusal(
			`nobody asks for ${JSON.stringify(run.slice(0, 60))} at ${place.carrier.remote}`,
			'fleet requests',
		);
	}

	return readRequest(place, run, commit);
}

/**
 * Looks at a request: the signature of who asks, and whether the commits, the merge of them, the policy and the people are
 * what the statement says. @throws Refusal where not
 */
async function readRequest(place: Place, run: string, commit: string): Promise<OthersRequest> {
	const {git, commonDir, carrier} = place;
	const not = (because: string) => gateRefusal(because, 'whoever asks: fleet request RUN --to REMOTE');
	const {file, claimed} = orThrow(await claimOf(git, commit));
	// Who may decide is read from where the branch is now, at the remote: never from what the request brings along.
	const tip = plainBranch.test(claimed.target)
		? await git.resolve(`${tipRef(carrier, claimed.target)}^{commit}`)
		: undefined;
	if (tip === undefined) {
		throw not(`${carrier.remote} has no branch ${branchName(claimed.target)}`);
	}

	if (claimed.base !== tip) {
		throw not(`stale: ${branchName(claimed.target)} moved since ${claimed.by} asked`);
	}

	const deciders = await decidersOf(git, tip);
	if (!deciders) {
		throw not(`${branchName(claimed.target)} names no people who approve`);
	}

	const signed = await readStatement(file.statement, deciders);
	if (signed instanceof Refusal) {
		throw not(signed.because);
	}

	const {statement} = signed;
	const {base, head, target, verify} = statement;
	if ((await git.resolve(`${head}^{commit}`)) === undefined) {
		throw not('it does not come with what it is about');
	}

	const merged = await mergeTrees({git, commonDir}, base, head);
	if (!('tree' in merged)) {
		throw not('it conflicts with its target');
	}

	const {blob: policyBlob = 'none'} = {blob: await git.resolve(`${base}:.fleet/policy.yaml`)};
	const subject: Subject = {
		run,
		target,
		base,
		head,
		tree: merged.tree,
		policy: policyBlob,
		people: deciders.blob,
		verify,
	};
	const other = besideThat(signed, subject, Date.now());
	if (other !== undefined || statement.decision !== 'request') {
		throw not(`what ${statement.by} signed ${other ?? 'is no request'}`);
	}

	if ((await git.resolve(`${commit}^1`)) !== (await chainCommit(git, {tree: merged.tree, base, head}))) {
		throw not('it does not come with what it is about');
	}

	return {run, commit, file, statement, signed, subject, deciders};
}

/** Characters of a diff that are read at once. */
const maxDiffChars = 64 * 1024 ** 2;

/**
 * What a merge would change, as git shows it, with the values of this person's secrets taken out.
 * @throws Refusal where it is more than can be read at once
 */
export async function requestDiff(
	context: Context,
	{git, project}: Place,
	{request: {subject, run}, stat = false}: {readonly request: OthersRequest; readonly stat?: boolean},
): Promise<string> {
	const {base, tree} = subject;
	const {code, stdout} = await git.run(
		['diff', ...diffFlags, '--full-index', ...(stat ? ['--stat=100', '--summary'] : []), base, tree],
		{limit: maxDiffChars},
	);
	if (code !== 0) {
		throw gateRefusal(`what ${run} changes is more than can be read at once`, `fleet requests show ${run} --stat`);
	}

	return redactText(await knownValues(context, project.id), stdout);
}

/** The files of it; undefined where it is more than can be read at once. */
export async function requestFiles(
	context: Context,
	place: Place,
	request: OthersRequest,
): Promise<readonly DiffFile[] | undefined> {
	return requestDiff(context, place, {request}).then(
		text => parseDiff(text),
		() => undefined,
	);
}
