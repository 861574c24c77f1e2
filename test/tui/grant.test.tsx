import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {EventOf, RunEvent} from '../../source/core/run/event.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import type {Effect, State} from '../../source/tui/state.ts';
import {scopeRows} from '../../source/tui/scope-rows.ts';
import {pressSlowly, text} from './press.ts';
import {update} from '../../source/tui/update.ts';
import {at, run, screens, started, state} from './states.ts';

/* A grant is what is shown and chosen, and no more. */

type EntryTerms = EventOf<'egress.denied'>['terms'];

const begin = Date.parse(at) + 120_000;

function press(from: State, ...keys: string[]): {state: State; effects: Effect[]} {
	const {state: after, effects} = pressSlowly(from, ...keys);
	return {state: after, effects: effects.filter(effect => effect.type === 'act')};
}

const denied = (target: string, count = 1): RunEvent => ({type: 'egress.denied', target, because: 'no', count});
const verbs = (effects: readonly Effect[]) =>
	effects.flatMap(effect =>
		effect.type === 'act' ? [effect.argv, ...(effect.more ?? [])].map(argv => argv.join(' ')) : [],
	);
const asking = state([run('one', started, denied('old.test:443', 3), denied('new.test:443'))]);

test('two keys grant the host that was blocked last, for the shortest time, with a reason that says why', () => {
	const asked = press(asking, '+');
	assert.deepEqual(asked.effects, []);
	assert.match(text(asked.state), /Allow network for one/);
	assert.match(text(asked.state), /▸ \[x\] new\.test:443 {2}blocked 1×, 2m ago/);
	assert.match(
		text(asked.state),
		/ {2}\[ \] old\.test:443 {2}blocked 3×/,
		'what is not chosen is there, and is not granted',
	);
	assert.match(text(asked.state), /The run can send anything it can read to new\.test:443\./);
	assert.match(text(asked.state), /\[1 15m\] +2 1h +3 until 18:00 +4 until the run ends/);
	assert.deepEqual(verbs(press(asked.state, 'return').effects), [
		'allow one network:new.test:443 --because to reach new.test:443 for Mend the parser --for 15m',
	]);
	const hasty = update(update(asking, {type: 'keys', keys: ['+'], at: begin}).state, {
		type: 'keys',
		keys: ['return'],
		at: begin + 100,
	});
	assert.deepEqual([hasty.effects, dialogOf(hasty.state)?.kind], [[], 'allow'], 'not before it could be read');
});

test('several hosts are one verb each, and what it means and the reason follow what is chosen', () => {
	const both = press(asking, '+', 'down', 'space');
	assert.match(text(both.state), /to these 2 hosts/);
	assert.deepEqual(verbs(press(both.state, '2', 'return').effects), [
		'allow one network:new.test:443 --because to reach new.test:443, old.test:443 for Mend the parser --for 1h',
		'allow one network:old.test:443 --because to reach new.test:443, old.test:443 for Mend the parser --for 1h',
	]);
	const none = press(asking, '+', 'space', 'return');
	assert.deepEqual(none.effects, []);
	assert.match(none.state.notice!.text, /select a host/);
	const own = press(asking, '+', 'up', 'ctrl-u', ...'docs', 'up', 'up', 'down', 'space', 'return');
	assert.deepEqual(
		verbs(own.effects).map(verb => / --because (.*) --for/.exec(verb)![1]),
		['docs', 'docs'],
		'a reason that was written stays',
	);
	const pasted = update(press(asking, '+').state, {type: 'paste', text: 'old.test:443\n'});
	assert.deepEqual(verbs(press(pasted.state, 'return').effects), [
		'allow one network:new.test:443 --because to reach new.test:443 for Mend the parser --for 15m',
	]);
});

test('a duration is chosen by its number, and a digit in the reason is a digit', () => {
	const argvOf = (...keys: string[]) => {
		const [effect] = press(asking, '+', ...keys, 'return').effects;
		return effect?.type === 'act' ? effect.argv : [];
	};

	assert.deepEqual(argvOf('3').slice(-2), ['--for', '1078m'], 'two minutes past midnight, until 18:00');
	assert.ok(!argvOf('4').includes('--for'), 'until the run ends');
	assert.deepEqual(argvOf('9').slice(-2), ['--for', '15m']);
	const digit = argvOf('up', 'ctrl-u', '4');
	assert.deepEqual(digit.slice(-4), ['--because', '4', '--for', '15m']);
	const evening = {...asking, now: Date.parse('2026-01-01T19:00:00Z')};
	const late = update(evening, {type: 'keys', keys: ['+']}).state;
	assert.match(text(late), /3 1 day/);
	const step = update(update(late, {type: 'keys', keys: ['3']}).state, {type: 'keys', keys: ['return']});
	assert.deepEqual(step.effects[0]?.type === 'act' && step.effects[0].argv.slice(-2), ['--for', '1d']);
});

test('N ignores the host under the cursor, and grants nothing', () => {
	assert.deepEqual(verbs(press(asking, '+', 'down', 'N').effects), ['dismiss one old.test:443']);
	assert.equal(dialogOf(press(asking, '+', 'N').state), undefined);
});

test('of several runs only those are given a host that asked for it', () => {
	const several: State = {
		...state([
			run('one', started, denied('a.test:443')),
			run('two', started, denied('a.test:443'), denied('b.test:443')),
			run('quiet', started),
		]),
		list: {...asking.list, marked: ['one', 'two', 'quiet']},
	};
	const asked = press(several, '+');
	assert.match(text(asked.state), /Allow network for 2 runs/);
	assert.match(text(asked.state), /a\.test:443 {2}blocked 2×, 2m ago, 2 runs/);
	const granted = verbs(press(asked.state, 'return').effects).map(verb => verb.split(' --')[0]);
	assert.deepEqual(granted, ['allow one network:a.test:443', 'allow two network:a.test:443']);
});

test('where nothing was blocked a scope is named, and nothing is filled in that would be granted by enter', () => {
	const quiet = state([run('one', started)]);
	const asked = press(quiet, '+');
	assert.deepEqual(
		dialogOf(asked.state)!.fields.map(({id, value}) => [id, value]),
		[
			['scope', ''],
			['reason', ''],
			['duration', '15m'],
		],
	);
	assert.deepEqual(press(asked.state, 'return', 'return', 'return').effects, []);
	assert.deepEqual(verbs(press(asked.state, ...'files:/x', 'return', ...'why 2', 'return', '2', 'return').effects), [
		'allow one files:/x --because why 2 --for 1h',
	]);
	// A secret is chosen on the scopes tab by its row; no list of hosts has anything to do with it.
	const scopes = {...screens()['scopes']!};
	assert.equal(scopes.tab, 'scopes');
});

test("what is under an agent's control steers nothing in the question", () => {
	const hostile = state([run('one', started, denied('evil.test:443\u001B[2J'))]);
	const asked = press(hostile, '+');
	assert.doesNotMatch(text(asked.state), /\u001B/);
});

test('a port on which a run listens is granted by one key, and opened by the same key', () => {
	const listening: RunEvent = {type: 'ports.listening', ports: [3000, 9229]};
	const quiet = state([run('one', started)]);
	assert.match(press(quiet, '@').state.notice!.text, /it listens on no port/);
	const found = state([run('one', started, listening)]);
	assert.match(text(press(found, 'return').state), /listens on 3000, 9229/);
	const asked = press(found, '@');
	assert.match(
		text(asked.state),
		/Your browser can show what the run serves on port 3000\. It opens nothing for the run\./,
	);
	assert.deepEqual(verbs(press(asked.state, ...'look', 'return', 'return').effects), [
		'allow one port:3000 --because look --for 15m',
	]);
	const grant = {id: '1', scope: 'port:9229', because: 'x', by: 'person:a', at} as const;
	const granted = state([run('one', started, listening, {type: 'scope.granted', grant, effect: 'now'})]);
	assert.deepEqual(verbs(press(granted, '@').effects), ['open one 9229']);
	assert.match(text(press(granted, 's').state), /port:3000 +a program inside listens on it/);
});

test('on the tab of scopes N ignores the host of the row with the cursor, and no other', () => {
	const scopes: State = {...asking, screen: 'run', tab: 'scopes', scroll: 0};
	const refused = press(scopes, 'N');
	assert.deepEqual(refused.effects, [], 'the row of repo');
	assert.match(refused.state.notice!.text, /the cursor is not on a blocked host/);
	const at = text(scopes)
		.split('\n')
		.filter(line => /\[.\]/.test(line))
		.findIndex(line => line.includes('old.test:443'));
	assert.deepEqual(verbs(press({...scopes, scroll: at}, 'N').effects), ['dismiss one old.test:443']);
	// Where there is no cursor, only one that is the only one.
	const network: State = {...asking, screen: 'run', tab: 'network'};
	assert.match(press(network, 'N').state.notice!.text, /2 hosts were blocked: choose one on the tab scopes/);
	const one = {...network, runs: [run('one', started, denied('new.test:443'))]};
	assert.deepEqual(verbs(press(one, 'N').effects), ['dismiss one new.test:443']);
});

test('a scope that was switched off keeps its row, from where it can be granted again', () => {
	const scope = 'files:/data';
	const granted: RunEvent = {
		type: 'scope.granted',
		grant: {id: 'g', scope, because: 'to read', at, by: 'person:ada', until: undefined},
		effect: 'at the next start',
	};
	const revoked: RunEvent = {type: 'scope.revoked', scope, because: '', cut: 0};
	const rows = (...events: RunEvent[]) =>
		scopeRows(run('one', started, ...events), {now: begin, vault: undefined})
			.filter(row => row.scope === scope)
			.map(({state, note}) => `${state} ${note}`);
	assert.deepEqual(rows(granted, revoked), ['off switched off']);
	assert.deepEqual(rows(granted, {type: 'scope.expired', scope, cut: 0}), ['off expired']);
	assert.deepEqual(rows(granted, revoked, granted), ['on until the run ends: to read'], 'once');
	const host = 'network:old.test:443';
	const again = scopeRows(
		run('one', started, denied('old.test:443'), {type: 'scope.revoked', scope: host, because: '', cut: 0}),
		{now: begin, vault: undefined},
	);
	assert.deepEqual(
		again.filter(row => row.scope === host).map(({note}) => note),
		['blocked 1×: no'],
		'what it was blocked for says more',
	);
});

test('what the rules say is shown before anything is chosen, and what nobody may turn on is not asked about', () => {
	const ruled = (target: string, terms: EntryTerms): RunEvent => ({
		type: 'egress.denied',
		target,
		because: 'no',
		count: 1,
		terms,
	});
	const never = {never: 'network:no.test is never granted (p:3)', says: 'network:no.test is never granted (p:3)'};
	const half = {longest: 30 * 60_000, says: 'for 30m at most (p:4), signed by ada (p:5)'};
	const one = state([run('one', started, ruled('half.test:443', half))]);
	const asked = press(one, '+');
	assert.match(text(asked.state), /Rules +for 30m at most \(p:4\), signed by ada \(p:5\)/);
	assert.match(text(asked.state), /\[1 15m\] +2 30m at most/);
	assert.doesNotMatch(text(asked.state), /until the run ends/);
	assert.match(verbs(press(asked.state, '2', 'return').effects).join(), /--for 30m$/);

	const closed = press(state([run('one', started, ruled('no.test:443', never))]), '+');
	assert.equal(dialogOf(closed.state), undefined);
	assert.match(closed.state.notice!.text, /never granted \(p:3\)/);

	// What may be turned on is offered first; the other one is said to be never granted, and is not.
	const both = press(state([run('one', started, ruled('half.test:443', half), ruled('no.test:443', never))]), '+');
	assert.match(text(both.state), /▸? ?\[x\] half\.test:443/);
	assert.match(text(both.state), /\[ \] no\.test:443 .*never granted/);
	const tried = press(both.state, 'up', 'space', 'return');
	assert.deepEqual(tried.effects, []);
	assert.match(tried.state.notice!.text, /never granted \(p:3\)/);
});
