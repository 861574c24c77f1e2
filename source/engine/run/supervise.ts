import process from 'node:process';
import {Refusal} from '../../core/refusal.ts';
import {Journal} from '../../host/journal.ts';
import {machineRefusal} from '../../host/write.ts';
import type {Context} from '../context.ts';
import type {HandedSecret, SetupSecret} from '../grants/secret-values.ts';
import type {ServerSecret} from '../mcp/secrets.ts';
import type {HandedProfile} from '../profile/hand.ts';
import {runAgent} from './agent-start.ts';
import type {NotifyValues} from '../notify/deliver.ts';
import {Needs} from '../notify/needs.ts';
import {readProposed} from '../tasks/read-plan.ts';
import {checkWork} from './check-work.ts';
import {close} from './end.ts';
import {cannotRecord, ownSignals, takeFault, takeSignal} from './halt.ts';
import {waitForTurn} from './queue.ts';
import {listen} from './socket-server.ts';
import {makeSpare} from './spare.ts';
import {makeSupervision, note, type Supervision, type TestHooks} from './supervision.ts';

/**
 * Owns one run from its start to its end: the sandbox, the pty, the proxy, the journal and the socket.
 * Resolves when the run has ended and everything it started is gone.
 * @param options.report tells whoever started the supervisor whether the agent runs
 * @param options.secrets what the run's grants need; held in memory alone
 * @param options.hooks for tests: where the proxy finds its hosts
 * @param options.early signals that came before this was called
 * @param options.patience how long it waits at the end for a disk that takes what could not be written, milliseconds
 */
export async function supervise(
	context: Context,
	runId: string,
	options: {
		report: (message: {started: boolean; because?: string; hint?: string}) => void;
		openJournal?: typeof Journal.open;
		secrets?: readonly HandedSecret[];
		/** What the project's setup reads with. */ setupSecrets?: readonly SetupSecret[];
		/** What MCP servers outside sign in with. */ serverSecrets?: readonly ServerSecret[];
		/** The person's profile of the agent. */ profile?: HandedProfile | undefined;
		/** What its notifiers' references name. */ notify?: NotifyValues | undefined;
		hooks?: TestHooks;
		patience?: number;
		early?: () => readonly NodeJS.Signals[];
	},
): Promise<void> {
	// Whoever started it hears of the first attempt alone.
	let report: typeof options.report = message => {
		report = () => {};
		options.report(message);
	};
	const places = context.paths.run(runId);
	const journal = (options.openJournal ?? Journal.open)(places, 5000);
	if (!journal?.state) {
		journal?.close();
		report({started: false, because: `${runId} is not a run that can be started now`, hint: 'fleet list'});
		return;
	}

	const fail = (error: unknown) => {
		const refusal =
			error instanceof Refusal
				? error
				: (machineRefusal(error) ??
					new Refusal(`the sandbox did not start: ${(error as Error).message.split('\n')[0]}`, 'fleet doctor'));
		journal.append({type: 'run.failed', because: refusal.because, hint: refusal.hint}, 'fleet');
		report({started: false, because: refusal.because, hint: refusal.hint});
	};

	const needs = new Needs(context, journal, {values: options.notify});
	let ahead: Promise<void> | undefined;
	const hooks = {
		early: options.early ?? (() => []),
		started() {
			report({started: true});
			ahead ??= makeSpare(context, journal.run);
		},
		fail,
	};
	try {
		for (let secrets = options.secrets ?? [], goesOn = true; goesOn;) {
			goesOn = false;
			const attempt = makeSupervision(context, journal, {...options, secrets});
			await own(attempt, hooks, runInTurn);
			if (journal.run.plan && journal.run.stage === 'stopped' && journal.run.exit?.code === 0) {
				await readOwnPlan(context, journal);
			}

			if (journal.run.stage === 'checking') {
				await own(makeSupervision(context, journal, {hooks: options.hooks}), hooks, async check => {
					goesOn = await checkWork(check);
				});
				// What was revoked meanwhile is not handed on.
				secrets = attempt.secrets.all().filter(({scope}) => journal.run.grants.some(grant => grant.scope === scope));
			}
		}

		await lastWords(journal, options.patience ?? 10_000);
	} finally {
		journal.close();
	}

	// Of a short run, it ends later: the run itself is over.
	await ahead;
	await needs.end();
}

/** Reads the plan that a run was asked for. Whoever looks at it later is told why it could not be read. */
async function readOwnPlan(context: Context, journal: Journal): Promise<void> {
	try {
		await readProposed(context, journal);
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}
	}
}

/** Waits a while for a disk that takes what is not written yet, such as how the run ended. */
async function lastWords(journal: Journal, patience: number): Promise<void> {
	for (const end = Date.now() + patience; !journal.flush() && Date.now() < end;) {
		await new Promise(resolve => {
			setTimeout(resolve, 500);
		});
	}
}

type Hooks = {
	readonly early: () => readonly NodeJS.Signals[];
	readonly started: () => void;
	readonly fail: (error: unknown) => void;
};

/** One attempt. */
async function runInTurn(supervision: Supervision, {started}: Hooks): Promise<void> {
	const {context, journal, halt} = supervision;
	if (!(await waitForTurn(context, journal, {queued: started, stopped: () => halt.stopped}))) {
		note(supervision, {type: 'run.exited', code: null, signal: null, because: halt.stopped!});
		return;
	}

	await runAgent(supervision, started);
}

/** An attempt or a check, from the first signal that is heard to the last file that is taken away. */
async function own(
	supervision: Supervision,
	hooks: Hooks,
	work: (supervision: Supervision, hooks: Hooks) => Promise<void>,
): Promise<void> {
	const {journal} = supervision;
	journal.keepFacts(error => cannotRecord(supervision, error));
	const onFault = (error: unknown) => takeFault(supervision, error);
	process.on('uncaughtException', onFault);
	const onSignal = (name: NodeJS.Signals) => takeSignal(supervision, name);
	for (const name of ownSignals) {
		process.on(name, onSignal);
	}

	for (const name of hooks.early()) {
		takeSignal(supervision, name);
	}

	let server;
	try {
		server = await listen(supervision);
		await work(supervision, hooks);
	} catch (error) {
		hooks.fail(error);
	} finally {
		await close(supervision, server);
		process.off('uncaughtException', onFault);
		for (const name of ownSignals) {
			process.off(name, onSignal);
		}
	}
}
