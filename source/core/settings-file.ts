import * as v from 'valibot';
import {parseDocument} from 'yaml';
import {count, limitEntries, limitNames, size} from './limits.ts';
import {targetFault} from './notify/adapters.ts';
import {defaultSettings, type Settings} from './settings.ts';
import {Refusal} from './refusal.ts';
import {parseClosed} from './text/yaml.ts';

const flag = v.boolean('true or false');
const keys = v.union(
	[
		v.pipe(
			v.string(),
			v.transform(key => [key]),
		),
		v.array(v.string()),
	],
	'a key, or a list of keys',
);

const dollars = v.pipe(v.number('US dollars, such as 20'), v.minValue(0.01, 'at least 0.01'), v.maxValue(1e6));
const perMillion = v.pipe(
	v.number('US dollars for a million tokens'),
	v.minValue(0, 'not less than 0'),
	v.maxValue(1e5),
);
const price = v.strictObject({
	model: v.pipe(
		v.string(),
		v.regex(/^[\w.:/@*-]{1,80}$/, 'a model by its name, with * for any characters, such as claude-opus-5*'),
	),
	input: perMillion,
	output: perMillion,
	cached: v.optional(perMillion),
});

/** A notifier as it is written; what is wrong with one is said without its address. */
const target = v.pipe(
	v.strictObject({
		kind: v.picklist(['webhook', 'slack', 'ntfy', 'sendmail'], 'a notifier is webhook, slack, ntfy or sendmail'),
		address: v.pipe(v.string(), v.maxLength(2000, 'an address is not so long')),
		token: v.optional(v.string()),
	}),
	v.rawCheck(({dataset, addIssue}) => {
		const fault = dataset.typed ? targetFault(dataset.value) : undefined;
		if (fault) {
			addIssue({message: `${fault.because}: ${fault.hint}`});
		}
	}),
);

/** A name with `*` as what it matches, whole. */
function globOf(name: string): RegExp {
	return new RegExp(`^${name.replaceAll(/[./]/g, '\\$&').replaceAll('*', '.*')}$`);
}

const schema = v.strictObject({
	theme: v.optional(
		v.picklist(
			['auto', 'dark', 'light', 'ansi', 'contrast', 'plain'],
			'a theme is auto, dark, light, ansi, contrast or plain',
		),
	),
	mouse: v.optional(flag),
	notify: v.optional(
		v.strictObject({
			bell: v.optional(flag),
			desktop: v.optional(flag),
			title: v.optional(flag),
			quiet: v.optional(
				v.pipe(
					v.string(),
					v.regex(
						/^(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d$/,
						'quiet hours are written like "22:00-07:00"',
					),
				),
			),
			send: v.optional(v.pipe(v.array(target), v.maxLength(8, 'at most 8 notifiers'))),
		}),
	),
	keys: v.optional(v.record(v.string(), keys)),
	autoVerify: v.optional(flag),
	prices: v.optional(v.array(price)),
	budgets: v.optional(v.strictObject({day: v.optional(dollars), projectDay: v.optional(dollars)})),
	toolchains: v.optional(
		v.array(
			v.pipe(v.string(), v.regex(/^\/(?!$)/, 'a toolchain is the absolute path of a folder, such as /srv/cross')),
		),
	),
	layers: v.optional(v.strictObject({size: v.optional(size), days: v.optional(count)})),
	limits: v.optional(v.strictObject({running: v.optional(count), perProject: v.optional(count), ...limitEntries})),
});

/** Reads a person's settings. The schema is closed: a key that is not known is an error with its line. */
export function parseSettings(text: string): Settings | Refusal {
	const read = parseClosed(text, schema, {
		path: 'settings.yaml',
		hint:
			'keys: theme, mouse, notify (bell, desktop, title, quiet, send), keys (ACTION: KEY), ' +
			`limits (running, perProject, ${limitNames.join(', ')}), layers (size, days), autoVerify, budgets (day, projectDay), prices (model, input, cached, output), toolchains (folders)`,
	});
	return read instanceof Refusal
		? read
		: {
				theme: read.theme ?? defaultSettings.theme,
				mouse: read.mouse ?? defaultSettings.mouse,
				notify: {
					...defaultSettings.notify,
					...Object.fromEntries(Object.entries(read.notify ?? {}).filter(([, value]) => value !== undefined)),
				},
				keys: read.keys ?? {},
				layers: {
					bytes: read.layers?.size ?? defaultSettings.layers.bytes,
					days: read.layers?.days ?? defaultSettings.layers.days,
				},
				// What is cached costs no more than what is not.
				prices: (read.prices ?? []).map(({model, input, output, cached}) => ({
					model: globOf(model),
					input,
					output,
					cached: cached ?? input,
				})),
				budgets: {day: read.budgets?.day, projectDay: read.budgets?.projectDay},
				autoVerify: read.autoVerify ?? defaultSettings.autoVerify,
				toolchains: read.toolchains ?? [],
				limits: {running: undefined, perProject: undefined, ...read.limits},
			};
}

/** The same text with some of it changed; a person's own words around it stay. A refusal where it cannot be read. */
export function changeSettings(text: string, settings: Partial<Settings>): string | Refusal {
	const read = parseSettings(text);
	if (read instanceof Refusal) {
		return read;
	}

	const document = parseDocument(text);
	for (const [key, value] of Object.entries(settings)) {
		document.set(key, value);
	}

	return String(document);
}
