import {escapeLine} from '../core/text/escape-controls.ts';
import {bindingOf, bindings, keyName, keysOf, type Action} from './keymap.ts';
import type {Ended, Undo} from './batch.ts';
import {placeOf, type Message, type State} from './state.ts';

/* What the line below the screen says of a verb that has ended. */

export type Finished = Message & {readonly type: 'done'};

/** Verbs that are typed with a run, and that have no key of their own, or one that does something else. */
const verbsWithoutKey: readonly string[] = ['show', 'clean'];

/** Verbs whose action of the screen has another name. */
const actionNames: Readonly<Record<string, string>> = {diff: 'changes', continue: 'thaw'};

/** The key that does what a verb does, such as `u (continue)`; undefined where there is none. */
function keyOf(state: State, verb: string): string | undefined {
	const action = actionNames[verb] ?? verb;
	const binding = verbsWithoutKey.includes(verb) ? undefined : bindings.find(one => one.action === action);
	const key = binding && keyName(keysOf(binding, state)[0] ?? '');
	if (!binding || !key) {
		return undefined;
	}

	const needsGates = !binding.places.includes(placeOf(state)) && binding.places.includes('gates');
	return `${needsGates ? 'a ' : ''}${key} (${verb})`;
}

/**
 * Writes keys of the screen in place of commands about the same run: `fleet continue RUN` becomes `u (continue)`. It is a
 * translation for people: where a command is worded in another way, it is shown as it is, and nothing else depends on it.
 */
function withKeys(state: State, text: string, run: string | undefined): string {
	if (run === undefined) {
		return text;
	}

	// An option that is a key of its own.
	const plain = text.replaceAll(`fleet resume ${run} --rebase`, `fleet rebase ${run}`);
	return plain.replaceAll(
		new RegExp(`\\bfleet ([a-z]+) ${run}(?=[ ,;)]|$)(?! -)`, 'g'),
		(command: string, verb: string) => keyOf(state, verb) ?? command,
	);
}

/** The verbs that succeeded, as they were run; a pause of all is one of each. */
export function ranOf({ran, argv, code, report}: Finished): ReadonlyArray<readonly string[]> {
	if (argv?.[0] === 'pause' && code === 0) {
		return report?.runs?.map(id => ['pause', id]) ?? [];
	}

	return ran ?? (argv && code === 0 ? [argv] : []);
}

/** What a verb has done to a run, in a word. */
const done: Readonly<Record<string, string>> = {
	discard: 'discarded',
	restore: 'restored',
	pause: 'paused',
	continue: 'continued',
	stop: 'stopped',
	allow: 'granted',
	revoke: 'revoked',
	dismiss: 'ignored',
	verify: 'verified',
	audit: 'audited',
	merge: 'merged',
	acknowledge: 'acknowledged',
};

const keyFor = (state: State, action: Action) => keyName(keysOf(bindingOf(action), state)[0] ?? '');

/** How what was done is taken back, as the end of a notice: `; z restores it`. */
function undoText(state: State, undo: Undo | undefined): string {
	const what: Readonly<Record<Undo['verb'], string>> = {
		restore: 'restores',
		continue: 'continues',
		revoke: 'revokes',
	};
	return undo ? `; ${keyFor(state, 'undo')} ${what[undo.verb]} ${undo.items.length === 1 ? 'it' : 'them'}` : '';
}

/** What a grant was of, for whom and how long. */
function grantText(ran: ReadonlyArray<readonly string[]>): string | undefined {
	const [first] = ran;
	// Other kinds have something to say of their own.
	if (!first || ran.some(([verb, , scope]) => verb !== 'allow' || !scope?.startsWith('network:'))) {
		return undefined;
	}

	const hosts = ran.map(([, , scope]) => escapeLine(scope!.slice('network:'.length)));
	const limit = first.indexOf('--for');
	return `${hosts.join(', ')} granted to ${first[1]}, ${limit === -1 ? 'until it ends' : `for ${first[limit + 1]}`}`;
}

/** The end of a verb that says how it is taken back, or what comes after it; undefined where its own words are enough. */
function doneText(state: State, message: Finished, undo: Undo | undefined): string | undefined {
	const ran = ranOf(message);
	const [verb, run = ''] = ran[0] ?? [];
	if (message.code !== 0) {
		return undefined;
	}

	switch (verb) {
		case 'pause': {
			const count = ran.length;
			const own = `; ${keyFor(state, 'thaw')} continues ${count === 1 ? 'it' : 'one'}`;
			const end = undoText(state, undo) || own;
			return count === 1 && message.run !== undefined
				? `${run} is paused${end}, ${keyFor(state, 'stop')} stops it`
				: `${count} ${count === 1 ? 'run is' : 'runs are'} paused${end}`;
		}

		case 'discard': {
			return `discarded ${run}${undoText(state, undo) || `; ${keyFor(state, 'restore')} restores it`}`;
		}

		case 'allow': {
			const text = grantText(ran);
			return text === undefined ? undefined : `${text}${undoText(state, undo)}`;
		}

		case 'revoke': {
			// Its own words say what is cut, or stays; of several they would name the last alone.
			const scopes = ran.map(([, , scope]) => escapeLine(scope ?? ''));
			const text =
				scopes.length > 1
					? `${scopes.join(', ')} are off for ${run}`
					: withKeys(state, plainText(message), message.run);
			return `${text}; ${keyFor(state, 'grant')} grants again`;
		}

		case 'stop': {
			return `${run} is stopped; its work is kept, ${keyFor(state, 'resume')} starts another attempt`;
		}

		default: {
			return undefined;
		}
	}
}

/** How the verbs of a batch ended, in one line. */
export function batchText(
	state: State,
	title: string,
	{ends, undo}: {readonly ends: readonly Ended[]; readonly undo: Undo | undefined},
): string {
	const good = ends.filter(({isGood}) => isGood);
	const failed = ends.filter(({isGood}) => !isGood);
	const verb = good[0]?.ran[0]?.[0];
	const word = verb === undefined ? title : (done[verb] ?? title);
	const count = failed.length === 0 ? `${good.length}` : `${good.length} of ${ends.length}`;
	const [first] = failed;
	const rest = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
	const because = first ? `; ${first.run === '' ? '' : `${first.run}: `}${first.text}${rest}` : '';
	return `${word}: ${count} runs${undoText(state, undo)}${because}`;
}

/** What the verb reported of its end, or a line that it printed. */
function plainText({title, then, code, stdout, stderr, report}: Finished): string {
	const because = report?.refusal ?? report?.outcome;
	if (because) {
		const hint = because.hint === undefined ? '' : `; hint: ${because.hint}`;
		return escapeLine(`${because.because}${hint}`);
	}

	const lines = (code === 0 ? stdout : stderr || stdout)
		.split('\n')
		.map(line => escapeLine(line).trim())
		.filter(line => line !== '');
	if (code === 0 && then === 'added') {
		// Without what verifies its results nothing of a project can be merged: how that is set is said at once.
		const next = lines.find(line => line.startsWith('to try it') || line.startsWith('no verify commands yet'));
		return [lines[0] ?? 'added', ...(next === undefined ? [] : [next])].join('; ');
	}

	// What it prints after its first line is for who reads it in a shell.
	const isFirst = code === 0 && then === 'started';
	return (isFirst ? lines[0] : lines.at(-1)) ?? `${title}: ${code === 0 ? 'done' : 'failed'}`;
}

/** The end of a verb, in one line. */
export function noticeOf(state: State, message: Finished, undo: Undo | undefined): string {
	const told = doneText(state, message, undo);
	if (told !== undefined) {
		return told;
	}

	const text = withKeys(state, plainText(message), message.run);
	const earlier = message.code === 0 ? 0 : (message.ran?.length ?? 0);
	return `${text}${message.code === 0 ? undoText(state, undo) : ''}${earlier === 0 ? '' : ` (${earlier} done before it)`}`;
}
