import process from 'node:process';
import {escapeLine} from '../core/text/escape-controls.ts';

/* Commands of ours that a person is told, where the shell does not find `fleet` by its name: as `npm start` calls it. */

let verbs: readonly string[] = [];

/** Says which words make a command of ours of the word `fleet` before them; all other words are prose. */
export function knowVerbs(names: readonly string[]): void {
	verbs = names;
}

/** What is typed in the place of `fleet`; undefined where the shell finds it. */
export function typedInPlace(): string | undefined {
	const typed = process.env['FLEET_TYPED'] ?? '';
	return typed === '' ? undefined : escapeLine(typed);
}

/** A text of ours with its commands as they are typed here. */
export function asTyped(text: string): string {
	const typed = typedInPlace();
	if (typed === undefined || verbs.length === 0) {
		return text;
	}

	const command = new RegExp(String.raw`(?<![\w./-])fleet(?= (?:--help|${verbs.join('|')})(?![\w-]))`, 'g');
	return text.replaceAll(command, () => typed);
}
