import {actorName} from '../../core/actor.ts';
import {spawnSync} from 'node:child_process';
import {accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {branchName} from '../../core/git/refs.ts';
import {
	messageText,
	oneLine,
	plainDate,
	plainWords,
	signedTrailer,
	withTrailers,
} from '../../core/git/commit-message.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Policy} from '../../core/policy.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {logTrailer, witnessText} from '../../core/record/gate-lines.ts';
import {isYes, type Accepted} from '../../core/statement/accept.ts';
import {isAbout} from '../../core/statement/envelope.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {signingEnvironment, signingHint, signsCommits} from '../../host/signing.ts';
import type {Context} from '../context.ts';
import {acceptRun} from '../people/statements.ts';
import {mergeTrees} from './facts.ts';
import {coAuthor, personOf} from './identity.ts';
import {signMerge, type Merger} from './sign-merge.ts';
import {rootOf} from '../project/projects.ts';

/*
 * The commits that a merge makes, as the project's policy wants them: how many, by
 * whom, with what words, signed or not. The tree at their end is the verified one.
 */

/** A hook's time, milliseconds. */
const hookTime = 60_000;

/** What is merged, and how. */
type Order = {
	readonly git: Git;
	readonly facts: Facts;
	readonly policy: Policy['merge'];
	/** The person's reason for the merge. */ readonly because: string;
	/** The SSH key that they sign it with; git's `user.signingKey` by default. */ readonly key?: string | undefined;
};

/** How a merge is made, once what git says has been asked. */
type Way = {
	readonly git: Git;
	/** The project's checkout. */ readonly root: string;
	readonly sign: boolean;
	readonly policy: Policy['merge'];
	readonly env: Readonly<Record<string, string>>;
};

/**
 * Writes the commit that the target is moved to. Nothing is moved.
 * @returns its name; its tree is `facts.tree`
 * @throws Refusal where it cannot be made as the policy, or the
 * person's git, wants it: never unsigned where a signature is wanted
 */
export async function makeMergeCommit(context: Context, journal: Journal, order: Order): Promise<string> {
	const {git, facts, policy, because} = order;
	const {run} = journal;
	const person = await personOf(git);
	if (!person) {
		throw gateRefusal(
			'git does not know who you are, so there is nobody to write the merge',
			'git config --global user.name "Your Name", and user.email',
		);
	}

	const {approval} = run;
	// Who approved is what their signatures say, never what a journal does.
	const accepted = orThrow(
		await acceptRun(context, run, {git, at: facts.base, facts: approval!, verify: approval!.verify}),
	);
	const merger = accepted && (await signMerge(context, journal, {...order, requester: accepted.requester}));
	const sign = policy.sign ?? (await signsCommits(git));
	const way: Way = {
		git,
		root: rootOf(context, run),
		sign,
		policy,
		env: sign ? signingEnvironment() : {},
	};
	const kind = policy.how ?? 'merge';
	const trailers: Array<readonly [string, string]> = [
		...(policy.author === 'agent' ? [] : [['Co-authored-by', coAuthor(context, run)] as const]),
		...trailersOf(run, context, {because, accepted, merger}),
		// What was signed just now, too: the merge witnesses the journal as it is.
		[logTrailer, witnessText(journal.last)],
	];
	if (kind === 'rebase') {
		return rebase(run, way, {facts, trailers});
	}

	const subjects = (await git.raw('log', '--reverse', '--format=%s', `${facts.base}..${facts.head}`))
		.split('\n')
		.filter(line => line !== '')
		.map(line => oneLine(line, 100));
	const task = run.task ?? run.prompt ?? '';
	const text = messageText(kind, policy.message, {
		run: run.id,
		title: oneLine(task.split('\n', 1)[0] ?? '', 72).trim() || `Work of run ${run.id}`,
		prompt: task,
		agent: run.agent,
		target: branchName(run.target),
		branch: run.branch,
		commits: subjects.slice(0, 100).join('\n'),
	});
	return write(way, {
		tree: facts.tree,
		parents: kind === 'squash' ? [facts.base] : [facts.base, facts.head],
		text: withTrailers(text, trailers),
		env: policy.author === 'agent' ? agentAsAuthor() : {},
	});
}

function agentAsAuthor(): Record<string, string> {
	return {GIT_AUTHOR_NAME: 'fleet agent', GIT_AUTHOR_EMAIL: 'agent@fleet.invalid'};
}

/**
 * The run's commits one after another on the target's tip. What comes out must be what was verified, else nothing does.
 */
async function rebase(
	run: Run,
	way: Way,
	{facts, trailers}: {readonly facts: Facts; readonly trailers: ReadonlyArray<readonly [string, string]>},
): Promise<string> {
	const {git} = way;
	const name = branchName(run.target);
	const lines = (await git.raw('rev-list', '--reverse', '--topo-order', '--parents', facts.head, `^${facts.base}`))
		.split('\n')
		.filter(line => line !== '')
		.map(line => line.split(' '));
	if (lines.some(parents => parents.length !== 2)) {
		throw gateRefusal(
			"the policy wants a rebase, and the run's branch holds merges of its own",
			`fleet resume ${run.id} --rebase`,
		);
	}

	let onto = facts.base;
	for (const [index, [commit, parent]] of lines.entries()) {
		const tree = await replayedTree(git, {commit: commit!, parent: parent!}, onto);
		if (tree === undefined) {
			throw gateRefusal(
				`one of the run's commits does not apply to ${name} by itself: ` +
					`${oneLine(await git.line('log', '-1', '--format=%s', commit!), 60)}`,
				`fleet resume ${run.id} --rebase`,
			);
		}

		const last = index === lines.length - 1;
		if (tree === (await git.line('rev-parse', `${onto}^{tree}`)) && !last) {
			continue;
		}

		const words = plainWords(await git.raw('log', '-1', '--format=%B', commit!)).trim() || `Work of run ${run.id}`;
		const date = plainDate(await git.line('log', '-1', '--format=%ad', '--date=raw', commit!), Date.now());
		onto = await write(way, {
			tree,
			parents: [onto],
			text: withTrailers(
				words,
				last ? trailers : trailers.filter(([key]) => key === 'Co-authored-by' || key === 'Fleet-Run'),
			),
			env: {
				...(way.policy.author === 'agent' ? agentAsAuthor() : {}),
				...(date === undefined ? {} : {GIT_AUTHOR_DATE: date}),
			},
		});
	}

	if ((await git.line('rev-parse', `${onto}^{tree}`)) !== facts.tree) {
		throw gateRefusal(
			`the run's commits, one after another on ${name}, come to something else than what was verified`,
			`fleet resume ${run.id} --rebase, then verify again`,
		);
	}

	return onto;
}

/**
 * The tree of a commit's own change on top of another commit; undefined where the two
 * conflict. git before 2.40 takes the base of a merge from history alone, so that is made up.
 */
async function replayedTree(
	git: Git,
	{commit, parent}: {readonly commit: string; readonly parent: string},
	onto: string,
): Promise<string | undefined> {
	if (parent === onto) {
		return git.line('rev-parse', `${commit}^{tree}`);
	}

	const env = {
		GIT_AUTHOR_NAME: 'x',
		GIT_AUTHOR_EMAIL: 'x',
		GIT_COMMITTER_NAME: 'x',
		GIT_COMMITTER_EMAIL: 'x',
		GIT_AUTHOR_DATE: '@0 +0000',
		GIT_COMMITTER_DATE: '@0 +0000',
	};
	const plain = async (tree: string, ...parents: string[]) =>
		(
			await git.must(['commit-tree', `${tree}^{tree}`, ...parents.flatMap(name => ['-p', name]), '-m', 'x'], {env})
		).trim();
	const root = await plain(parent);
	const merged = await mergeTrees(
		{git, commonDir: git.repository.gitDir},
		await plain(onto, root),
		await plain(commit, root),
	);
	return 'tree' in merged ? merged.tree : undefined;
}

async function write(
	way: Way,
	{
		tree,
		parents,
		text,
		env,
	}: {
		readonly tree: string;
		readonly parents: readonly string[];
		readonly text: string;
		readonly env: Record<string, string>;
	},
): Promise<string> {
	const {git} = way;
	const message = way.policy.hooks.length === 0 ? text : await throughHook(git, way.root, text);
	const {code, stdout, stderr} = await git.run(
		['commit-tree', tree, ...parents.flatMap(parent => ['-p', parent]), ...(way.sign ? ['-S'] : []), '-F', '-'],
		{input: message, env: {...way.env, ...env}},
	);
	const commit = stdout.trim();
	if (code !== 0) {
		const words = oneLine(
			stderr
				.trim()
				.split('\n')
				.filter(line => !/^fatal: failed to write|^error: gpg failed/.test(line))
				.at(-1) ?? `exit code ${code}`,
		);
		throw gateRefusal(
			way.sign
				? `the merge could not be signed, so nothing was merged: ${words}`
				: `git could not write the merge: ${words}`,
			way.sign ? signingHint : 'git fsck says what is wrong',
		);
	}

	if (way.sign && !/^gpgsig(?:-sha256)? /m.test((await git.raw('cat-file', 'commit', commit)).split('\n\n')[0]!)) {
		throw gateRefusal(
			'git wrote the merge without a signature, so nothing was merged',
			'git commit -S must work in a terminal',
		);
	}

	return commit;
}

/** The message as the person's own commit-msg hook leaves it. It is a program of theirs, over a file of ours. */
async function throughHook(git: Git, root: string, text: string): Promise<string> {
	const folder = await git.setting('core.hookspath', 'path');
	const hook = path.join(
		folder === undefined ? path.join(git.repository.gitDir, 'hooks') : path.resolve(root, folder),
		'commit-msg',
	);
	try {
		accessSync(hook, constants.X_OK);
	} catch {
		throw new Refusal(
			`the policy wants the hook commit-msg at a merge, and there is no program ${hook}`,
			"install the project's hooks in its checkout, then merge again",
			3,
		);
	}

	const scratch = mkdtempSync(path.join(os.tmpdir(), 'fleet-message-'));
	try {
		const file = path.join(scratch, 'COMMIT_EDITMSG');
		writeFileSync(file, text, {mode: 0o600});
		const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:FLEET_|GIT_)/.test(name)));
		const {status, stderr, stdout, error} = spawnSync(hook, [file], {
			cwd: root,
			env: {...env, GIT_DIR: git.repository.gitDir, GIT_EDITOR: ':'},
			encoding: 'utf8',
			timeout: hookTime,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		if (status !== 0) {
			throw gateRefusal(
				'your hook commit-msg refused the merge: ' +
					`${oneLine(error?.message ?? `${stdout}${stderr}`.trim().split('\n').at(-1) ?? `exit code ${status}`)}`,
				"message: in the policy's merge says how the message is written",
			);
		}

		const changed = readFileSync(file, 'utf8');
		if (changed.trim() === '') {
			throw gateRefusal('your hook commit-msg left the message empty', `look at ${hook}`);
		}

		return changed;
	} finally {
		rmSync(scratch, {recursive: true, force: true});
	}
}

/** What people signed, for whoever checks the commit later without this machine. */
function signedTrailers(
	{approval, statements}: Run,
	{accepted, merger}: Pick<Named, 'accepted' | 'merger'>,
): Array<readonly [string, string]> {
	if (!accepted) {
		return [];
	}

	const counted = statements.filter(
		({word, by, decision}) =>
			(decision === 'request' || (isYes({decision}) && accepted.by.includes(by))) && isAbout(word, approval!),
	);
	// Who signed the same twice, with a no between, has said the last.
	const last = new Map(counted.map(({word, by, decision}) => [`${decision} ${by}`, word]));
	return [
		...(accepted.breakGlass
			? [['Fleet-Break-Glass', `${accepted.breakGlass.by}: ${accepted.breakGlass.because}`] as const]
			: []),
		...(accepted.fourEyes ? [] : [['Fleet-Four-Eyes', 'false'] as const]),
		...[...last.values(), ...(merger ? [merger.word] : [])].map(word => [signedTrailer, word] as const),
	];
}

/** Whose merge it is. */
type Named = {
	readonly because: string;
	readonly accepted: Accepted | undefined;
	/** Who signed that they make it, where people are named. */ readonly merger: Merger | undefined;
};

function trailersOf(run: Run, context: Context, {because, accepted, merger}: Named): Array<readonly [string, string]> {
	const {approval, verification, audit} = run;
	const {train} = verification!;
	const {carried} = approval!;
	const stale = audit?.stale ? ' (before the last change of scope)' : '';
	return [
		['Fleet-Run', run.id],
		['Fleet-Agent', run.agent],
		...(accepted?.requester === undefined ? [] : [['Requested-by', accepted.requester] as const]),
		...(accepted?.by ?? [actorName(approval!.by)]).map(name => ['Reviewed-by', name] as const),
		['Fleet-Approval', `${approval!.at}${approval!.because === '' ? '' : ` ${oneLine(approval!.because)}`}`],
		...signedTrailers(run, {accepted, merger}),
		...(carried?.patch === undefined
			? []
			: [['Fleet-Approval-Carried', `same patch, approved on ${approval!.base.slice(0, 10)}`] as const]),
		['Fleet-Verify', verification!.digest],
		...(train && train.runs.length > 1
			? [['Fleet-Train', `${train.id} ${train.place}/${train.runs.length}`] as const]
			: []),
		['Fleet-Audit', audit ? `${audit.items.filter(item => item.status === 'PASS').length}/6${stale}` : 'none'],
		['Fleet-Policy', verification!.policy],
		['Fleet-Merged-by', merger?.by ?? actorName(context.actor)],
		...(because === '' ? [] : [['Fleet-Because', because] as const]),
	];
}
