/* JSON-RPC as the Model Context Protocol has it, read from whoever wrote it. */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = {readonly [key: string]: Json | undefined};

export type Id = string | number;

/** What one message says. */
export type Message =
	| {readonly kind: 'request'; readonly id: Id; readonly method: string; readonly params: JsonObject}
	| {readonly kind: 'notification'; readonly method: string; readonly params: JsonObject}
	| {readonly kind: 'result'; readonly id: Id; readonly result: JsonObject}
	| {
			readonly kind: 'error';
			/** Null where whoever answers could not read which request it is. */ readonly id: Id | null;
			readonly error: {readonly code: number; readonly message: string; readonly data?: Json | undefined};
	  };

/** The codes of JSON-RPC, and those of this gateway. */
export const codes = {
	unreadable: -32_700,
	invalid: -32_600,
	noMethod: -32_601,
	badParameters: -32_602,
	internal: -32_603,
	/** Nothing answered in time, or what answered is gone. */
	noAnswer: -32_001,
	/** More than is served at one time. */
	tooMany: -32_002,
} as const;

/** How deep a message may be nested: a parser that calls itself would run out of its stack. */
const maxDepth = 64;

/** The longest string that is an id, characters. */
const maxIdLength = 200;

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a text is nested deeper than a message may be. Brackets inside of strings count for nothing. */
export function isTooDeep(text: string): boolean {
	let depth = 0;
	let inString = false;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (inString) {
			if (code === 0x5c) {
				at++;
			} else if (code === 0x22) {
				inString = false;
			}
		} else if (code === 0x22) {
			inString = true;
		} else if (code === 0x7b || code === 0x5b) {
			if (++depth > maxDepth) {
				return true;
			}
		} else if (code === 0x7d || code === 0x5d) {
			depth--;
		}
	}

	return false;
}

const isId = (value: unknown): value is Id =>
	typeof value === 'string' ? value.length <= maxIdLength : Number.isSafeInteger(value);

/**
 * Reads one message. Total: what is no message is a text that says why.
 * Batches are none: the protocol has given them up.
 */
export function readMessage(text: string): Message | string {
	if (isTooDeep(text)) {
		return `it is nested deeper than ${maxDepth}`;
	}

	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return 'it is not JSON';
	}

	if (Array.isArray(value)) {
		return 'it is a batch, which is not served';
	}

	if (!isObject(value) || value['jsonrpc'] !== '2.0') {
		return 'it is not JSON-RPC 2.0';
	}

	const {id, method, params = {}, result, error} = value;
	if (typeof method === 'string') {
		if (method.length > 100 || !isObject(params)) {
			return 'its method or its parameters are not of the protocol';
		}

		if (id === undefined) {
			return {kind: 'notification', method, params};
		}

		return isId(id) ? {kind: 'request', id, method, params} : 'its id is not a string or a whole number';
	}

	if (isObject(error) && (id === null || isId(id))) {
		const code = Number.isSafeInteger(error['code']) ? (error['code'] as number) : codes.internal;
		return {kind: 'error', id, error: {code, message: String(error['message'] ?? ''), data: error['data']}};
	}

	return isId(id) && isObject(result) ? {kind: 'result', id, result} : 'it is neither a request nor an answer';
}

export function requestText(id: Id, method: string, params: JsonObject): string {
	return JSON.stringify({jsonrpc: '2.0', id, method, params});
}

export function notificationText(method: string, params: JsonObject = {}): string {
	return JSON.stringify({jsonrpc: '2.0', method, params});
}

export function resultText(id: Id, result: JsonObject): string {
	return JSON.stringify({jsonrpc: '2.0', id, result});
}

export function errorText(id: Id | null, code: number, message: string): string {
	return JSON.stringify({jsonrpc: '2.0', id, error: {code, message}});
}
