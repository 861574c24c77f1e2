import {existsSync, mkdirSync} from 'node:fs';
import type {Policy} from '../../core/policy.ts';
import type {Run} from '../../core/run/run.ts';
import type {Sandbox} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import type {Trusted} from '../../host/trusted.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {isTaken, layerKey} from '../layers/key.ts';
import {layerFor} from '../layers/make.ts';
import {readLayer, touchLayer, type Layer} from '../layers/store.ts';
import {copyLayer} from '../layers/use.ts';
import {rootOf} from '../project/projects.ts';
import {egressState} from '../sandbox/plan.ts';
import type {ShellTools} from '../sandbox/tools.ts';
import {noteDenied} from './network-events.ts';
import {note, type Supervision} from './supervision.ts';
import {withoutCounted} from './uses.ts';

/** What an attempt has of the project's setup. */
export type SetUp = {
	/** What was made once for all that need the same. */
	readonly layer: Layer | undefined;
	/** Commands that run in the run itself, before its agent. */
	readonly commands: readonly string[];
};

type Project = {
	readonly git: Git;
	readonly commonDir: string;
	readonly policy: Policy;
	readonly trusted: Trusted;
	readonly tools: ShellTools;
	readonly sandbox: Sandbox;
};

/**
 * The result of the project's setup for a run: what is there, or made now. A run keeps the one that it had first, since
 * what it changed lies over that; where it changed what setup depends on, the commands run in the run, over it.
 * @param begun called once it takes a while
 * @returns undefined where the run was stopped meanwhile
 * @throws Refusal where a command failed
 */
export async function setUp(supervision: Supervision, project: Project, begun: () => void): Promise<SetUp | undefined> {
	const {context, journal, places} = supervision;
	const {run} = journal;
	const {setup} = project.policy;
	if (setup.commands.length === 0 || !setup.reuse) {
		return {layer: undefined, commands: setup.commands};
	}

	const before = run.layer === undefined ? undefined : readLayer(context.paths, run.layer);
	const layer = before ?? (await makeOne(supervision, project, begun));
	if (!layer) {
		return undefined;
	}

	touchLayer(context.paths, layer.key);
	const isFirst = run.layer === undefined;
	const makesHome = layer.hasHome && !existsSync(places.home);
	if (makesHome) {
		mkdirSync(places.home, {mode: 0o700});
		giveToRun(run.id, places.home);
	}

	if (!layer.overlay && isFirst) {
		if (run.attempt > 0) {
			// It is the agent's folder by now, in which the host copies nothing.
			return {layer: undefined, commands: setup.commands};
		}

		const home = makesHome ? places.home : undefined;
		await copyLayer(context, layer, {runId: run.id, tree: places.worktree, home});
	}

	return {layer, commands: (await changedInputs(supervision, project)) ? setup.commands : []};
}

/** Makes it, or finds it made for another run; writes down which. */
async function makeOne(
	supervision: Supervision,
	{git, commonDir, policy, trusted, tools, sandbox}: Project,
	begun: () => void,
): Promise<Layer | undefined> {
	const {context, journal, opened, halt} = supervision;
	const {run} = journal;
	const controller = new AbortController();
	opened.setup = controller;
	if (halt.stopped !== undefined) {
		controller.abort(halt.stopped);
	}

	try {
		const {layer, isNew} = (await layerFor({
			context,
			project: {id: run.project.id, root: rootOf(context, run)},
			git,
			commonDir,
			sandbox,
			policy,
			what: {commit: run.base},
			branch: run.target,
			isTaken: await isTaken(git, run.base, run.target),
			rules: egressState({...run, grants: withoutCounted(run.grants)}, policy, {now: Date.now()}).rules,
			tools,
			trusted,
			secrets: async () => supervision.setupSecrets,
			signal: controller.signal,
			tell: text => opened.output!.push(Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'))),
			begun() {
				note(supervision, {type: 'setup.started', commands: [...policy.setup.commands]});
				begun();
			},
			onDenied: (target, because, kind) => noteDenied(supervision, target, {because, kind}),
		}))!;
		const {key, ms, bytes, files, hosts, notes} = layer;
		note(supervision, {type: 'setup.finished', of: 'run', layer: key, reused: !isNew, ms, bytes, files, hosts, notes});
		return layer;
	} catch (error) {
		if (halt.stopped !== undefined) {
			return undefined;
		}

		throw error;
	} finally {
		opened.setup = undefined;
	}
}

/** Whether the run's work changed what the result of setup depends on. */
async function changedInputs({journal}: Supervision, {git, policy, tools}: Project): Promise<boolean> {
	const {run} = journal;
	const head = run.captured?.head;
	if (head === undefined || head === run.base) {
		return false;
	}

	const keyOf = (tree: string) =>
		layerKey({git, project: run.project.id, tree, setup: policy.setup, rules: [], tools, isTaken: true});
	return (await keyOf(head)) !== (await keyOf(run.base));
}

/** What a person should know of it. */
export function setUpNotes({layer}: SetUp, run: Pick<Run, 'layer'>): string[] {
	return layer && run.layer === layer.key ? layer.notes : [];
}
