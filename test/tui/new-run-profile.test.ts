import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {ProfileView} from '../../source/protocol/client.ts';
import {formOf} from '../../source/tui/focus.ts';
import {update} from '../../source/tui/update.ts';
import {press} from './press.ts';
import {state} from './states.ts';

/* What the form of a new run says of the person's own agent. */

const profile = (of: ProfileView['state'], changes: ProfileView['changes'] = null): ProfileView => {
	return {agent: 'codex', state: of, files: [{path: '.codex/AGENTS.md'}, {path: '.codex/prompts/a.md'}], changes};
};

const fresh = state([]);

/** The form for Codex, with what is known of its profile; and the field about it. */
function open(known: readonly ProfileView[]) {
	const {state: opened, effects} = press(fresh, 'n');
	const told = update(opened, {type: 'profiles', profiles: known}).state;
	const at = formOf(told)!.fields.findIndex(({id}) => id === 'agent');
	const {state: chosen} = press(told, ...Array.from({length: at - formOf(told)!.at}, () => 'down'), 'right');
	return {effects, chosen, field: formOf(chosen)!.fields.find(({id}) => id === 'profile')};
}

/** What is started, with this answer. */
function started(from: typeof fresh, answer: string): string[] {
	const form = formOf(from)!;
	const fields = form.fields.map(field => {
		const values: Record<string, string> = {prompt: 'do it', profile: answer};
		return values[field.id] === undefined ? field : {...field, value: values[field.id]!};
	});
	const {effects} = press({...from, focus: {type: 'form', form: {...form, fields}}}, 'ctrl-s');
	return (effects[0] as unknown as {argv: string[]}).argv;
}

test('the form asks what there is of a profile, and offers what can be answered', () => {
	const approved = open([profile('approved')]);
	assert.ok(approved.effects.some(({type}) => type === 'profiles'));
	assert.deepEqual([approved.field?.value, approved.field?.choices], ['yes', ['yes', 'no']]);
	assert.ok(!started(approved.chosen, 'yes').some(word => word.includes('profile')));
	assert.ok(started(approved.chosen, 'no').includes('--no-profile'));

	const unknown = open([profile('new')]);
	assert.equal(unknown.field?.value, 'not now');
	assert.match(unknown.field?.hint ?? '', /2 files of yours, not approved: fleet profile codex$/);
	assert.ok(!started(unknown.chosen, 'not now').some(word => word.includes('profile')));
	assert.ok(started(unknown.chosen, 'approve it').includes('--profile'));

	const changed = open([profile('changed', {added: ['a'], changed: ['b'], removed: []})]);
	assert.match(changed.field?.hint ?? '', /changed \(1 changed, 1 added\): fleet profile codex$/);

	const meanwhile = update(unknown.chosen, {type: 'profiles', profiles: [profile('approved')]}).state;
	assert.equal(formOf(meanwhile)!.fields.find(({id}) => id === 'profile')?.value, 'yes', 'the other question anew');

	assert.equal(open([profile('none')]).field, undefined);
	assert.equal(open([]).field, undefined);
});
