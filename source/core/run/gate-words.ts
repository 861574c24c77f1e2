import {formatDuration} from '../text/time.ts';
import type {EntryOf} from './event.ts';
import {addTests, formatTests} from './test-summary.ts';
import type {TrainPlace} from './train-place.ts';
import type {Told} from './told.ts';

/** With which other runs one was verified, in words. */
export function trainText({place, runs}: TrainPlace): string {
	return `${runs.map(({run}) => run).join(', ')}: verified together, in place ${place} of ${runs.length}`;
}

/* What came of a gate, in words. Others' words are in it, not escaped. */

/** What a verification came to. */
export function verifiedText(entry: EntryOf<'verify.finished'>): Told {
	const {passed, result, steps, because, goesBack, train, keeps} = entry;
	const tests = addTests(steps.map(step => step.tests));
	const words = tests ? formatTests(tests) : because;
	const ms = steps.reduce((sum, step) => sum + step.ms, 0);
	const others = train && train.runs.length > 1 ? `, in a train of ${train.runs.length}` : '';
	const took = ms >= 1000 ? `, in ${formatDuration(ms)}` : '';
	switch (result ?? (passed ? 'passed' : 'failed')) {
		case 'passed': {
			const kept = keeps
				? `; the approval holds${keeps.patch === undefined ? '' : ', since the change is the same'}`
				: '';
			return {kind: 'check', text: `verified: ${words}${took}${others}${kept}`, tone: 'good'};
		}

		case 'failed': {
			const next = goesBack ? `; goes back to the agent, retry ${goesBack.round} of ${goesBack.of}` : '';
			return {kind: 'check', text: `verify failed: ${words}${took}${others}${next}`, tone: 'bad'};
		}

		case 'inconclusive': {
			return {kind: 'check', text: `verify inconclusive: ${because}`, tone: 'warn'};
		}
	}
}
