import * as v from 'valibot';
import {count} from '../limits.ts';
import {Refusal} from '../refusal.ts';
import {formatDuration, parseDuration} from '../text/time.ts';
import {parseWindow, windowUsage} from '../text/window.ts';

/* Deploy targets as a policy writes them. Apart from what they are: a screen that shows runs reads no policy. */

const command = v.pipe(
	v.string('a command is a string that "sh -c" runs'),
	v.trim(),
	v.nonEmpty('a command is not empty'),
);
const credential = v.pipe(
	v.string(),
	v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a credential is named like an environment variable'),
);
const window = v.pipe(
	v.string(windowUsage),
	v.check(text => parseWindow(text) !== undefined, windowUsage),
);
const who = v.pipe(
	v.string(),
	v.regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'people and groups are named as in .fleet/people.yaml'),
);

/** A time such as `15m`, as milliseconds. @param longest milliseconds */
const duration = (longest: number) =>
	v.pipe(
		v.string('a time is written like 30s, 15m or 1h'),
		v.check(text => !(parseDuration(text) instanceof Refusal), 'a time is written like 30s, 15m or 1h'),
		v.transform(text => parseDuration(text) as number),
		v.maxValue(longest, `at most ${formatDuration(longest)}`),
	);

const hourMs = 3_600_000;
const every = v.optional(duration(hourMs), '10s');

const wait = v.strictObject({command, every, longest: v.optional(duration(24 * hourMs), '30m')});
const health = v.strictObject({
	command,
	tries: v.optional(v.pipe(count, v.maxValue(1000, 'at most 1000 tries')), 3),
	every,
});
const approve = v.strictObject({
	people: v.optional(v.pipe(count, v.maxValue(20, 'at most 20 people')), 1),
	from: v.pipe(
		v.array(who, 'a list of people and groups of .fleet/people.yaml'),
		v.minLength(1, 'somebody has to be able to approve'),
	),
	not: v.optional(v.array(v.picklist(['requester'], 'requester')), ['requester']),
});

const target = v.pipe(
	v.strictObject({
		command,
		credentials: v.optional(v.array(credential), []),
		window: v.optional(window),
		expires: v.optional(duration(24 * hourMs)),
		wait: v.optional(wait),
		health: v.optional(health),
		rollback: v.optional(v.picklist(['auto'], 'auto; without it, only by hand')),
		approve: v.optional(approve),
		lease: v.optional(duration(hourMs)),
	}),
	v.forward(
		v.check(({rollback, health}) => rollback === undefined || health !== undefined, 'needs health: beside it'),
		['rollback'],
	),
	v.forward(
		v.check(({lease, approve}) => lease === undefined || approve !== undefined, 'needs approve: beside it'),
		['lease'],
	),
);

/** The key `deploy:` of a policy. */
export const deploySchema = v.record(
	v.pipe(
		v.string(),
		v.regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'a target is named with lower-case letters, digits and dashes'),
	),
	target,
);

/** The keys, as a refusal names them. */
export const deployKeys =
	'command, credentials, window, expires, wait (command, every, longest), health (command, tries, every), ' +
	'rollback, approve (people, from, not), lease';

/** Where a project's result goes: the command that brings it there, what that needs, and when it may run. */
export type DeployTarget = v.InferOutput<typeof target>;

/** Who has to say yes to a deploy. */
export type ApproveRule = NonNullable<DeployTarget['approve']>;

/** How long a request counts, and an approval, where the policy does not say: milliseconds. */
export const usualExpiryMs = hourMs;
export const usualLeaseMs = 15 * 60_000;
