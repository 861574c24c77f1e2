import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Entry} from '../../source/core/run/event.ts';
import {textLines} from './press.ts';
import {at, run, started, state} from './states.ts';

/* What a run asked the network for. */

const denied = (target: string, count: number, seq: number): Entry => ({
	type: 'egress.denied',
	target,
	because: 'the host is not granted',
	count,
	seq,
	at,
	actor: 'fleet',
	prev: '',
});

test('a request to a metadata service stands first, and is said to be one', () => {
	const lines = textLines(
		state([run('one', started)], {
			screen: 'run',
			tab: 'network',
			selected: 'one',
			journal: [denied('a.test:443', 30, 1), denied('169.254.169.254:80', 1, 2)],
		}),
	).filter(line => line.startsWith(' blocked'));
	assert.match(lines[0]!, /169\.254\.169\.254:80 {2}! cloud metadata, hands out credentials: the host/);
	assert.match(lines[1]!, /a\.test:443 {2}the host is not granted/);
});
