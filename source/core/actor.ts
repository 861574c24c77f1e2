/** Somebody at this machine, by login. */
export type Person = `person:${string}`;

/** Who did something: `person:<login>`, `agent:<run>`, `policy` or `fleet`. */
export type Actor = Person | `agent:${string}` | 'policy' | 'fleet';

/** Who decides, and when: milliseconds. */
export type DecidedBy = {readonly actor: Actor; readonly now: number};

export function personOf(login: string): Person {
	return `person:${login}`;
}

export function isPerson(actor: string): actor is Person {
	return actor.startsWith('person:');
}

/** An actor as people read it: a person by login, any other as it is written. */
export function actorName(actor: Actor): string {
	return actor.replace('person:', '');
}
