import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {RunEvent} from '../../source/core/run/event.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {press, text} from './press.ts';
import {approved, exited, run, started, state, verified} from './states.ts';

/* What a row offers as the next step is what the key does, and can be done. */

const offering = (verify: string[]): State['offers'] => ({
	p: {
		branches: ['main'],
		prompts: [],
		network: [],
		approveWord: null,
		approveSigned: false,
		verify,
		suggestedVerify: 'make test',
		deploy: {},
	},
});

test('where there is no verify command, the row and the pipeline offer to set one', () => {
	const one = state([run('one', started, exited)], {offers: offering([])});
	assert.match(text(one), /one .* v set verify/);
	assert.match(text({...one, screen: 'gates'}), /Verify .*\(there is no verify command: v sets one\)/);
	const set = {...one, offers: offering(['make test'])};
	assert.match(text(set), /one .* v verify/);
	assert.doesNotMatch(text({...set, screen: 'gates'}), /v sets one/);
});

test('a verification that found no command offers to set one, although the policy was not read yet', () => {
	const verification = {...run('v', started, exited, ...verified).verification!, doubt: 'no-commands' as const};
	const one = {...run('one', started, exited), stage: 'inconclusive' as const, verification};
	assert.match(text(state([one], {offers: {}})), /one .*no verify command .* v set verify/);
	const asked = press(state([one], {offers: {}}), 'v');
	assert.match(text(asked.state), /has no verify command/);
	assert.deepEqual(asked.effects, [{type: 'offer', project: 'p'}]);
	const suggested = update(asked.state, {type: 'offer', project: 'p', offer: offering([])['p']!}).state;
	assert.match(text(suggested), /Command +make test/);
	// Once there is one, it has to be run.
	assert.match(text(state([one], {offers: offering(['make test'])})), /one .* v verify/);
});

test('a discard says that it voids what there is, and nothing else', () => {
	const asked = (...events: RunEvent[]) => text(press(state([run('one', started, exited, ...events)]), 'D').state);
	assert.doesNotMatch(asked(), /Void/);
	const failed = verified.map(event =>
		event.type === 'verify.finished' ? {...event, passed: false, result: 'failed' as const} : event,
	);
	assert.doesNotMatch(asked(...failed), /Void/, 'what failed is worth nothing');
	assert.match(asked(...verified), /Void +verification(?! and)/);
	assert.match(asked(...verified, approved), /Void +verification and approval/);
});

test('a run that waits for one that will not end well can be started anyway, or discarded', () => {
	const because = 'waits for first, which is stopped';
	const waits = {...run('second', {type: 'run.queued', because, stuck: true}), after: 'first'};
	for (const columns of [100, 140]) {
		const one = state([waits], {columns, rows: 40});
		assert.match(text(one), /second .*waits for first, which is .* r start/);
		assert.match(text(one), /Queue +waits for first, which is stopped: r[^]*starts it anyway, D discards it/);
		const asked = press(one, 'r');
		assert.deepEqual(asked.effects, []);
		assert.match(text(asked.state), /Start second without waiting for first\?/);
		const [start] = press(asked.state, 'y').effects;
		assert.deepEqual(start?.type === 'act' && start.argv, ['resume', 'second']);
		const [discard] = press(one, 'D', 'return').effects;
		assert.deepEqual(discard?.type === 'act' && [discard.argv, discard.more], [
			['stop', 'second'],
			[['discard', 'second']],
		]);
	}

	// One that waits for its turn alone has nothing to be released from.
	const turn = state([run('one', {type: 'run.queued', because: 'run limit reached: 1 at once'})]);
	assert.match(press(turn, 'r').state.notice!.text, /one is queued/);
});

test('a verify command that was set in a shell meanwhile is not asked for again', () => {
	const one = state([run('one', started, exited)], {offers: offering([])});
	const asked = press(one, 'v');
	assert.match(text(asked.state), /has no verify command/);
	assert.deepEqual(asked.effects, [{type: 'offer', project: 'p'}], 'what was read before may be old');
	const offer = offering(['make test'])['p']!;
	const known = update(asked.state, {type: 'offer', project: 'p', offer}).state;
	assert.doesNotMatch(text(known), /has no verify command/);
	assert.match(text(known), /there is a verify command now: v verifies/);
	assert.ok(press(known, 'v').effects.some(effect => effect.type === 'act' && effect.argv[0] === 'verify'));
	// What a person has written meanwhile stays.
	const typed = press(asked.state, 'x').state;
	assert.match(text(update(typed, {type: 'offer', project: 'p', offer}).state), /Command +make testx/);
});

test('a run that was merged stays so where its folder is deleted', () => {
	const merge = {...run('one', started, exited, ...verified, approved), merge: {commit: 'a'.repeat(40)}};
	const gone = {...merge, stage: 'discarded'} as unknown as State['runs'][number];
	const other = {...run('two', started, exited), stage: 'discarded' as const};
	const shown = state([gone, other], {columns: 140});
	const all = text({...shown, list: {...shown.list, discarded: true}});
	assert.match(all, /one .*merged aaaaaaa, folder deleted/);
	assert.match(all, /two .*discarded/);
	const folded = text({...shown, runs: [...shown.runs, run('new', started)], list: {...shown.list, discarded: true}});
	assert.match(folded, /Done +merged 1 · discarded 1/);
});

test('a project that was added says what is missing before anything of it can be merged', () => {
	const added = (stdout: string) =>
		update(state([]), {type: 'done', run: undefined, title: 'add', then: 'added', code: 0, stdout, stderr: ''}).state
			.notice!.text;
	assert.equal(added('added p, /p\n'), 'added p, /p');
	const proposed = '  found npm: package.json\n  proposed, and not tried:\n    verify:\n      - npm test\n';
	const tries = 'to try it, and commit what passes: fleet project add /p --yes';
	assert.equal(added(`added p, /p\n${proposed}  ${tries}\n`), `added p, /p; ${tries}`);
	const none = 'no verify commands yet, so nothing can be merged: fleet project init p --verify "npm test"';
	assert.equal(added(`added p, /p\n  ${none}\n`), `added p, /p; ${none}`);
});
