import type {Person} from '../../core/actor.ts';
import type {TerminalSize} from '../../core/text/terminal-size.ts';
import {Refusal} from '../../core/refusal.ts';
import type {OwnerCommand} from '../../core/run/command.ts';
import type {AnswerOf, Ask, AskOf, Request, Response} from '../../protocol/messages.ts';
import {filesPlace} from '../grants/files.ts';
import {grantCommand} from '../grants/prepare.ts';
import {checkFiles, revocable} from '../grants/scopes.ts';
import type {HandedSecret} from '../grants/secret-values.ts';
import {decideOn, record} from '../record.ts';
import {hideRevoked, scheduleExpiry} from './expiry.ts';
import {freeze, stop, thaw} from './halt.ts';
import {closePorts, openPort} from './open-ports.ts';
import type {ServerSecret} from '../mcp/secrets.ts';
import {judged} from './judge-grant.ts';
import {openBroker} from './run-broker.ts';
import {serverWaits} from './servers.ts';
import type {Supervision} from './supervision.ts';
import {typeInto} from './typing.ts';

/* What a supervisor does when it is asked: a command is decided, then written down and carried out. */

/** Who asks. `send` reaches that client from now on. */
type From = {
	readonly actor: Person;
	readonly secret: HandedSecret | undefined;
	readonly server: readonly ServerSecret[] | undefined;
	send(response: Response): void;
};

type Handler<Type extends Ask['type']> = (
	supervision: Supervision,
	ask: AskOf<Type>,
	from: From,
) => AnswerOf<Type> | Promise<AnswerOf<Type>>;

/** A command that is done once it is written down. */
function written({journal}: Supervision, command: OwnerCommand, {actor}: From): Record<string, never> {
	record(journal, command, {actor});
	return {};
}

/** A command that brings the run to a stand, or has it go on. */
function halted(supervision: Supervision, command: OwnerCommand, {actor}: From): Record<string, never> {
	const {journal} = supervision;
	for (const event of decideOn(journal, command, {actor})) {
		if (event.type === 'run.exited') {
			// The end writes it.
			stop(supervision, event.because);
		} else if (event.type === 'run.frozen') {
			freeze(supervision, event.because, actor);
		} else {
			journal.append(event, actor);
			thaw(supervision);
		}
	}

	return {};
}

async function grant(
	supervision: Supervision,
	ask: AskOf<'grant'>,
	{actor, secret, server}: From,
): Promise<AnswerOf<'grant'>> {
	const {context, journal, secrets, opened} = supervision;
	const files = await filesPlace(context, ask.scope);
	const asked = {...grantCommand({...ask, reference: secret?.reference, files}), id: ask.id};
	decideOn(journal, asked, {actor});
	checkFiles(journal.run, asked, files);
	if (/^(?:secret|model):/.test(asked.scope) && secret?.scope !== asked.scope) {
		throw new Refusal(`the value for ${asked.scope} was not handed over`, 'fleet allow, from this version');
	}

	// Whoever asks may have read other rules, or none.
	const command = await judged(supervision, asked, {ask, actor, secret});

	if (server) {
		supervision.servers.secrets.set(command.scope, server);
	}

	if (secret) {
		secrets.add(secret);
		opened.output?.blank(secrets.values());
		await openBroker(supervision);
	}

	const waits = files && (await opened.files?.give(files));
	try {
		checkFiles(journal.run, command, files);
		const events = record(
			journal,
			{...command, reaches: waits ?? serverWaits(supervision, command.scope) ?? 'now'},
			{actor},
		);
		scheduleExpiry(supervision);
		return {effect: events.flatMap(event => (event.type === 'scope.granted' ? event.effect : []))[0] ?? ''};
	} catch (error) {
		// Nothing is on that is not written down.
		await opened.files?.take(command.scope);
		throw error;
	}
}

async function revoke(
	supervision: Supervision,
	{because, scope: text}: AskOf<'revoke'>,
	{actor}: From,
): Promise<AnswerOf<'revoke'>> {
	const {journal, opened, watch} = supervision;
	const scope = revocable(text, journal.run);
	record(journal, {type: 'revoke', scope, because}, {actor});
	const cut = (opened.session?.proxy.cut() ?? 0) + (await closePorts(supervision));
	scheduleExpiry(supervision);
	hideRevoked(supervision);
	const left = watch.ended ? undefined : await opened.files?.take(scope);
	return {cut, ...(left === undefined ? {} : {left})};
}

/** What an interactive agent painted can only be read at the size that it was painted for. */
function resize({opened, journal}: Supervision, {columns, rows}: TerminalSize): void {
	opened.terminal?.resize(columns, rows);
	if (journal.run.interactive) {
		opened.output?.noteSize({columns, rows});
	}
}

const handlers: {readonly [Type in Ask['type']]: Handler<Type>} = {
	grant,
	revoke,
	stop: halted,
	release: written,
	freeze: halted,
	thaw: halted,
	budget: written,
	dismiss: written,
	acknowledge: written,
	audit: written,
	attach(supervision, {columns, rows}, {send}) {
		const {viewers} = supervision;
		resize(supervision, {columns, rows});
		viewers.add(send);
		return {};
	},
	async input(supervision, {data}) {
		await typeInto(supervision, Buffer.from(data, 'base64'));
		return {};
	},
	async reply(supervision, {text, enter}, {actor}) {
		await typeInto(supervision, Buffer.from(text, 'utf8'), ...(enter ? [Buffer.from('\r')] : []));
		supervision.journal.append({type: 'reply.sent', characters: [...text].length}, actor);
		return {};
	},
	open: (supervision, {port}) => openPort(supervision, port),
	resize(supervision, size) {
		resize(supervision, size);
		return {};
	},
};

/** @throws Refusal for what cannot be done now */
export async function perform(
	supervision: Supervision,
	{ask, actor, secret, server}: Request,
	send: (response: Response) => void,
): Promise<AnswerOf<Ask['type']>> {
	const {id, stage, because} = supervision.journal.run;
	if (!supervision.opened.terminal && ask.type !== 'stop' && ask.type !== 'release') {
		throw new Refusal(
			`${id} is ${stage}: ${because}`,
			stage === 'queued'
				? `fleet stop ${id} takes it out of the queue; fleet resume ${id} starts it where it waits for another run`
				: 'wait until it runs',
		);
	}

	// Each handler takes what it stands under: the record says so, and the lookup forgets it.
	const handle = handlers[ask.type] as Handler<Ask['type']>;
	return handle(supervision, ask, {actor, secret, server, send});
}
