import {answerRef, fetchedAnswers, requestRef} from '../../core/git/refs.ts';
import {answerFile, parseAnswerFile, requestFile, type RequestFile} from '../../core/people/request-file.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {chainCommit} from '../handover/facts.ts';
import {approveBySigned, request, type Yes} from '../handover/approve.ts';
import type {takeStatements} from '../handover/sign-off.ts';
import {openRun} from '../project/projects.ts';
import {carrierOf, commitFile, deleteAt, fetchFrom, fileOf, pushTo, refsBelow} from './carry.ts';

/* Whoever had the work done: asks, and takes what others answered. */

/** How somebody is asked. `to`: a remote; without one, whoever works on this machine. */
export type Ask = Pick<Yes, 'because' | 'key'> & {readonly to?: string | undefined; readonly interactive: boolean};

/** The commit that a request is on: what would be merged, as a merge that nobody made. */
async function subjectCommit(git: Git, {tree, base, head}: Facts): Promise<string> {
	return chainCommit(git, {tree, base, head});
}

/**
 * Signs whose work it is, and pushes what others need to look at it: the commits, the merged tree and what was verified.
 * @returns who asks
 */
export async function ask(context: Context, journal: Journal, {to, interactive, ...yes}: Ask): Promise<string> {
	const {git} = await openRun(context, journal.run);
	const carrier = to === undefined ? undefined : await carrierOf(git, to, interactive);
	const {signed, facts} = await request(context, journal, yes);
	const {run} = journal;
	if (carrier) {
		const file: RequestFile = {
			version: 1,
			title: (run.task ?? run.prompt ?? '').split('\n', 1)[0]!.slice(0, 400),
			agent: run.agent.slice(0, 100),
			verified: (run.verification?.because ?? '').slice(0, 1000),
			statement: run.statements.at(-1)!.word,
		};
		const commit = await commitFile(git, {
			parent: await subjectCommit(git, facts),
			name: requestFile,
			text: `${JSON.stringify(file, undefined, '\t')}\n`,
			message: `A request to approve ${run.id}`,
		});
		await pushTo(carrier, commit, requestRef(run.id));
		journal.append({type: 'request.sent', remote: carrier.remote}, context.actor);
	}

	return signed.by;
}

/** What others answered, and whether that is enough. */
export type Answers = Awaited<ReturnType<typeof takeStatements>>;

/**
 * Takes what others signed about a run, where it was asked over a remote, and approves it if that is enough.
 * @returns undefined where nobody was asked over a remote
 */
export async function collect(context: Context, journal: Journal, interactive: boolean): Promise<Answers | undefined> {
	const {run} = journal;
	if (run.requestedAt === undefined) {
		return undefined;
	}

	const {git} = await openRun(context, run);
	const carrier = await carrierOf(git, run.requestedAt, interactive);
	const here = `${fetchedAnswers}/${run.id}`;
	await fetchFrom(carrier, [[answerRef(run.id, '*'), `${here}/*`]]);
	const words: string[] = [];
	const unread: Refusal[] = [];
	for (const commit of (await refsBelow(git, here)).values()) {
		const word = parseAnswerFile(await fileOf(git, commit, answerFile));
		if (word instanceof Refusal) {
			unread.push(word);
		} else {
			words.push(word);
		}
	}

	const answers = await approveBySigned(context, journal, words);
	return {...answers, left: [...answers.left, ...unread]};
}

/** Takes a request and its answers away from the remote, once the run is merged. Nothing where there is none. */
export async function withdraw(context: Context, run: Run, interactive: boolean): Promise<void> {
	if (run.requestedAt === undefined) {
		return;
	}

	const {git} = await openRun(context, run);
	const carrier = await carrierOf(git, run.requestedAt, interactive);
	const here = `${fetchedAnswers}/${run.id}`;
	const people = [...(await refsBelow(git, here)).keys()].map(ref => ref.slice(here.length + 1));
	await deleteAt(carrier, [requestRef(run.id), ...people.map(name => answerRef(run.id, name))]);
	for (const name of people) {
		await git.run(['update-ref', '-d', `${here}/${name}`]);
	}
}
