import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Run} from '../../source/core/run/run.ts';
import {gatesOf} from '../../source/core/run/gates.ts';
import {press, pressSlowly} from './press.ts';
import {exited, run, started, state, verified} from './states.ts';

/* Others are asked to approve a run, and what they signed stands where the approval would. */

const ready = run('one', started, exited, ...verified);

test('others are asked over a remote, or on this machine', () => {
	const argvOf = (...keys: string[]) =>
		pressSlowly({...state([ready]), selected: 'one'}, 'I', ...keys).effects.find(effect => effect.type === 'act')?.argv;
	assert.deepEqual(argvOf('return', ...'demo', 'return'), ['request', 'one', '--to', 'origin', '--because', 'demo']);
	assert.deepEqual(argvOf(...Array.from({length: 6}, () => 'backspace'), 'return', 'return'), ['request', 'one']);
	assert.equal(press({...state([run('works', started)]), selected: 'works'}, 'I').effects.length, 0);
});

test('what was signed so far stands at the approval, and then who signed', () => {
	const approve = (one: Run) => gatesOf(one).find(gate => gate.id === 'approve')!;
	const word = (by: string, decision: 'request' | 'approve', at = ready.verification!.at) => ({
		by,
		decision,
		at,
		word: '',
		because: '',
	});
	const asked = {
		...ready,
		statements: [word('eve', 'approve', '2000-01-01'), word('ada', 'request'), word('bo', 'approve')],
	};
	assert.deepEqual([approve(asked).state, approve(asked).because], ['ready', 'ada: request, bo: approve']);
});
