import {branchName} from '../../core/git/refs.ts';
import type {Run} from '../../core/run/run.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {logRef, pushByPolicy, pushGateLog} from '../../engine/gate-log/push.ts';
import {findRun} from '../../engine/runs.ts';
import type {Io} from '../../terminal/program.ts';

/** Adds what was decided about a run to this machine's gate log, and says how much of it was new. */
export async function push(
	context: Context,
	io: Io,
	{run, remote, json}: {readonly run: Run; readonly remote: string; readonly json: boolean},
): Promise<void> {
	const lines = await pushGateLog(context, run, {remote, interactive: io.interactive});
	const branch = branchName(logRef());
	if (json) {
		io.json({run: run.id, remote, branch, lines});
		return;
	}

	io.out(`${lines} new ${lines === 1 ? 'line' : 'lines'} of ${run.id} in ${branch} at ${escapeLine(remote)}\n`);
}

/** Adds a run to the gate log where the policy says so; what was decided stands, whatever becomes of that. */
export async function toGateLog(context: Context, io: Io, run: string): Promise<void> {
	const fault = await pushByPolicy(context, findRun(context, run), io.interactive);
	if (fault !== undefined) {
		io.err(`the gate log was not pushed: ${escapeLine(fault)}\n  hint: fleet journal push ${run}\n`);
	}
}
