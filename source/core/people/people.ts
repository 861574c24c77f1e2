import * as v from 'valibot';
import {Refusal} from '../refusal.ts';
import {parseClosed} from '../text/yaml.ts';

/** Where a project keeps who decides about it. Without the file, whoever sits at the machine does. */
export const peoplePath = '.fleet/people.yaml';

/** Somebody whose decisions count, known by keys. */
export type Person = {
	readonly name: string;
	/** SSH public keys as `TYPE BASE64`, without a comment; an approval is signed by one of them. */
	readonly keys: readonly string[];
	readonly groups: readonly string[];
};

/** The people of a project, in the order of the file. */
export type People = readonly Person[];

const nameUsage = 'a person or a group is named with lower-case letters, digits, dots and dashes, such as ada';
const name = v.pipe(
	v.string(nameUsage),
	v.regex(/^(?=.{1,60}$)[a-z0-9]+(?:[._-][a-z0-9]+)*$/, nameUsage),
	// git takes no branch of such a name, and answers come on one.
	v.check(text => !text.endsWith('.lock'), nameUsage),
);
const keyUsage = 'a key is the line of an SSH public key, such as ssh-ed25519 AAAA…';
const key = v.pipe(
	v.string(keyUsage),
	v.trim(),
	v.regex(/^(?:ssh-|ecdsa-|sk-)[\w@.-]{3,60} [A-Za-z0-9+/]{30,}={0,2}(?: [^\r\n]*)?$/, keyUsage),
	v.transform(line => line.split(' ').slice(0, 2).join(' ')),
);

/** People by name, as a file has them. */
export const peopleRecord = v.record(
	name,
	v.strictObject({
		keys: v.pipe(v.array(key, 'a list of SSH public keys'), v.minLength(1, 'a person has a key at least')),
		groups: v.optional(v.array(name, 'a list of groups'), []),
	}),
);

const schema = v.strictObject({
	people: v.pipe(
		peopleRecord,
		v.check(people => Object.keys(people).length > 0, 'a people file names somebody'),
	),
});

/** What is wrong with a list of people as a whole: a key of two people could be either's, and so could a name. */
function mixedUp(people: People): string | undefined {
	const owners = new Map<string, string>();
	for (const {name, keys} of people) {
		for (const key of keys) {
			const owner = owners.get(key);
			if (owner !== undefined) {
				return owner === name ? `${name} has a key twice` : `${owner} and ${name} have the same key`;
			}

			owners.set(key, name);
		}
	}

	const groups = new Set(people.flatMap(person => person.groups));
	const both = people.find(person => groups.has(person.name));
	return both && `${both.name} is a person and a group`;
}

const hint = 'people: {NAME: {keys: [ssh-ed25519 …], groups: [maintainers]}}';

/** The people of a record. @returns a refusal for a key of two people, and for a name that is a person's and a group's */
export function peopleOf(record: v.InferOutput<typeof peopleRecord>, file: string): People | Refusal {
	const people = Object.entries(record).map(([name, {keys, groups}]) => ({name, keys, groups}));
	const fault = mixedUp(people);
	return fault === undefined ? people : new Refusal(`${file}: ${fault}`, hint);
}

/**
 * Reads a people file. The schema is closed: a key that is not known is an error with its line number.
 * @returns a refusal, too, for a key of two people, and for a name that is a person's and a group's
 */
export function parsePeople(text: string): People | Refusal {
	const read = parseClosed(text, schema, {path: peoplePath, hint});
	return read instanceof Refusal ? read : peopleOf(read.people, peoplePath);
}

/** Whether a rule's list of people and groups holds a person. */
export function isAmong(person: Person, list: readonly string[]): boolean {
	return list.includes(person.name) || person.groups.some(group => list.includes(group));
}

/** The people that a rule's list of people and groups comes to, by name. */
export function peopleAmong(people: People, list: readonly string[]): string[] {
	return people.filter(person => isAmong(person, list)).map(person => person.name);
}

/** Names in a rule's list that are nobody's: a rule that nobody can meet is a mistake. */
export function unknownAmong(people: People, list: readonly string[]): string[] {
	const known = new Set(people.flatMap(person => [person.name, ...person.groups]));
	return list.filter(name => !known.has(name));
}

/** Whose key it is. @param key the line of a public key; its comment does not count */
export function whoseKey(people: People, key: string): Person | undefined {
	const plain = key.trim().split(/\s+/).slice(0, 2).join(' ');
	return people.find(person => person.keys.includes(plain));
}

/**
 * The people as `ssh-keygen -Y verify` reads them (ALLOWED SIGNERS in its manual): the principal is the person's name.
 * @param namespaces of signatures that count
 */
export function signersText(people: People, namespaces: readonly string[]): string {
	return people
		.flatMap(({name, keys}) => keys.map(key => `${name} namespaces="${namespaces.join(',')}" ${key}\n`))
		.join('');
}
