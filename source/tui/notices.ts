import {escapeLine} from '../core/text/escape-controls.ts';
import {bindings, keyName, keysOf} from './keymap.ts';
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

/** How many runs were paused; undefined where the verb did not pause any. */
function pausedText({argv, code, report, run}: Finished): string | undefined {
	const count = argv?.[0] === 'pause' && code === 0 ? (report?.runs?.length ?? 0) : 0;
	if (count === 0) {
		return undefined;
	}

	return count === 1 && run !== undefined
		? `${run} is paused; u continue · x stop`
		: `${count} ${count === 1 ? 'run is' : 'runs are'} paused; u continue · * select all`;
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
	// What these print after their first line is for who reads it in a shell.
	const isFirst = code === 0 && (then === 'started' || then === 'added');
	return (isFirst ? lines[0] : lines.at(-1)) ?? `${title}: ${code === 0 ? 'done' : 'failed'}`;
}

/** The end of a verb, in one line. */
export function noticeOf(state: State, message: Finished): string {
	return pausedText(message) ?? withKeys(state, plainText(message), message.run);
}
