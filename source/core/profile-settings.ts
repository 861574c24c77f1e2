import type {AllowedSettings, AllowedValue, KeptSettings, ProfileSettings, Settings, SettingsValue} from './profile.ts';

/*
 * What is kept of an agent's settings file: keys that are listed, with values of the form that the list says. A key that
 * is not listed is left out, whatever it is called, so that a new version's hook or address is, too.
 */

/** A name of a model, a style or a theme. No address, no path from the top or upwards, nothing that a shell would take apart. */
const word = /^[A-Za-z0-9][\w .:@+()[\]/-]{0,79}$/;
const fileName = /^[A-Za-z0-9_][\w.-]{0,79}$/;

/** Names of files in one setting. */
const maxNames = 8;

function isWord(value: unknown): value is string {
	return typeof value === 'string' && word.test(value) && !value.includes('//') && !value.includes('..');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keepValue(value: unknown, allowed: Exclude<AllowedValue, AllowedSettings>): SettingsValue | undefined {
	switch (allowed) {
		case 'flag': {
			return typeof value === 'boolean' ? value : undefined;
		}

		case 'number': {
			return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
		}

		case 'word': {
			return isWord(value) ? value : undefined;
		}

		case 'names': {
			const names = Array.isArray(value) ? value : [value];
			return names.length > 0 &&
				names.length <= maxNames &&
				names.every(name => typeof name === 'string' && fileName.test(name))
				? (names as string[])
				: undefined;
		}
	}
}

/** Total. `left`: keys that were not kept, such as `hooks` or `ui.customThemes`. */
export function keepAllowed(value: unknown, allowed: AllowedSettings): KeptSettings {
	const kept: Record<string, SettingsValue> = {};
	const left: string[] = [];
	for (const [key, one] of isRecord(value) ? Object.entries(value) : []) {
		const rule = Object.hasOwn(allowed, key) ? allowed[key]! : undefined;
		if (rule === undefined) {
			left.push(key);
		} else if (typeof rule === 'object') {
			if (isRecord(one)) {
				const inner = keepAllowed(one, rule);
				left.push(...inner.left.map(name => `${key}.${name}`));
				if (Object.keys(inner.kept).length > 0) {
					kept[key] = inner.kept;
				}
			} else {
				left.push(key);
			}
		} else {
			const held = keepValue(one, rule);
			if (held === undefined) {
				left.push(key);
			} else {
				kept[key] = held;
			}
		}
	}

	return {kept, left};
}

/** Both, key by key; where both say something, `own` counts. */
export function mergeUnder(kept: unknown, own: unknown): unknown {
	if (!isRecord(kept) || !isRecord(own)) {
		return own;
	}

	const merged: Record<string, unknown> = {...kept};
	for (const [key, value] of Object.entries(own)) {
		merged[key] = Object.hasOwn(merged, key) ? mergeUnder(merged[key], value) : value;
	}

	return merged;
}

/** JSON with comments and commas at the end of lists, as people write settings. @returns undefined for anything else */
export function parseLoose(text: string): unknown {
	// A string is passed over as a whole, so that what looks like a comment in it stays.
	const plain = text
		.replace(/^\uFEFF/, '')
		.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//g, part => (part.startsWith('"') ? part : ' '))
		.replaceAll(/"(?:[^"\\]|\\.)*"|,(?=\s*[\]}])/g, part => (part === ',' ? '' : part));
	try {
		return JSON.parse(plain);
	} catch {
		return undefined;
	}
}

/** Settings that are a JSON file. */
export function jsonSettings(
	places: Pick<ProfileSettings, 'paths' | 'target'>,
	allowed: AllowedSettings,
): ProfileSettings {
	return {
		...places,
		keep(text) {
			const value = parseLoose(text);
			return isRecord(value) ? keepAllowed(value, allowed) : undefined;
		},
		merge: (kept, own) => JSON.stringify(mergeUnder(kept, own === undefined ? {} : JSON.parse(own))),
	};
}

const header = /^\s*\[\[?\s*([^\]]+?)\s*\]?\]/;
const assignment = /^\s*([\w-]+|"[^"]+"|'[^']+')((?:\s*\.\s*(?:[\w-]+|"[^"]+"|'[^']+'))*)\s*=\s*(.*)$/;

/** A value of TOML that stands on one line and is no list or table; undefined for any other. */
function tomlScalar(text: string): unknown {
	const match = /^(?:"([^"\\]*)"|'([^']*)'|(true|false)|(-?\d{1,9}))\s*(?:#.*)?$/.exec(text.trim());
	if (!match) {
		return undefined;
	}

	const [, double, single, flag, number] = match;
	return double ?? single ?? (flag === undefined ? Number(number) : flag === 'true');
}

/** The keys before the first table, and the names of tables. What is not one line is left out. */
function readToml(text: string): {readonly top: ReadonlyMap<string, unknown>; readonly left: readonly string[]} {
	const top = new Map<string, unknown>();
	const left = new Set<string>();
	let isTop = true;
	for (const line of text.split(/\r?\n/)) {
		const table = header.exec(line)?.[1];
		const [, name, more, value] = assignment.exec(line) ?? [];
		if (table !== undefined && name === undefined) {
			isTop = false;
			left.add(table.split('.')[0]!.replaceAll(/["' ]/g, ''));
		} else if (isTop && name !== undefined) {
			const key = name.replaceAll(/["']/g, '');
			const scalar = more === '' ? tomlScalar(value!) : undefined;
			if (scalar === undefined) {
				left.add(key);
			} else {
				top.set(key, scalar);
			}
		}
	}

	return {top, left: [...left]};
}

/** Settings that are a TOML file: of its keys before the first table. The adapter's own has to begin with such keys, too. */
export function tomlSettings(
	places: Pick<ProfileSettings, 'paths' | 'target'>,
	allowed: Readonly<Record<string, 'flag' | 'number' | 'word'>>,
): ProfileSettings {
	return {
		...places,
		keep(text) {
			const {top, left} = readToml(text);
			const found = keepAllowed(Object.fromEntries(top), allowed);
			return {kept: found.kept, left: [...found.left, ...left]};
		},
		merge(kept, own = '') {
			const said = new Set(readToml(own).top.keys());
			return (
				Object.entries(kept)
					.filter(([key]) => !said.has(key))
					.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
					.join('') + own
			);
		},
	};
}

/** Settings as a text of one form, for a digest: the same for the same settings, however they were written. */
export function settingsText(settings: Settings): string {
	const sorted = (value: SettingsValue): SettingsValue =>
		isRecord(value)
			? Object.fromEntries(
					Object.entries(value)
						.sort(([a], [b]) => (a < b ? -1 : 1))
						.map(([key, one]) => [key, sorted(one)]),
				)
			: value;
	return JSON.stringify(sorted(settings));
}
