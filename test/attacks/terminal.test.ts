import {sequences} from '../../source/attacks/terminal.ts';
import {testArea} from '../support/attack.ts';

// Nothing in the way: the bytes as an agent writes them hold what the attack looks for.
testArea('terminal', {
	...Object.fromEntries(sequences.map(({id, text, sign}) => [id, () => text.includes(sign) && text.startsWith('\u001B')])),
	'reversed-name': () => /[\u202A-\u202E\u2066-\u2069]/.test('safe\u202Eexe.txt'),
});
