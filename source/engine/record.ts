import type {Actor} from '../core/actor.ts';
import {orThrow} from '../core/refusal.ts';
import type {Command} from '../core/run/command.ts';
import {decide} from '../core/run/decide.ts';
import type {RunEvent} from '../core/run/event.ts';
import type {Journal} from '../host/journal.ts';

/** Who commands, and when: milliseconds, by default now. */
export type By = {readonly actor: Actor; readonly now?: number};

/** What comes of a command, before anything of it is done. @throws Refusal */
export function decideOn(journal: Journal, command: Command, {actor, now = Date.now()}: By): RunEvent[] {
	return orThrow(decide(journal.run, command, {actor, now}));
}

/**
 * Decides about a run whose journal is held, and writes down what comes of it.
 * @returns the events
 * @throws Refusal; then nothing is written
 */
export function record(journal: Journal, command: Command, by: By): RunEvent[] {
	const events = decideOn(journal, command, by);
	for (const event of events) {
		// What was asked for from inside is the agent's, whoever found it out.
		const isAgents = command.type === 'audit' && event.type === 'gate.refused';
		journal.append(event, isAgents ? `agent:${journal.run.id}` : by.actor, !isAgents);
	}

	return events;
}
