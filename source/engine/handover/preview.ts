import {existsSync, mkdtempSync, readdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import type {Preview} from '../../core/policy.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {RunEvent} from '../../core/run/event.ts';
import type {Run} from '../../core/run/run.ts';
import {serviceArguments} from '../../core/services.ts';
import {PageServer} from '../../host/page-server.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {readTrusted} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {withJournal} from '../runs.ts';
import {runLimited} from '../sandbox/guard.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import {openSession} from '../sandbox/session.ts';
import {boxOf, layOut, startScript, type Work} from './merged-tree.ts';

/** How a preview is told of. */
export type PreviewHooks = {
	/** Told what the command writes. */ onOutput(text: string): void;
	/** The page can be opened. @param server gives addresses for it */ onOpen(
		server: PageServer,
		preview: Preview,
	): void;
	/** Ends it; its reason is what is said. */ readonly signal: AbortSignal;
	/** Milliseconds. */ readonly lifeMs: number;
};

const prefix = 'preview-';

/** Takes away what a preview left that was killed. */
function sweep(state: string): void {
	for (const name of readdirSync(state)) {
		const pid = /^preview-(\d+)-/.exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
			removeFolder(path.join(state, name));
		}
	}
}

/** What is shown, as a commit or a tree, and the commit whose policy counts. @throws Refusal where nothing was verified */
function shownOf(run: Run): {
	readonly what: {readonly commit: string} | {readonly tree: string; readonly parents: readonly string[]};
	readonly commit: string;
	readonly base: string;
} {
	const {merge, verification} = run;
	if (merge) {
		return {what: {commit: merge.commit}, commit: merge.commit, base: verification?.base ?? merge.commit};
	}

	if (!verification?.passed) {
		throw gateRefusal(`${run.id} is not verified: a preview shows what was`, `fleet verify ${run.id}`);
	}

	const {tree, base, head} = verification;
	return {what: {tree, parents: [base, head]}, commit: head, base};
}

/**
 * Runs the policy's preview over what was verified, or merged: in a fresh sandbox with no network and no credentials.
 * Nothing of it is left on disk.
 * @returns why it ended
 * @throws Refusal where there is nothing to show, or nothing to show it with
 */
export async function preview(context: Context, run: Run, hooks: PreviewHooks): Promise<string> {
	const {what, commit, base} = shownOf(run);
	const {sandbox} = await chooseSandbox(context);
	const {git, commonDir} = await openRun(context, run);
	const {policy} = await readPolicy(git, base);
	if (!policy.preview) {
		throw new Refusal(
			"the project's policy names no preview",
			'write preview: {command: "npm run dev", port: 3000} into .fleet/policy.yaml, and commit it',
		);
	}

	sweep(context.paths.state);
	const folder = mkdtempSync(path.join(context.paths.state, `${prefix}${process.pid}-`));
	try {
		const {limits: settings} = await readSettings(context.paths);
		const work: Work = {
			context,
			run,
			git,
			commonDir,
			sandbox,
			policy,
			settings,
			folder: path.join(folder, 'work'),
			commandTimeoutMs: undefined,
			allowsSecrets: false,
			trusted: await readTrusted(git),
			log: {write: text => hooks.onOutput(text)},
			onLayer() {},
		};
		const found: RunEvent = {type: 'preview.started', commit, ...policy.preview};
		await note(context, run, found);
		const because = await show(work, {what, preview: policy.preview, hooks});
		await note(context, run, {type: 'preview.finished', because}).catch(() => {
			// Somebody else decides on the run at this moment: a preview changes nothing of it.
		});
		return because;
	} finally {
		removeFolder(folder);
	}
}

function note(context: Context, run: Run, event: RunEvent): Promise<void> {
	return withJournal(context, run.id, async journal => {
		journal.append(event, context.actor);
	});
}

/** The command in its sandbox, and the listener in front of it, until one of them ends. */
async function show(
	work: Work,
	{
		what,
		preview,
		hooks,
	}: {readonly what: Parameters<typeof layOut>[1]; readonly preview: Preview; readonly hooks: PreviewHooks},
): Promise<string> {
	const {context, run, sandbox} = work;
	const laid = await layOut(work, what, {FLEET_PREVIEW: '1', PORT: String(preview.port)});
	const {limited, folders} = boxOf(work, laid, `preview-${process.pid}`);
	const session = await openSession(sandbox, limited.plan, {
		folder: path.join(work.folder, 'sandbox'),
		hooks: {
			state: () => ({rules: [], privateHosts: []}),
			onDenied() {},
			onAllowed() {},
			onAsked() {},
		},
	});
	let server: PageServer | undefined;
	try {
		server = await PageServer.open({
			host: `${run.id}.localhost`,
			port: preview.port,
			dial: () => session.dial(preview.port),
			closed: () => undefined,
			hosts: () => [],
			onLoad() {},
			onDenied: target =>
				hooks.onOutput(`fleet: the page asked for ${target}, and was denied: a preview has no network\n`),
		});
		hooks.onOpen(server, preview);
		const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
		const argv = ['/bin/sh', '-c', startScript, 'sh', ...serviceArguments(laid.services), ''];
		const outcome = await runLimited(
			context,
			session.prepared.enter(
				{argv: [...argv, '/bin/sh', '-c', preview.command], cwd: limited.plan.cwd, env: {}},
				session.holderPid,
			),
			{
				limited,
				folders,
				timeout: hooks.lifeMs,
				signal: hooks.signal,
				onOutput: (bytes, stream) => hooks.onOutput(decoders[stream].write(Buffer.from(bytes))),
			},
		);
		if (outcome.over !== undefined) {
			return outcome.over;
		}

		return outcome.timedOut
			? 'its time is over'
			: `its command ended with ${outcome.code ?? outcome.signal ?? 'a signal'}`;
	} finally {
		server?.close();
		await session.close();
	}
}
