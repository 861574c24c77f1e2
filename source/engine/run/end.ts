import {rmSync} from 'node:fs';
import type {Server} from 'node:net';
import process from 'node:process';
import {tidyLooks} from '../../host/paths.ts';
import {signalName} from '../../host/pty.ts';
import {removeGroup} from '../sandbox/guard.ts';
import {readChanges} from '../handover/changes-file.ts';
import {howItEnded} from './agent-scripts.ts';
import {isChecked} from './check-work.ts';
import {countAtEnd} from './changes-count.ts';
import {writeUsage} from './model-usage.ts';
import {tellStrays} from './network-events.ts';
import {closePorts} from './open-ports.ts';
import {settleLogins} from './run-logins.ts';
import {note, type Supervision} from './supervision.ts';

/* How an attempt ends: its last words, and then all that was opened for it. */

/**
 * Writes down how the agent ended. `run.exited` comes last of what belongs to the agent's end: a reader of it may rely
 * on its output, its usage and its changes being complete.
 */
export async function finish(
	supervision: Supervision,
	{code, signal, has}: {code: number; signal: number; has: {hasSetup: boolean; hasServices: boolean}},
): Promise<void> {
	const {opened, halt, injectedFiles, viewers} = supervision;
	opened.hits?.end({code, signal: null});
	await countAtEnd(supervision);
	opened.output!.end();
	injectedFiles.remove();
	await closePorts(supervision, 'the run ended');
	tellStrays(supervision);
	writeUsage(supervision);
	const name = halt.stopped === undefined ? signalName(signal) : undefined;
	const met = name === undefined && code === 0 ? [] : supervision.journal.run.hits.map(hit => hit.because);
	const because = halt.stopped ?? [howItEnded(code, name, has), ...met].join('; ');
	const files = readChanges(supervision.places)?.files;
	const checks = await isChecked(supervision, {code, signal, files});
	note(supervision, {
		type: 'run.exited',
		code: name || halt.stopped !== undefined ? null : code,
		signal: name ?? null,
		because,
		...(checks ? {checks: true} : {}),
	});
	viewers.tell({ended: because});
}

/** Closes what is open, and takes away what is the attempt's alone. @param server undefined where there is none yet */
export async function close(supervision: Supervision, server: Server | undefined): Promise<void> {
	const {opened, places, model, injectedFiles} = supervision;
	clearTimeout(supervision.expiry);
	clearTimeout(model.timer);
	server?.close();
	rmSync(places.socket, {force: true});
	opened.hits?.close();
	await closePorts(supervision, 'the run ended');
	await opened.gateway?.close();
	// A refresh whose answer is not kept would be the login's end.
	await settleLogins(supervision);
	rmSync(places.servers, {recursive: true, force: true});
	await opened.session?.close();
	await removeGroup(opened.group);
	injectedFiles.remove();
	tidyLooks(places, process.pid);
}
