import {exitCodes, Refusal} from '../core/refusal.ts';
import type {GrantCommand, OwnerCommand} from '../core/run/command.ts';
import type {RunEvent} from '../core/run/event.ts';
import type {Run} from '../core/run/run.ts';
import {Connection} from '../host/socket.ts';
import type {AnswerOf, AskOf, Behind} from '../protocol/messages.ts';
import type {Context} from './context.ts';
import {record} from './record.ts';
import {withJournal} from './runs.ts';

/*
 * Who owns a run's journal: its supervisor, where one is alive, and otherwise whoever takes the lock. This file alone
 * knows which of the two does what a person commands.
 */

/** How long a supervisor may take to answer, milliseconds. */
export const answerTimeMs = 20_000;

type Type = OwnerCommand['type'];
type CommandOf<One extends Type> = Extract<OwnerCommand, {readonly type: One}>;

/** What stands in for a supervisor's answer; undefined for what means nothing without one. */
const answersWithout: {readonly [One in Type]: ((events: readonly RunEvent[]) => AnswerOf<One>) | undefined} = {
	grant: events => ({effect: events.flatMap(event => (event.type === 'scope.granted' ? event.effect : []))[0] ?? ''}),
	revoke: () => ({cut: 0}),
	stop: undefined,
	release: undefined,
	freeze: undefined,
	thaw: undefined,
	budget: () => ({}),
	dismiss: () => ({}),
	acknowledge: () => ({}),
	audit: () => ({}),
};

/** Commands to which a supervisor that works answers at once. */
const isTimed = (type: Type) => type === 'freeze' || type === 'thaw';

/** The supervisor of a run, if one is alive. */
export function connect(context: Context, runId: string): Promise<Connection | undefined> {
	return Connection.open(context.paths.run(runId).socket, context.actor);
}

/** What a run's supervisor is asked for where there has to be one. @throws Refusal where none is alive */
export async function connectOrRefuse(context: Context, run: Run): Promise<Connection> {
	const connection = await connect(context, run.id);
	if (!connection) {
		throw new Refusal(`${run.id} is not running: it is ${run.stage}`, `fleet show ${run.id}`);
	}

	return connection;
}

/** Whether something happens in time, milliseconds. What goes wrong with it is thrown. */
export async function inTime(work: Promise<unknown>, timeMs: number): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<boolean>(resolve => {
		timer = setTimeout(() => resolve(false), timeMs);
	});
	try {
		return await Promise.race([work.then(() => true), late]);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * Has a run changed as a person commands, by whoever owns its journal.
 * @throws Refusal where the run is in no state for it, or nobody is there who could do it
 */
export function send<Sent extends Exclude<OwnerCommand, GrantCommand>>(
	context: Context,
	run: Run,
	command: Sent,
): Promise<AnswerOf<Sent['type']>> {
	return sendPrepared(context, run, {
		type: command.type,
		// `complete` in the messages says that the two are one type.
		supervisor: async () => ({command: command as AskOf<Sent['type']>}),
		file: async () => ({command: command as CommandOf<Sent['type']>}),
	});
}

/**
 * The same for a command that says more to one owner than to the other.
 * @param prepare.supervisor called once a supervisor is known to be alive: with the value behind a grant
 * @param prepare.file called where none is; `check` is called with the run as it is once the journal is held
 */
export async function sendPrepared<One extends Type>(
	context: Context,
	run: Run,
	prepare: {
		readonly type: One;
		supervisor(): Promise<{readonly command: AskOf<One>; readonly behind?: Behind}>;
		file(): Promise<{readonly command: CommandOf<One>; check?(run: Run): void}>;
	},
): Promise<AnswerOf<One>> {
	const connection = await connect(context, run.id);
	if (connection) {
		try {
			const {command, behind} = await prepare.supervisor();
			return await answered(run, prepare.type, connection.request<One>(command, behind));
		} finally {
			connection.close();
		}
	}

	const {command, check} = await prepare.file();
	const answer = answersWithout[prepare.type];
	if (!answer) {
		throw new Refusal(`${run.id} is not running: it is ${run.stage}`, `fleet show ${run.id}`);
	}

	return withJournal(context, run.id, async journal => {
		check?.(journal.run);
		return answer(record(journal, command, {actor: context.actor}));
	});
}

async function answered<Answer>(run: Run, type: Type, asked: Promise<Answer>): Promise<Answer> {
	if (isTimed(type) && !(await inTime(asked, answerTimeMs))) {
		asked.catch(() => {});
		throw new Refusal(`the supervisor of ${run.id} does not answer`, `fleet stop ${run.id}`, exitCodes.gate);
	}

	return asked;
}
