import {markHidden} from '../text/hidden.ts';
import {eachTextControl} from '../text/controls.ts';
import {isObject, type Json, type JsonObject} from './message.ts';

/* What of the protocol is spoken, to an agent as to a server. */

/** Versions that are spoken, the newest first. */
export const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** The version to answer with: what was asked for, or the newest. */
export function versionFor(asked: unknown): string {
	return versions.find(version => version === asked) ?? versions[0];
}

/** What an agent may ask for; all else is not served. `optional`: where the definition says `resources: true`. */
export const forwarded: Readonly<Record<string, 'tools' | 'optional'>> = {
	'tools/list': 'tools',
	'tools/call': 'tools',
	'resources/list': 'optional',
	'resources/templates/list': 'optional',
	'resources/read': 'optional',
	'prompts/list': 'optional',
	'prompts/get': 'optional',
};

/** How this gateway shows itself to an agent. What a server says about itself stays outside: no one approved it. */
export function initializeResult(
	asked: unknown,
	name: string,
	options: {resources: boolean; version: string},
): JsonObject {
	return {
		protocolVersion: versionFor(asked),
		capabilities: {
			tools: {listChanged: true},
			...(options.resources ? {resources: {}, prompts: {}} : {}),
		},
		serverInfo: {name, version: options.version},
	};
}

const filler = '\uFFFD';

function changed(value: Json | undefined, change: (text: string) => string): Json | undefined {
	if (typeof value === 'string') {
		return change(value);
	}

	if (Array.isArray(value)) {
		return value.map((item: Json) => changed(item, change) ?? null);
	}

	return isObject(value)
		? Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), changed(item, change)]))
		: value;
}

const withoutControls = (text: string) => text.replaceAll('\r\n', '\n').replaceAll(eachTextControl, filler);

/** A value with every control character replaced, in names, too. Tab and line feed stay. */
export function withoutControlsIn(value: JsonObject): JsonObject {
	return changed(value, withoutControls) as JsonObject;
}

/** The same for what a model is told to go by: what nobody sees is replaced, too. */
export function withoutHiddenIn(value: JsonObject): JsonObject {
	return changed(value, text => markHidden(withoutControls(text), () => filler)) as JsonObject;
}

/** The answer to a call that fleet makes itself, in the words of a tool: the model reads it and goes on. */
export function toolFailure(text: string): JsonObject {
	return {content: [{type: 'text', text: `fleet: ${text}`}], isError: true};
}
