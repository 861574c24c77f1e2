import {existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {decideDeploy, decideWindow} from '../../core/run/rules.ts';
import type {DeployOutcome} from '../../core/run/event.ts';
import {printable} from '../../core/names.ts';
import type {DeployTarget} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Outcome} from '../../core/seams.ts';
import {wallTime} from '../../core/text/window.ts';
import {makeGitFolder} from '../../host/git-folder.ts';
import {objectFolders} from '../../host/borrowed.ts';
import type {Journal} from '../../host/journal.ts';
import {LogWriter} from '../../host/log-writer.ts';
import type {Context} from '../context.ts';
import {LiveRedactor} from '../run/live-redactor.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {record} from '../record.ts';
import {fillSubmodules} from '../run/submodules.ts';

const deployTime = 60 * 60_000;

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
	name: string,
	{confirmed, because = '', outside = false}: Order,
	credentials: ReadonlyMap<string, string>,
	onOutput: (text: string) => void,
): Promise<DeployOutcome> {
	const {run} = journal;
	const refusal = decideDeploy(run, context.actor, name, confirmed);
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'deploy', because: refusal.because}, context.actor);
		throw refusal;
	}

	const target = await findTarget(context, run, name);
	const now = Date.now();
	const early = decideWindow(name, target.window, wallTime(now), outside ? because : undefined);
	if (early) {
		journal.append({type: 'gate.refused', gate: 'deploy', because: early.because}, context.actor);
		throw early;
	}

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

	const {git, commonDir} = await openRun(context, run);
	const {commit} = run.merge!;
	const folder = mkdtempSync(path.join(context.paths.state, 'deploy-'));
	try {
		const tree = path.join(folder, 'tree');
		const home = path.join(folder, 'home');
		// Beside the files, so that a command that copies them all does not publish it; git finds it from there.
		const gitFolder = path.join(folder, '.git');
		for (const made of [tree, home]) {
			mkdirSync(made, {recursive: true, mode: 0o700});
		}

		const objects = objectFolders(commonDir);
		await makeGitFolder({
			git,
			commonDir,
			folder: gitFolder,
			tree,
			what: {commit},
			branch: run.merge!.target,
			depth: undefined,
			beside: true,
			objectsSeenAt: at => objects[at]!,
		});
		await fillSubmodules(git, commonDir, rootOf(context, run), commit, tree);
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
						FLEET_COMMIT: commit,
						...Object.fromEntries(target.credentials.map(wanted => [wanted, credentials.get(wanted)!])),
					},
				},
				{
					timeout: deployTime,
					onOutput(bytes) {
						redactor.push(bytes);
					},
				},
			)
			.catch((error: unknown) => error as Error);
		redactor.end();
		tell(decoder.decode());
		log.close();
		const [result, why] = deployOutcome(outcome);
		journal.append({type: 'deploy.finished', target: name, commit, outcome: result, because: why}, context.actor);
		return result;
	} finally {
		if (existsSync(folder)) {
			rmSync(folder, {recursive: true, force: true});
		}
	}
}
