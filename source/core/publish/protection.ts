/*
 * What a forge enforces on a branch, and what of that is lacking. Each forge's settings are read into the same few sources,
 * which are judged here. What could not be read holds nothing, and is not said to be lacking either.
 */

/** What a branch that people answer for needs. */
export const needs = [
	'protected',
	'request',
	'approvals',
	'stale',
	'last push',
	'checks',
	'fleet check',
	'force push',
	'deletion',
] as const;
export type Need = (typeof needs)[number];

/** What a branch needs that only has to grow. */
export const growing: readonly Need[] = ['force push', 'deletion'];

/** One place at a forge that enforces something, such as a ruleset. Its name and who is exempt may be others' words. */
export type Source = {
	readonly name: string;
	/** What of it holds, in words that go behind the name. */
	readonly holds: Partial<Readonly<Record<Need, string>>>;
	/** Who is not held to it; undefined where the forge did not tell. */
	readonly exempt: readonly string[] | undefined;
};

/** All that was read of a branch. */
export type Protection = {
	readonly sources: readonly Source[];
	/** Why it cannot be told whether something holds. */
	readonly unread: Partial<Readonly<Record<Need, string>>>;
	/** What was found in the way of something, where that says more than that it is not set. */
	readonly instead: Partial<Readonly<Record<Need, string>>>;
};

/** An answer to a request. `said`: status and message, for people; one line. */
export type Heard = {readonly status: number; readonly json: unknown; readonly said: string};

/** Asks one thing after the other, and reads what comes. Nothing that it asks for changes anything. */
export type Asking<Value> = Generator<{readonly method: 'GET'; readonly path: string}, Value, Heard>;
export type Reading = Asking<Protection>;

/** One line of what is told. */
export type Finding = {
	readonly id: string;
	readonly state: 'ok' | 'lacks' | 'inconclusive';
	readonly because: string;
	/** What to do about it; empty where nothing is to be done. */
	readonly hint: string;
};

/** Where each is set, and who may be exempt from all. */
export type Places = Readonly<Record<Need | 'administrators', string>>;

const lacking: Readonly<Record<Need, string>> = {
	protected: 'nothing protects it',
	request: 'it can be pushed to without a request',
	approvals: 'nobody has to approve',
	stale: 'an approval goes on to count for what is pushed after it',
	'last push': 'who pushed last can be the one who approves',
	checks: 'no check has to pass',
	'fleet check': 'fleet check is none of the checks that have to pass',
	'force push': 'it can be pushed over',
	deletion: 'it can be deleted',
};

/** The same for several needs. */
export function each<Value>(of: readonly Need[], value: Value): Partial<Record<Need, Value>> {
	return Object.fromEntries(of.map(need => [need, value])) as Partial<Record<Need, Value>>;
}

function judgeOne(need: Need, {sources, unread, instead}: Protection, hint: string): Omit<Finding, 'id'> {
	const held = sources.flatMap(({name, holds}) => (holds[need] === undefined ? [] : [`${holds[need]} (${name})`]));
	if (held.length > 0) {
		return {state: 'ok', because: [...new Set(held)].join('; '), hint: ''};
	}

	const because = unread[need];
	return because === undefined
		? {state: 'lacks', because: instead[need] ?? lacking[need], hint}
		: {state: 'inconclusive', because, hint: `a login that may read it; ${hint}`};
}

/** Whether anybody may do without what holds for all others: of each need one source without such an exception is enough. */
function judgeExempt(of: readonly Need[], {sources, unread}: Protection, hint: string): Omit<Finding, 'id'> {
	const passed = new Map<string, Need[]>();
	const untold: Need[] = [];
	let held = 0;
	for (const need of of) {
		const holders = sources.filter(({holds}) => holds[need] !== undefined);
		held += holders.length > 0 ? 1 : 0;
		if (holders.length === 0 || holders.some(({exempt}) => exempt?.length === 0)) {
			continue;
		}

		if (holders.some(({exempt}) => exempt === undefined)) {
			untold.push(need);
			continue;
		}

		const names = [...new Set(holders.flatMap(({exempt = []}) => exempt))].join(', ');
		passed.set(names, [...(passed.get(names) ?? []), need]);
	}

	if (passed.size > 0) {
		const because = [...passed].map(([names, which]) => `${names} may do without: ${which.join(', ')}`).join('; ');
		return {state: 'lacks', because, hint};
	}

	const [why] = Object.values(unread);
	if (untold.length > 0 || (held === 0 && why !== undefined)) {
		const because = untold.length > 0 ? `who may do without is not told: ${untold.join(', ')}` : why!;
		return {state: 'inconclusive', because, hint: `a login that may read it; ${hint}`};
	}

	return held > 0
		? {state: 'ok', because: 'nobody is exempt from what is set', hint: ''}
		: {state: 'lacks', because: 'nothing is set that anybody could be exempt from', hint};
}

/**
 * What the rules of a branch have and lack, a line for each.
 * @param of what it needs
 * @param before stands before each line's id
 */
export function judge(
	protection: Protection,
	{of, places, before = ''}: {readonly of: readonly Need[]; readonly places: Places; readonly before?: string},
): Finding[] {
	return [
		...of.map(need => ({id: `${before}${need}`, ...judgeOne(need, protection, places[need])})),
		{
			id: `${before}administrators`,
			...judgeExempt(
				of.filter(need => need !== 'protected'),
				protection,
				places.administrators,
			),
		},
	];
}
