import {needOf} from '../run/attention.ts';
import {glanceAt} from '../run/glance.ts';
import type {Run} from '../run/run.ts';
import {stageName} from '../run/stages.ts';

/*
 * What a message says of a run: names and words of fleet's own alone. What an agent wrote or asked for, such as a question or
 * a host, stays on this machine: a message goes to others' servers.
 */

/** One run that needs a person. */
export type NeedFact = {
	readonly run: string;
	readonly project: string;
	/** What is needed. */ readonly need: string;
	/** Of its verification, where that is what it needs a person for. */
	readonly verdict: 'passed' | 'failed' | 'inconclusive' | null;
	/** ISO 8601: since when. */ readonly at: string;
};

/** How each outcome of a gate is called, where a person is needed because of it. */
const verdicts: Readonly<Partial<Record<Run['stage'], NeedFact['verdict']>>> = {
	verified: 'passed',
	'verify-failed': 'failed',
	inconclusive: 'inconclusive',
};

/** What a run needs a person for, in words that nobody else chose. */
function wordsOf(run: Run, {kind, because}: NonNullable<ReturnType<typeof needOf>>): string {
	switch (kind) {
		case 'alarm': {
			return 'look at an alarm';
		}

		case 'denied': {
			return 'it was denied the network';
		}

		case 'waiting': {
			if (run.stage === 'frozen') {
				return 'it is paused: continue or stop it';
			}

			return run.status?.state === 'failed' ? 'its agent failed' : 'its agent waits for an answer';
		}

		case 'gate': {
			return because;
		}

		case 'trouble': {
			return run.stage === 'stopped' ? 'its agent failed' : `look at it: ${stageName(run.stage)}`;
		}
	}
}

/** What is told of a run; undefined where it needs nobody. */
export function factOf(run: Run): NeedFact | undefined {
	const need = needOf(run);
	if (!need || !['needs you', 'ready'].includes(glanceAt(run).group)) {
		return undefined;
	}

	return {
		run: run.id,
		project: run.project.id,
		need: wordsOf(run, need),
		verdict: verdicts[run.stage] ?? null,
		at: need.since,
	};
}

/** One of several runs, in a line. */
function lineOf({run, project, need, verdict}: NeedFact): string {
	return `${run} (${project}): ${need}${verdict === null ? '' : `, verification ${verdict}`}`;
}

/** Runs that are named in a message; the others are counted. */
const mostNamed = 20;

/** What a message says of all runs that it is about. */
export function messageOf(facts: readonly NeedFact[]): string {
	const more = facts.length - mostNamed;
	return [
		...facts.slice(0, mostNamed).map(fact => lineOf(fact)),
		...(more > 0 ? [`and ${more} more ${more === 1 ? 'run' : 'runs'}`] : []),
	].join('\n');
}

/** A message's subject. */
export function subjectOf(facts: readonly NeedFact[]): string {
	return facts.length === 1 ? `fleet: ${facts[0]!.run} needs you` : `fleet: ${facts.length} runs need you`;
}
