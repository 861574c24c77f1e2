import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Run} from '../../source/core/run/run.ts';
import type {FleetClient} from '../../source/protocol/client.ts';
import {dialogOf, formOf} from '../../source/tui/focus.ts';
import {withForm} from '../../source/tui/forms/new-run.ts';
import type {Effect, Message, State} from '../../source/tui/state.ts';
import {Store} from '../../source/tui/store.ts';
import {pressSlowly, text} from './press.ts';
import {update} from '../../source/tui/update.ts';
import {at, denied, exited, run, started, state, verified} from './states.ts';

/* What is done to several runs at once is said in one notice, and the last thing done is taken back by one key. */

const begin = Date.parse(at) + 120_000;
/** A host that is granted for so long. */
const grantFor = (ms: number) => ({
	id: '1',
	scope: 'network:a.test:443',
	because: 'x',
	by: 'person:a' as const,
	at,
	until: new Date(begin + ms).toISOString(),
});
type Act = Effect & {readonly type: 'act'};

function press(from: State, ...keys: string[]): {state: State; effects: Act[]} {
	const {state: after, effects} = pressSlowly(from, ...keys);
	return {state: after, effects: effects.filter((effect): effect is Act => effect.type === 'act')};
}

const verbs = (effects: readonly Act[]) => effects.map(({argv}) => argv.join(' '));

/** The end of a verb, after which its run is as given. */
function end(
	from: State,
	effect: Act,
	changes: Partial<Run> = {},
	result: Partial<Message & {type: 'done'}> = {},
): State {
	const runs = from.runs.map(own => (own.id === effect.run ? {...own, ...changes} : own));
	const seen = update(from, {type: 'data', runs, projects: from.projects, now: from.now}).state;
	return update(seen, {
		type: 'done',
		run: effect.run,
		title: effect.title,
		then: effect.then,
		argv: effect.argv,
		batch: effect.batch,
		code: 0,
		stdout: 'words of the verb\n',
		stderr: '',
		...(effect.argv[0] === 'pause' ? {report: {runs: [effect.run!]}} : {}),
		...result,
	}).state;
}

const marked = (runs: readonly Run[]): State => {
	const from = state(runs);
	return {...from, list: {...from.list, marked: runs.map(({id}) => id)}};
};

const ready = (id: string) => run(id, started, exited, ...verified);

test('z takes back the last discard, pause and grant, and the notice says so', () => {
	const discarded = press(state([run('one', started, exited)]), 'D', 'return');
	const after = end(discarded.state, discarded.effects[0]!, {stage: 'discarded'});
	assert.equal(after.notice!.text, 'discarded one; z restores it');
	const back = press(after, 'z');
	assert.deepEqual(verbs(back.effects), ['restore one']);
	assert.match(press(back.state, 'z').state.notice!.text, /nothing to undo/, 'once');

	const paused = press(state([run('one', started)]), '!');
	const frozen = end(paused.state, paused.effects[0]!, {stage: 'frozen'});
	assert.equal(frozen.notice!.text, 'one is paused; z continues it, x stops it');
	assert.deepEqual(verbs(press(frozen, 'z').effects), ['continue one']);

	const granted = press(state([run('one', started, denied)]), '+', 'return');
	const grant = grantFor(900_000);
	const may = end(granted.state, granted.effects[0]!, {grants: [grant]});
	assert.equal(may.notice!.text, 'a.test:443 granted to one, for 15m; z revokes it');
	assert.deepEqual(verbs(press(may, 'z').effects), ['revoke one network:a.test:443']);
	assert.match(text(press(may, '?').state), /z +undo the last discard, pause or grant/);
});

test('z takes back the last thing or nothing: what was done before it stays', () => {
	const both = [run('one', started, exited), run('two', started, denied, exited)];
	const discarded = press(state(both, {selected: 'one'}), 'D', 'return');
	const after = end(discarded.state, discarded.effects[0]!, {stage: 'discarded'});
	const two: State = {...after, selected: 'two', screen: 'run', tab: 'network'};
	const ignored = press(two, 'N');
	const done = end(ignored.state, ignored.effects[0]!, {denials: []});
	const nothing = press(done, 'z');
	assert.deepEqual(nothing.effects, [], 'the run that was discarded before is not restored in its place');
	assert.match(nothing.state.notice!.text, /ignoring a\.test:443 stays; \+ grants network:a\.test:443/);
	const again = press({...done, selected: 'two', screen: 'fleet'}, 'D', 'return');
	const last = end(again.state, again.effects[0]!, {stage: 'discarded'});
	assert.deepEqual(verbs(press(last, 'z').effects), ['restore two']);
});

test('of several grants that are taken back, each is named', () => {
	const one = state([run('one', started)], {busy: {one: 'revoke'}});
	const argv = ['revoke', 'one', 'network:b.test:443'];
	const message = {type: 'done', run: 'one', title: 'revoke', argv, code: 0, stdout: 'b is off\n', stderr: ''} as const;
	const ran = [['revoke', 'one', 'network:a.test:443'], argv];
	assert.equal(
		update(one, {...message, then: undefined, ran}).state.notice!.text,
		'network:a.test:443, network:b.test:443 are off for one; + grants again',
	);
});

test('what can not be taken back any more is not offered', () => {
	const discarded = press(state([run('one', started, exited)]), 'D', 'return');
	const refused = end(discarded.state, discarded.effects[0]!, {}, {code: 3, stderr: 'no\n'});
	assert.match(press(refused, 'z').state.notice!.text, /nothing to undo/);
	const after = end(discarded.state, discarded.effects[0]!, {stage: 'discarded'});
	const elsewhere = update(after, {
		type: 'data',
		runs: [{...after.runs[0]!, stage: 'stopped'}],
		projects: after.projects,
		now: after.now,
	}).state;
	assert.deepEqual(press(elsewhere, 'z').effects, []);
	const paused = press(state([run('one', started)]), '!');
	const stopped = end(paused.state, paused.effects[0]!, {stage: 'stopped'});
	assert.doesNotMatch(stopped.notice!.text, /\bz\b/);
	assert.deepEqual(press(stopped, 'z').effects, []);
	// A grant that has expired.
	const granted = press(state([run('one', started, denied)]), '+', 'return');
	const grant = grantFor(10_000);
	const may = end(granted.state, granted.effects[0]!, {grants: [grant]});
	assert.match(press({...may, now: begin + 60_000, keyAt: begin + 60_000}, 'z').state.notice!.text, /nothing to undo/);
});

test('several that are discarded or paused end in one notice with their number, and come back by one key', () => {
	const asked = press(marked([run('one', started, exited), run('two', started, exited)]), 'D');
	assert.match(text(asked.state), /Discard 2 runs\?[^]*Runs {5}one, two/);
	const {state: going, effects} = press(asked.state, 'return');
	const half = end(going, effects[0]!, {stage: 'discarded'});
	assert.equal(half.notice!.text, 'discard: 1 of 2 ended');
	const whole = end(half, effects[1]!, {stage: 'discarded'});
	assert.deepEqual([whole.notice, whole.batches], [{text: 'discarded: 2 runs; z restores them', bad: false}, {}]);
	assert.deepEqual(verbs(press(whole, 'z').effects), ['restore one', 'restore two']);
	const partly = end(half, effects[1]!, {}, {code: 3, report: {refusal: {because: 'it is in use', hint: 'wait'}}});
	assert.deepEqual(partly.notice, {
		text: 'discarded: 1 of 2 runs; z restores it; two: it is in use; hint: wait',
		bad: true,
	});
	assert.deepEqual(verbs(press(partly, 'z').effects), ['restore one']);

	const all = press(state([run('one', started), run('two', started)]), 'ctrl-x', 'y');
	const frozen = {
		...all.state,
		runs: all.state.runs.map(own => ({...own, stage: 'frozen' as const})),
	};
	const paused = end(frozen, all.effects[0]!, {}, {report: {runs: ['one', 'two']}});
	assert.equal(paused.notice!.text, '2 runs are paused; z continues them');
	assert.deepEqual(verbs(press(paused, 'z').effects), ['continue one', 'continue two']);
});

test('selected runs are verified, audited and merged one after the other, those alone for which it can be done', () => {
	const runs = [run('one', started, exited), run('two', started, exited), run('busy', started)];
	const {state: going, effects} = press(marked(runs), 'v');
	assert.deepEqual(verbs(effects), ['verify one', 'verify two']);
	assert.ok(effects.every(({batch}) => batch?.isSerial && batch.size === 2));
	const half = end(going, effects[0]!, {stage: 'verified'});
	const whole = end(half, effects[1]!, {}, {code: 3, report: {outcome: {because: '2 tests failed'}}});
	assert.deepEqual(whole.notice, {text: 'verified: 1 of 2 runs; two: 2 tests failed', bad: true});
	assert.deepEqual(verbs(press(marked(runs), 'c').effects), [
		'audit one --json --progress',
		'audit two --json --progress',
		'audit busy --json --progress',
	]);
	assert.match(press(marked([run('a', started), run('b', started)]), 'v').state.notice!.text, /any of the 2 selected/);
	assert.deepEqual(press(marked([ready('a'), ready('b')]), 'm').effects, [], 'nothing is merged that is not approved');
});

test('selected runs are approved one question after the other', () => {
	const first = press(marked([ready('one'), ready('two'), run('busy', started), ready('three')]), 'y');
	assert.match(text(first.state), /Approve one for main \(1 of 3\)/);
	assert.match(text(first.state), /ctrl-n skip {2}esc stop/);
	// A merge moves the target of the others, which is said before it is decided on.
	assert.match(
		text({...first.state, columns: 200}),
		/Then +its merge \(m\) makes two, three outdated: they have to be verified \(v\) and approved again/,
	);
	const elsewhere = press(marked([ready('one'), {...ready('two'), target: 'refs/heads/next'}]), 'y');
	assert.doesNotMatch(text(elsewhere.state), /outdated/);
	const second = press(first.state, ...'yes', 'return');
	assert.deepEqual(verbs(second.effects), ['approve one']);
	assert.match(text(second.state), /Approve two for main \(2 of 3\)/);
	assert.equal(dialogOf(second.state)!.fields[0]!.value, '', 'each is answered for itself');
	assert.equal(second.state.selected, 'two');
	const skipped = press(second.state, 'ctrl-n');
	assert.deepEqual(skipped.effects, []);
	assert.match(text(skipped.state), /Approve three for main \(3 of 3\)/);
	const last = press(skipped.state, ...'yes', 'return');
	assert.deepEqual([verbs(last.effects), dialogOf(last.state)], [['approve three'], undefined]);
	const stopped = press(second.state, 'escape');
	assert.deepEqual([stopped.effects, dialogOf(stopped.state)], [[], undefined]);
	assert.equal(stopped.state.notice!.text, 'stopped: 2 of 3 not decided');
	// What was refused stays, with its place.
	const wrong = press(first.state, ...'no', 'return');
	assert.match(text(wrong.state), /Approve one for main \(1 of 3\)/);
	assert.equal(press(marked([ready('one'), run('busy', started)]), 'y').state.selected, 'one', 'one alone is no queue');
});

test('verbs that wait for each other are begun one at a time, and several about one run stop at the first that fails', async () => {
	const from = state([run('one', started, denied), ready('two')]);
	const asked: string[] = [];
	const open: Array<(code: number) => void> = [];
	const client = {
		here: from.here,
		colours: 0,
		now: () => begin,
		timeOfDay: () => 0,
		runs: () => from.runs,
		changes: () => ({}),
		projects: () => from.projects,
		agents: async () => [],
		journal: () => [],
		activity: () => Promise.resolve({lines: [], today: {requests: 0, tokens: 0, dollars: 0, unpriced: 0}}),
		watch: () => () => {},
		watchLog: () => () => {},
		openLog: () => ({range: () => ({from: 0, to: 0}), read: () => new Uint8Array(), close() {}}),
		act: (argv: readonly string[]) =>
			new Promise(resolve => {
				asked.push(argv.join(' '));
				open.push(code => resolve({code, stdout: '', stderr: 'no\n'}));
			}),
		settings: async () => ({settings: from.settings, problem: undefined}),
		recent: async () => ({commands: [], prompts: []}),
		terminal: {title() {}, bell() {}, notify() {}, copy: async () => '', mouse() {}, askBackground() {}},
	} as unknown as FleetClient;
	const settle = () => new Promise(resolve => setTimeout(resolve, 5));
	const listed = {...from, list: {...from.list, marked: ['one', 'two']}};
	const store = new Store(client, {columns: 100, rows: 30}, {onLeave: () => {}, resumeFrom: listed});
	await settle();
	asked.length = 0;
	open.length = 0;
	store.send({type: 'keys', keys: ['c']});
	await settle();
	assert.deepEqual(asked, ['audit one --json --progress'], 'the second waits');
	open[0]!(0);
	await settle();
	assert.deepEqual(asked.slice(1), ['audit two --json --progress']);
	open[1]!(0);
	await settle();
	store.close();

	const {perform} = await import('../../source/tui/perform.ts');
	asked.length = 0;
	open.length = 0;
	const messages: Message[] = [];
	const done = perform(
		client,
		{
			type: 'act',
			run: 'one',
			argv: ['allow', 'a'],
			more: [
				['allow', 'b'],
				['allow', 'c'],
			],
			title: 'allow',
		},
		message => messages.push(message),
	);
	await settle();
	open[0]!(0);
	await settle();
	open[1]!(3);
	await done;
	assert.deepEqual(asked, ['allow a', 'allow b']);
	const [message] = messages;
	assert.ok(message?.type === 'done');
	assert.deepEqual([message.code, message.argv, message.ran], [3, ['allow', 'b'], [['allow', 'a']]]);
	assert.match(update(from, message).state.notice!.text, /no \(1 done before it\)/);
});

test('with runs selected, the footer says how many, and what can be done to them', () => {
	const runs = [ready('one'), ready('two'), run('busy', started)];
	const footer = (from: State) => text(from).split('\n').at(-1)!;
	const both = {...marked(runs), columns: 140, selected: 'busy'};
	assert.match(footer(both), /^ +3 selected: {2}v verify {2}y approve {2}\+ grant {2}x stop {2}D discard {2}= compare/);
	assert.match(footer(both), /esc none$/);
	assert.doesNotMatch(footer(both), /attach|terminal|m merge/);
	assert.match(footer({...both, columns: 80}), /^ +3 selected: .*esc none$/);
	assert.doesNotMatch(footer(press(both, 'escape').state), /selected/);
});

test('all are selected that are shown, and none in a folded group', () => {
	const rejected = {...run('rejected', started, exited, ...verified), stage: 'rejected' as const};
	const list = state([run('works', started), run('waits', started, exited, ...verified), rejected]);
	assert.match(text(list), /▸ Done/);
	assert.deepEqual(new Set(press(list, '*').state.list.marked), new Set(['works', 'waits']));
	const open = {...list, list: {...list.list, folded: []}};
	assert.deepEqual(new Set(press(open, '*').state.list.marked), new Set(['works', 'waits', 'rejected']));
	assert.deepEqual(press(list, '*', '*').state.list.marked, []);
});

test('several new runs that have a question are asked in the terminal one after the other, and none is lost', () => {
	const prompts = {...state([run('one', started)]), now: begin};
	const form = press(prompts, 'n', ...'true', 'return', ...'do it', 'ctrl-x');
	const extended = formOf(form.state)!;
	const fields = extended.fields.map(field => (field.id === 'variants' ? {...field, value: '3'} : field));
	const asked = press(withForm(form.state, {...extended, fields}), 'ctrl-s');
	assert.equal(asked.effects.length, 3);
	const ended = (from: State, effect: Act, code: number) =>
		update(from, {
			type: 'done',
			run: undefined,
			title: effect.title,
			then: effect.then,
			argv: effect.argv,
			...(effect.batch === undefined ? {} : {batch: effect.batch}),
			code,
			stdout: '',
			stderr: '',
			report:
				code === 0
					? {runs: ['two']}
					: {refusal: {code: 'needs-person', because: 'a passphrase has to be typed', hint: 'x'}},
		});
	const [first, second, third] = asked.effects;
	const one = ended(asked.state, first!, 2);
	assert.deepEqual([one.effects, one.state.isStarting], [[], true], 'the screen waits for the others');
	const two = ended(one.state, second!, 2);
	assert.deepEqual(two.effects, []);
	const all = ended(two.state, third!, 2);
	assert.deepEqual(all.effects, [
		{
			type: 'terminal',
			argv: first!.argv,
			pause: true,
			more: [{argv: second!.argv}, {argv: third!.argv}],
		},
	]);
	assert.equal(all.state.notice!.text, 'new run: 3 runs asked in the terminal');
	// The one that needs no answer is the last to end.
	assert.deepEqual(ended(two.state, third!, 0).effects, [
		{type: 'terminal', argv: first!.argv, pause: true, more: [{argv: second!.argv}]},
	]);
});
