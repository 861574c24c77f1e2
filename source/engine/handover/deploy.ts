import {existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {decideDeploy, decideWindow} from '../../core/run/rules.ts';
import type {DeployOutcome} from '../../core/run/event.ts';
import {printable} from '../../core/names.ts';
import type {DeployTarget} from '../../core/policy.ts';
import {termsOf} from '../../core/grants/terms.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Outcome} from '../../core/seams.ts';
import {wallTime} from '../../core/text/window.ts';
import {makeGitFolder} from '../../host/git-folder.ts';
import {objectFolders} from '../../host/borrowed.ts';
import type {Journal} from '../../host/journal.ts';
import {LogWriter} from '../../host/log-writer.ts';
import type {Context} from '../context.ts';
import {LiveRedactor} from '../run/live-redactor.ts';
import {readBoundaries} from '../grants/boundary.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {record} from '../record.ts';
import {fillSubmodules} from '../run/submodules.ts';

/** How long a deploy may take. */
const deployTimeoutMs = 60 * 60_000;

/** How a deploy came out, and why. */
function deployOutcome(outcome: Outcome | Error): [DeployOutcome, string] {
	if (outcome instanceof Error) {
		return ['failed', `it could not be started: ${outcome.message}`];
	}

	if (outcome.timedOut) {
		return ['unknown', 'it was ended after an hour; look at the target'];
	}

	if (outcome.code === null) {
		return ['unknown', `its command was ended by ${outcome.signal ?? 'a signal'}; look at the target`];
	}

	return outcome.code === 0 ? ['succeeded', 'exit code 0'] : ['failed', `exit code ${outcome.code}`];
}

/**
 * The deploy targets of a run: those of the policy that it was
 * approved under, not of one that it may have brought along.
 */
export async function deployTargets(context: Context, run: Run): Promise<Record<string, DeployTarget>> {
	const {git} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.approval?.base ?? run.target);
	return policy.deploy;
}

/** The target of that name. @throws Refusal with the names there are */
export async function findTarget(context: Context, run: Run, name: string): Promise<DeployTarget> {
	const targets = await deployTargets(context, run);
	const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
	if (!target) {
		const names = Object.keys(targets);
		throw new Refusal(
			`there is no deploy target "${printable(name)}"`,
			names.length === 0 ? "the project's policy names none under deploy" : `targets: ${names.join(', ')}`,
		);
	}

	return target;
}

/** How a person asked for a deploy. */
export type Order = {readonly confirmed: string | undefined; readonly because?: string; readonly outside?: boolean};

/** A deploy as it was asked for. */
export type DeployRequest = {
	/** Its name in the policy. */ readonly target: string;
	readonly order: Order;
	/** Values by the names of variables. */ readonly credentials: ReadonlyMap<string, string>;
	/** Told its output as it comes, with the credentials blanked. */ readonly onOutput: (text: string) => void;
};

/**
 * Runs a target's command in a clean checkout of the merged commit, with the credentials of this one deploy.
 * They live in this process's memory and the command's environment, nowhere else, and are blanked from the output.
 * It is never repeated by itself. What the command writes is kept in the run's folder, as `deploy.log`.
 *
 * @param order.confirmed the target's name, typed once more
 * @param order.because a person's reason; needed for `outside`, which does not wait for the target's window
 */
export async function deploy(
	context: Context,
	journal: Journal,
	{target: name, order, credentials, onOutput}: DeployRequest,
): Promise<DeployOutcome> {
	const {run} = journal;
	const {confirmed, because = '', outside = false} = order;
	const refusal = decideDeploy(run, context.actor, {target: name, confirmed});
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'deploy', because: refusal.because}, context.actor);
		throw refusal;
	}

	const target = await findTarget(context, run, name);
	const walls = readBoundaries().map(({wall}) => ({...wall, only: undefined}));
	const forbidden = termsOf([`deploy:${name}`], walls);
	if (forbidden instanceof Refusal) {
		journal.append({type: 'gate.refused', gate: 'deploy', because: forbidden.because}, context.actor);
		throw gateRefusal(forbidden.because, forbidden.hint);
	}

	const now = Date.now();
	const early = decideWindow({target: name, window: target.window}, wallTime(now), outside ? because : undefined);
	if (early) {
		journal.append({type: 'gate.refused', gate: 'deploy', because: early.because}, context.actor);
		throw early;
	}

	checkCredentials(target, credentials);
	const folder = mkdtempSync(path.join(context.paths.state, 'deploy-'));
	try {
		const [tree, home] = [path.join(folder, 'tree'), path.join(folder, 'home')];
		for (const made of [tree, home]) {
			mkdirSync(made, {recursive: true, mode: 0o700});
		}

		await checkOut(context, run, {folder, tree});
		const log = new LogWriter(context.paths.run(run.id).deployLog, {anew: true});
		const {command, window} = target;
		record(
			journal,
			{type: 'deploy', target: name, confirmed, window, outside, because, command, credentials: target.credentials},
			{actor: context.actor, now},
		);
		const tell = (text: string) => {
			log.write(text);
			onOutput(text);
		};

		const outcome = await runCommand(context, run, {name, target, tree, home, credentials, tell});
		log.close();
		const [result, why] = deployOutcome(outcome);
		const {commit} = run.merge!;
		journal.append({type: 'deploy.finished', target: name, commit, outcome: result, because: why}, context.actor);
		return result;
	} finally {
		if (existsSync(folder)) {
			rmSync(folder, {recursive: true, force: true});
		}
	}
}

/** @throws Refusal where one of the target's is missing, or so short that it could not be blanked from the output */
function checkCredentials(target: DeployTarget, credentials: ReadonlyMap<string, string>): void {
	for (const wanted of target.credentials) {
		const value = credentials.get(wanted) ?? '';
		if (value.length < 4) {
			throw new Refusal(
				value === ''
					? `the deploy needs ${wanted}, which was not given`
					: `${wanted} is too short to be blanked from the output`,
				`type it when asked, or pass --credential ${wanted}=- and write it to stdin`,
			);
		}
	}
}

/** The merged commit as files. */
async function checkOut(
	context: Context,
	run: Run,
	{folder, tree}: {readonly folder: string; readonly tree: string},
): Promise<void> {
	const {git, commonDir} = await openRun(context, run);
	const {commit, target} = run.merge!;
	const objects = objectFolders(commonDir);
	await makeGitFolder({
		git,
		commonDir,
		// Beside the files, so that a command that copies them all does not publish it; git finds it from there.
		folder: path.join(folder, '.git'),
		tree,
		what: {commit},
		branch: target,
		depth: undefined,
		beside: true,
		objectsSeenAt: at => objects[at]!,
	});
	await fillSubmodules({git, commonDir, root: rootOf(context, run)}, commit, tree);
}

/** Runs the target's command. @param options.tell told its output, with the credentials blanked */
async function runCommand(
	context: Context,
	run: Run,
	{
		name,
		target,
		tree,
		home,
		credentials,
		tell,
	}: {
		readonly name: string;
		readonly target: DeployTarget;
		readonly tree: string;
		readonly home: string;
		readonly credentials: ReadonlyMap<string, string>;
		readonly tell: (text: string) => void;
	},
): Promise<Outcome | Error> {
	const decoder = new TextDecoder();
	const redactor = new LiveRedactor(credentials.values(), bytes => tell(decoder.decode(bytes, {stream: true})));
	const outcome = await context.executor
		.run(
			{
				argv: ['/bin/sh', '-c', target.command],
				cwd: tree,
				env: {
					PATH: process.env['PATH'] ?? '/usr/bin:/bin',
					HOME: home,
					LANG: process.env['LANG'] ?? 'C.UTF-8',
					FLEET_RUN: run.id,
					FLEET_TARGET: name,
					FLEET_COMMIT: run.merge!.commit,
					...Object.fromEntries(target.credentials.map(wanted => [wanted, credentials.get(wanted)!])),
				},
			},
			{
				timeout: deployTimeoutMs,
				onOutput(bytes) {
					redactor.push(bytes);
				},
			},
		)
		.catch((error: unknown) => error as Error);
	redactor.end();
	tell(decoder.decode());
	return outcome;
}
