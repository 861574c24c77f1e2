import process from 'node:process';
import type {Actor} from '../../core/actor.ts';
import {continueProcesses, stopTree} from '../../host/processes.ts';
import {machineRefusal} from '../../host/write.ts';
import {cutPorts} from './open-ports.ts';
import type {Supervision} from './supervision.ts';

/* How a run is brought to a stand, from outside: frozen, or ended. */

/** How long a run has to end in order after a failure of fleet itself, milliseconds. */
const faultPauseMs = 120_000;

/** What a supervisor is told from outside; SIGUSR2 is what `fleet pause` falls back to where Node cannot start. */
export const ownSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;
const toldToFreeze = 'its supervisor was told to pause it';

/** Stops every process of the run where it stands, from outside, and closes its way out. */
export function freeze(supervision: Supervision, because: string, actor: Actor): void {
	const {opened, halt, journal} = supervision;
	const pid = opened.terminal!.pid;
	let whole = opened.group?.freeze(true) ?? false;
	if (!whole) {
		const tree = stopTree(pid);
		halt.stoppedPids = tree.stopped;
		whole = tree.whole;
	}

	journal.append({type: 'run.frozen', because, whole}, actor);
	opened.session!.proxy.cut();
	cutPorts(supervision);
}

/** The same, where its agent is at work. */
export function freezeIfRunning(supervision: Supervision, because: string): void {
	if (supervision.journal.run.stage === 'running') {
		freeze(supervision, because, 'fleet');
	}
}

export function thaw({opened, halt}: Supervision): void {
	opened.group?.freeze(false);
	continueProcesses(halt.stoppedPids);
	halt.stoppedPids = [];
}

/** The monitor's death takes the whole pid namespace with it: a frozen or hostile process inside has no say. */
export function stop({opened, halt}: Supervision, because: string): void {
	if (halt.stopped === undefined) {
		halt.stopped = because;
		opened.setup?.abort(because);
		opened.terminal?.kill('SIGKILL');
	}
}

/** A signal from outside, at any time from the supervisor's start on: a run that waits for its turn takes it, too. */
export function takeSignal(supervision: Supervision, name: NodeJS.Signals): void {
	if (name !== 'SIGUSR2') {
		stop(supervision, 'its supervisor was told to end');
	} else if (supervision.opened.terminal === undefined) {
		supervision.halt.freezeAtStart = true;
	} else if (!supervision.watch.ended) {
		freezeIfRunning(supervision, toldToFreeze);
	}
}

/** Does what was asked for before there was an agent. */
export function haltAtStart(supervision: Supervision): void {
	if (supervision.halt.stopped !== undefined) {
		supervision.opened.terminal!.kill('SIGKILL');
	} else if (supervision.halt.freezeAtStart) {
		freeze(supervision, toldToFreeze, 'fleet');
	}
}

/**
 * A run whose record cannot be written is frozen: nothing of it
 * goes on unseen. A person thaws it when there is room again.
 */
export function cannotRecord(supervision: Supervision, error: Error): void {
	if (supervision.opened.terminal && !supervision.watch.ended) {
		const because = machineRefusal(error)?.because.split(/[,;]/, 1)[0] ?? error.message;
		freezeIfRunning(supervision, `what it does cannot be written down: ${because}`);
	}
}

/**
 * Something failed that no connection's own guard held. What it left half done is not known, and the check of what
 * leaves the run may be among it: so the way out is closed
 * first, and then the run ends as by a stop, with its journal.
 */
export function takeFault(supervision: Supervision, error: unknown): void {
	const {name = 'Error', code, stack = String(error)} = Object(error) as {name?: string; code?: string; stack?: string};
	process.stderr.write(`${stack}\n`);
	try {
		supervision.opened.session?.proxy.close();
		cutPorts(supervision);
	} finally {
		// Where even the end fails, the process goes, and the sandbox with it.
		setTimeout(() => process.exit(1), faultPauseMs).unref();
		stop(supervision, `fleet itself failed (${code ?? name}), so its way out was closed and it was stopped`);
	}
}
