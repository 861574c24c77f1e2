import * as v from 'valibot';
import type {Limits} from './plan.ts';

/* What a run may use, as people write it: a person in the settings, wider or tighter; a project in its policy, tighter. */

const units: Record<string, number> = {KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4};
export const size = v.pipe(
	v.string('a size is written like 512MiB'),
	v.regex(/^[1-9]\d{0,6} ?(?:KiB|MiB|GiB|TiB)$/, 'a size is written like 512MiB'),
	v.transform(text => Number.parseInt(text, 10) * units[text.slice(-3)]!),
);
export const count = v.pipe(v.number('a number'), v.integer('a whole number'), v.minValue(1, 'at least 1'));

/** Keys below `limits:`, for the settings and for the policy alike. */
export const limitEntries = {
	processes: v.optional(count),
	memory: v.optional(size),
	disk: v.optional(size),
	files: v.optional(count),
	hours: v.optional(count),
	tmp: v.optional(size),
	shm: v.optional(size),
	file: v.optional(size),
	verifyMinutes: v.optional(count),
};

export type LimitName = keyof typeof limitEntries;

/** The keys, as a refusal and a document name them. */
export const limitNames = Object.keys(limitEntries) as LimitName[];

/** What was written: sizes in bytes, times in their own units. */
export type AskedLimits = {readonly [Name in LimitName]?: number | undefined};

/** Which limits of a sandbox a written one means, in the sandbox's units. */
function meaning(asked: AskedLimits): Partial<Record<keyof Limits, number | undefined>> {
	const times = (value: number | undefined, factor: number) => (value === undefined ? undefined : value * factor);
	return {
		processes: asked.processes,
		memory: asked.memory,
		growth: asked.disk,
		files: asked.files,
		wallClock: times(asked.hours, 3_600_000),
		tmp: asked.tmp,
		shm: asked.shm,
		fileSize: asked.file,
		command: times(asked.verifyMinutes, 60_000),
	};
}

/** What a person decided for runs on this machine, in place of what fleet would give them. */
export function limitsOfPerson(asked: AskedLimits, defaults: Limits): Limits {
	const {memory} = asked;
	const given = Object.fromEntries(Object.entries(meaning(asked)).filter(([, value]) => value !== undefined));
	return {
		...defaults,
		...(memory === undefined ? {} : {dataSize: 2 * memory}),
		...given,
	};
}

/** The limits of a run: a policy makes them tighter, never wider. */
export function limitsOfPolicy(asked: AskedLimits, own: Limits): Limits {
	const wanted = meaning(asked);
	const tighter = (name: keyof Limits, ...values: Array<number | undefined>) =>
		Math.min(own[name], ...values.filter(value => value !== undefined));
	return {
		...own,
		...Object.fromEntries(
			(Object.keys(wanted) as Array<keyof Limits>).map(name => [name, tighter(name, wanted[name])]),
		),
		dataSize: tighter('dataSize', asked.memory),
		fileSize: tighter('fileSize', asked.file, asked.disk),
	};
}

/** A limit of a sandbox that is met without its end: by name, how often, and what it was. */
export type LimitHit = {readonly limit: LimitName; readonly because: string};

const sizeText = (bytes: number) =>
	bytes >= 1024 ** 3 ? `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;

/** Which setting a limit is, for a line that tells of it. */
export const ofSetting = (limit: LimitName): string => `limits: ${limit}`;

const words: Readonly<Partial<Record<LimitName, (limits: Limits) => string>>> = {
	tmp: ({tmp}) => `its /tmp was full, ${sizeText(tmp)}`,
	shm: ({shm}) => `its /dev/shm was full, ${sizeText(shm)}`,
	memory: ({memory}) => `it ran out of memory, ${sizeText(memory)} in all: the kernel ended a process of it`,
	processes: ({processes}) => `it had ${processes} processes and could start no more`,
	file: ({fileSize}) => `a file of it reached ${sizeText(fileSize)}`,
	hours: ({wallClock}) => `its time was up, ${Math.round(wallClock / 360_000) / 10} hours`,
	verifyMinutes: ({command}) => `a command had more than ${Math.round(command / 6000) / 10} minutes`,
};

/** What hit a limit, in words that name the setting. */
export function hitText(limit: LimitName, limits: Limits): string {
	return `${words[limit]?.(limits) ?? `it met its limit of ${limit}`} (${ofSetting(limit)})`;
}
