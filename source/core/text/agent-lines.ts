/* What the readers of agents' structured output share. Total: a line that is not understood is shown as it is. */

/** A line as a JSON object; undefined for anything else. */
export function parseLine(line: string): Record<string, any> | undefined {
	if (!line.startsWith('{')) {
		return undefined;
	}

	try {
		const value: unknown = JSON.parse(line);
		return typeof value === 'object' && value !== null && !Array.isArray(value)
			? (value as Record<string, any>)
			: undefined;
	} catch {
		// It only began like one.
		return undefined;
	}
}

function oneLine(value: unknown, limit: number): string {
	const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replaceAll(/\s+/g, ' ').trim();
	return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** Whether what is long is cut to a line, as for the log, or told whole. */
export type Length = 'line' | 'whole';

/** Further lines stand below the first, behind its sign. */
const indented = (text: string) => text.trimEnd().replaceAll(/\r?\n/g, '\n  ');

/** A tool that an agent uses, with the one argument that tells most; whole, with that argument's every line. */
export function toolLine(name: unknown, input: unknown, length: Length = 'line'): string {
	const given = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
	const telling = [
		'command',
		'cmd',
		'file_path',
		'filePath',
		'path',
		'pattern',
		'query',
		'url',
		'description',
		'prompt',
	]
		.map(key => given[key])
		.find(value => value !== undefined);
	if (length === 'whole') {
		const whole = typeof telling === 'string' ? telling : (JSON.stringify(telling ?? given, undefined, 1) ?? '');
		return `▸ ${oneLine(name, 40)} ${indented(whole === '{}' ? '' : whole)}`.trimEnd();
	}

	return `▸ ${oneLine(name, 40)} ${oneLine(telling ?? (Object.keys(given).length === 0 ? '' : given), 200)}`.trimEnd();
}

function resultText(output: unknown): string {
	if (typeof output === 'string') {
		return output;
	}

	if (Array.isArray(output)) {
		return output.map(part => (part as {text?: unknown})?.text ?? '').join('\n');
	}

	return output === undefined || output === null ? '' : JSON.stringify(output);
}

/** What came of it: the first line, and how many more there were, or all of them. */
export function resultLine(output: unknown, failed: boolean, length: Length = 'line'): string {
	if (length === 'whole') {
		return `${failed ? '✘' : ' '} ${indented(resultText(output)) || (failed ? 'failed' : 'done')}`;
	}

	const lines = resultText(output)
		.split('\n')
		.filter(line => line.trim() !== '');
	const first = oneLine(lines[0] ?? (failed ? 'failed' : 'done'), 200);
	return `${failed ? '✘' : ' '} ${first}${lines.length > 1 ? ` (+${lines.length - 1} lines)` : ''}`;
}

/** Words of a failure, in one line. */
export function failureWords(value: unknown, otherwise: string): string {
	if (typeof value === 'string' && value.trim() !== '') {
		return oneLine(value, 200);
	}

	if (typeof value !== 'object' || value === null) {
		return otherwise;
	}

	const given = value as Record<string, unknown>;
	return failureWords(given['message'] ?? given['error'] ?? given['data'] ?? given['errorMessage'], otherwise);
}
