import * as v from 'valibot';
import {count} from './limits.ts';
import {isServiceName, knownServices, type Service} from './services.ts';

/* Services as a policy writes them. Apart from what they are: a screen that shows runs reads no policy. */

const knownNames = Object.keys(knownServices);
const usage = `a service has a command, or is one of: ${knownNames.join(', ')}`;

const name = v.pipe(
	v.string(),
	v.check(isServiceName, 'a service is named with lower-case letters, digits and dashes'),
);
const script = v.pipe(
	v.string('a command is a string that "sh -c" runs'),
	v.trim(),
	v.nonEmpty('a command is not empty'),
);
const port = v.pipe(count, v.maxValue(65_535, 'a port is at most 65535'));

/** One service as a policy names it; of one that is known, all of it may be left out. */
const entry = v.strictObject({
	command: v.optional(script),
	ready: v.optional(v.union([port, script], 'a port of 127.0.0.1, or a command that ends with 0 once it is ready')),
	env: v.optional(
		v.record(
			v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a variable is named with letters, digits and _')),
			v.string('a variable is a string'),
		),
		{},
	),
	prepare: v.optional(script),
	timeout: v.optional(v.pipe(count, v.maxValue(3600, 'at most 3600 seconds')), 60),
});

/** The key `services:` of a policy. */
export const servicesSchema = v.pipe(
	v.record(name, v.nullable(entry)),
	v.check(
		services => Object.entries(services).every(([name, one]) => one?.command !== undefined || isKnown(name)),
		usage,
	),
	v.transform((services): Service[] =>
		Object.entries(services).map(([name, one]) => {
			const known = one?.command === undefined ? knownServices[name] : undefined;
			return {
				name,
				command: one?.command,
				ready: one?.ready ?? known?.ready,
				prepare: one?.prepare,
				env: {...known?.env, ...one?.env},
				timeout: one?.timeout ?? 60,
			};
		}),
	),
);

function isKnown(name: string): boolean {
	return Object.hasOwn(knownServices, name);
}
