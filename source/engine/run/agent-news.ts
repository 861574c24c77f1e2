import type {AgentNews} from '../../core/seams.ts';
import {note, type Supervision} from './supervision.ts';

/* Whether the agent works or waits for a person: by its own words, and by what is seen from outside. */

/** How long an agent may be silent before it is said to wait, and a program that reads the keyboard: milliseconds. */
const [silenceMs, readingMs] = [20_000, 1500];

/**
 * What the agent's own words say. They come as fast as it likes to write them, so they are counted as requests are.
 */
export function hear(supervision: Supervision, {status, conversation}: AgentNews): void {
	const {journal, counter} = supervision;
	const {run} = journal;
	if (
		conversation !== undefined &&
		conversation !== run.conversation &&
		typeof conversation === 'string' &&
		/^[\w:.-]{1,100}$/.test(conversation) &&
		counter.count('conversation').write
	) {
		note(supervision, {type: 'agent.conversation', conversation}, false);
	}

	if (
		status &&
		(status.state !== run.status?.state || status.because !== run.status.because) &&
		counter.count(`status ${status.state}`).write
	) {
		note(supervision, {type: 'agent.status', state: status.state, because: status.because.slice(0, 300)}, false);
	}
}

/**
 * Says that somebody is waited for, by what is seen from outside: a program
 * that reads the keyboard, or an agent that could and does nothing else.
 * @param rests whether no process of it worked since the last look
 */
export function notice(supervision: Supervision, reads: boolean, rests: boolean): void {
	const {journal, context, watch, model} = supervision;
	const {run} = journal;
	if (run.stage !== 'running') {
		return;
	}

	const silent = Date.now() - watch.lastOutputAt > silenceMs && rests && model.unanswered === 0;
	const canWait = run.interactive || !context.agents.find(agent => agent.id === run.agent)?.read;
	let because: string | undefined;
	if (reads && rests && Date.now() - watch.lastOutputAt > readingMs) {
		because = 'waiting for input';
	} else if (silent && canWait && run.agent !== 'command') {
		because = 'idle: no output, and no program runs';
	}

	if (because !== undefined && run.status?.state !== 'waiting') {
		note(supervision, {type: 'agent.status', state: 'waiting', because}, false);
	} else if (because === undefined && run.status?.state === 'waiting' && Date.now() - watch.lastOutputAt < silenceMs) {
		note(supervision, {type: 'agent.status', state: 'working', because: 'continued'}, false);
	}
}
