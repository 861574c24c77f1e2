import {sequences, unseen} from '../../source/attacks/terminal.ts';
import {testArea} from '../support/attack.ts';
import {WatchedTerminal} from '../support/watched-terminal.ts';

/** What was scrolled away is erased without a word, and this emulator has no keyboard. */
const silent = new Set(['\u001B[3J', '\u001B[2h\u001B[?8l']);

/** Nothing in the way: a terminal that gets the bytes as an agent writes them does something else than paint. */
function steers(text: string): boolean {
	const terminal = new WatchedTerminal();
	const before = terminal.modes();
	terminal.write(text);
	return terminal.seen.length > 0 || terminal.modes() !== before || silent.has(text);
}

testArea('terminal', {
	...Object.fromEntries(sequences.map(({id, text, sign}) => [id, () => text.includes(sign) && steers(text)])),
	// Shown as it is written, nothing of it is seen.
	...Object.fromEntries(
		unseen.map(({id, text}) => [id, () => /[\u{E0000}-\u{E0FFF}\u200B\u3164\uFFA0\u115F\u00AD]/u.test(text)]),
	),
	'hang-emulator': () => /\d{6}/.test('x\u001B[2147483647b'),
	'leave-terminal-changed': () => steers('\u001B[?1003h'),
	'reversed-name': () => /[\u202A-\u202E\u2066-\u2069]/.test('safe\u202Eexe.txt'),
});
