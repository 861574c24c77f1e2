import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isOutdated, lastMerges} from '../../source/core/run/outdated.ts';
import {glanceOf} from '../../source/tui/list.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import {press, text} from './press.ts';
import {approved, at, exited, run, started, state, verified} from './states.ts';

/* A merge makes what was verified before it outdated, which is said before anybody decides on it; a merge asks. */

const later = (ms: number) => new Date(Date.parse(at) + ms).toISOString();
const merged = (ms: number, commit: string) => ({
	...run('merged', started, exited, ...verified),
	stage: 'merged' as const,
	merge: {target: 'refs/heads/main', commit, checkout: '', at: later(ms)},
});

test('a result that was verified before another merge of its target is outdated, and is not approved', () => {
	const ready = run('ready', started, exited, ...verified);
	const verifiedAt = Date.parse(ready.verification!.at) - Date.parse(at);
	for (const [other, expected] of [
		[merged(verifiedAt + 1000, 'f'.repeat(40)), true],
		[merged(verifiedAt - 1000, 'f'.repeat(40)), false],
		[merged(verifiedAt + 1000, ready.verification!.base), false],
		[{...merged(verifiedAt + 1000, 'f'.repeat(40)), target: 'refs/heads/other'}, false],
		[{...merged(verifiedAt + 1000, 'f'.repeat(40)), project: {id: 'other', name: 'o', root: '/o'}}, false],
	] as const) {
		assert.equal(isOutdated(ready, lastMerges([ready, other])), expected);
	}

	const both = state([ready, merged(verifiedAt + 1000, 'f'.repeat(40))]);
	const glance = glanceOf(ready, both);
	assert.deepEqual([glance.text, glance.next], ['outdated: main moved', 'verify']);
	const refused = press({...both, selected: 'ready'}, 'y');
	assert.equal(dialogOf(refused.state), undefined);
	assert.match(refused.state.notice!.text, /outdated: main moved since; verify again \(v\)/);
});

test('the pipeline says the same of an outdated result as its row: verify again, and no approval counts', () => {
	const ready = run('ready', started, exited, ...verified, approved);
	const verifiedAt = Date.parse(ready.verification!.at) - Date.parse(at);
	const before = {...state([ready]), selected: 'ready', columns: 140, rows: 45};
	assert.match(text(before), / m merge +ready/);
	const after = {...before, runs: [ready, merged(verifiedAt + 1000, 'f'.repeat(40))]};
	for (const shown of [text(after), text({...after, screen: 'gates' as const})]) {
		assert.match(shown, / v verify +outdated: main moved/i);
		assert.doesNotMatch(shown, /passed: 1 command|approve +by a|m merge +ready/i);
	}
});

test('a merge asks first, and says of several which of them have to be verified again', () => {
	const approvedRun = (id: string) => run(id, started, exited, ...verified, approved);
	const one = state([approvedRun('one')]);
	const asked = press(one, 'm');
	assert.deepEqual(asked.effects, []);
	assert.match(text(asked.state), /Merge one into main\?[\s\S]*by a[\s\S]*none by a key/);
	const [done] = press(asked.state, 'y').effects;
	assert.deepEqual(done?.type === 'act' && done.argv, ['merge', 'one']);
	assert.deepEqual(press(asked.state, 'k').effects, []);

	const two = state([approvedRun('one'), approvedRun('two')]);
	const several = press({...two, list: {...two.list, marked: ['one', 'two']}}, 'm');
	assert.match(text(several.state), /1 of them will have to be verified and approved again/);
});

test('one key merges all that is ready, and asks with their order and how each stands', () => {
	const ready = (id: string, ...events: Parameters<typeof run>[1][]) =>
		run(id, started, exited, ...verified, ...events);
	const runs = [ready('waits'), ready('one', approved), ready('two', approved), run('busy', started)];
	const asked = press({...state(runs), selected: 'waits'}, 'Q');
	assert.deepEqual(asked.effects, []);
	const shown = text(asked.state);
	assert.match(
		shown,
		/Merge 3 runs of [^]*into main\?[^]*1 {2}one: approved[^]*2 {2}two: approved[^]*3 {2}waits: verified/,
	);
	const [done] = press(asked.state, 'y').effects;
	assert.deepEqual(done?.type === 'act' && done.argv, ['merge', '--all', '--project', runs[0]!.project.id]);
	const refused = press(state([run('busy', started)]), 'Q');
	assert.match(refused.state.notice!.text, /no run of this project is verified/);
});
