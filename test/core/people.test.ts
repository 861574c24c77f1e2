import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	isAmong,
	parsePeople,
	peopleAmong,
	signersText,
	unknownAmong,
	whoseKey,
	type People,
} from '../../source/core/people/people.ts';
import {Refusal} from '../../source/core/refusal.ts';

const [ada, bo] = [
	'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAdaAdaAdaAda',
	'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBo0Bo0Bo0Bo0',
];
const text = `people:
  ada:
    keys: ["${ada} ada@work"]
    groups: [owners, maintainers]
  bo:
    keys:
      - ${bo}
`;

function refused(text: string): string {
	const read = parsePeople(text);
	assert.ok(read instanceof Refusal);
	return read.because;
}

test('a people file says whose keys decide, and in which groups they are', () => {
	const people = parsePeople(text) as People;
	assert.deepEqual(people, [
		{name: 'ada', keys: [ada], groups: ['owners', 'maintainers']},
		{name: 'bo', keys: [bo], groups: []},
	]);
	assert.equal(whoseKey(people, `${bo} another comment`)?.name, 'bo');
	assert.equal(whoseKey(people, `${bo}x`), undefined);
	assert.ok(isAmong(people[0]!, ['maintainers']));
	assert.deepEqual(peopleAmong(people, ['owners', 'bo']), ['ada', 'bo']);
	assert.deepEqual(unknownAmong(people, ['owners', 'bo', 'admins']), ['admins']);
	assert.equal(signersText(people, ['a', 'b']), `ada namespaces="a,b" ${ada}\nbo namespaces="a,b" ${bo}\n`);
});

test('what is wrong in a people file is said with its line', () => {
	assert.match(refused(`${text}  cy:\n    key: x\n`), /^\.fleet\/people\.yaml:\d+: "keys?" is/);
	assert.match(
		refused('people:\n  Ada:\n    keys: []\n'),
		/^\.fleet\/people\.yaml:2: people\.Ada: a person or a group/,
	);
	assert.match(refused('people:\n  ada:\n    keys: [none]\n'), /^\.fleet\/people\.yaml:3: .*a key is the line/);
	assert.match(refused('people: {}\n'), /names somebody/);
	assert.match(refused(''), /"people" is missing here/);
	assert.match(refused(`${text}  cy:\n    keys: ["${ada}"]\n`), /ada and cy have the same key/);
	assert.match(refused(`${text}  cy:\n    keys: ["${bo}x"]\n    groups: [bo]\n`), /bo is a person and a group/);
	// A line break would begin another line of what ssh-keygen reads.
	assert.match(refused(`people:\n  ada:\n    keys: ["${ada}\\nbo ${bo}"]\n`), /a key is the line/);
});
