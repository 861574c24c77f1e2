import * as v from 'valibot';
import {parseDocument} from 'yaml';
import {count, limitEntries, limitNames, size} from './limits.ts';
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
		}),
	),
	keys: v.optional(v.record(v.string(), keys)),
	autoVerify: v.optional(flag),
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
			'keys: theme, mouse, notify (bell, desktop, title, quiet), keys (ACTION: KEY), ' +
			`limits (running, perProject, ${limitNames.join(', ')}), layers (size, days), autoVerify, toolchains (folders)`,
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
