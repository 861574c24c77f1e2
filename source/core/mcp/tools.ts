import {isObject, type Json, type JsonObject} from './message.ts';
import type {Definition} from './definition.ts';

/* Which of a server's tools an agent gets: those that were allowed, as they were then. */

/** A tool as the server defines it. */
export type Tool = JsonObject & {readonly name: string};

/** What is known of a server's tools: of each the digest of its definition, and whether a person allowed it by name. */
export type KnownTools = Readonly<Record<string, {readonly digest: string; readonly allowed: boolean}>>;

/** A tool that is not shown, and why. */
export type Withheld = {
	readonly name: string;
	readonly because: string;
	/** Whether it is another one than was approved. */ readonly changed: boolean;
};

export type Judged = {
	readonly shown: readonly Tool[];
	readonly withheld: readonly Withheld[];
	/** The shown that were not known before, by name. */ readonly fresh: Readonly<Record<string, string>>;
};

/** No name that means something to the language: what is remembered of tools is by name. */
const toolName = /^(?!__)[A-Za-z0-9_./-]{1,128}$/;

/** The longest definition that a model is told, characters. */
const maxDefinition = 64 * 1024;

/** The tools among what a server listed. What is no tool, or has a name of another one, is left out. */
export function readTools(listed: readonly Json[]): Tool[] {
	const found = new Map<string, Tool>();
	for (const value of listed) {
		const name = isObject(value) ? value['name'] : undefined;
		if (
			typeof name === 'string' &&
			toolName.test(name) &&
			!found.has(name) &&
			isObject((value as JsonObject)['inputSchema'])
		) {
			found.set(name, value as Tool);
		}
	}

	return [...found.values()];
}

/** JSON with its keys in order, so that one definition has one text. */
export function canonical(value: Json | undefined): string {
	if (Array.isArray(value)) {
		return `[${value.map((item: Json) => canonical(item)).join(',')}]`;
	}

	return isObject(value)
		? `{${Object.keys(value)
				.filter(key => value[key] !== undefined)
				.sort()
				.map(key => `${JSON.stringify(key)}:${canonical(value[key])}`)
				.join(',')}}`
		: JSON.stringify(value ?? null);
}

/** What of a tool a model goes by: all of it is in the digest. */
export function toolText({name, title, description, inputSchema, outputSchema, annotations}: Tool): string {
	return canonical({name, title, description, inputSchema, outputSchema, annotations});
}

/** Whether a server says that a tool changes nothing. Its word alone. */
export function isReadOnly({annotations}: Tool): boolean {
	return isObject(annotations) && annotations['readOnlyHint'] === true;
}

/** Whether a tool is allowed, whatever it was before. */
function isAllowed(tool: Tool, {tools}: Pick<Definition, 'tools'>, known: KnownTools): boolean {
	const named = Object.hasOwn(known, tool.name) && known[tool.name]!.allowed;
	return named || (tools === undefined ? isReadOnly(tool) : tools.includes(tool.name));
}

/**
 * Which tools are shown. One that is not what it was when it was first seen waits for a person: a server that is trusted
 * for what it says today can say something else tomorrow.
 * @param digest of a text
 */
export function judgeTools(
	tools: readonly Tool[],
	definition: Pick<Definition, 'tools'>,
	{known, digest}: {readonly known: KnownTools; digest(text: string): string},
): Judged {
	const shown: Tool[] = [];
	const withheld: Withheld[] = [];
	const fresh: Record<string, string> = {};
	for (const tool of tools) {
		const {name} = tool;
		const text = toolText(tool);
		const now = digest(text);
		const before = Object.hasOwn(known, name) ? known[name] : undefined;
		if (before && before.digest !== now) {
			withheld.push({name, because: 'it is not what it was when it was allowed', changed: true});
		} else if (text.length > maxDefinition) {
			withheld.push({name, because: 'its definition is too long', changed: false});
		} else if (isAllowed(tool, definition, known)) {
			shown.push(tool);
			if (!before) {
				fresh[name] = now;
			}
		} else {
			withheld.push({name, because: 'it is not allowed', changed: false});
		}
	}

	return {shown, withheld, fresh};
}
