/* What looks like a secret and is none that is known. Only shapes: no meaning, no network. */

/** A find. `span` shows enough to find it again and not enough to use it. */
export type Suspect = {
	readonly rule: string;
	readonly file: string;
	readonly line: number;
	readonly span: string;
	/** The same for the same text in the same file, wherever it moves. */ readonly fingerprint: string;
};

/** Shapes that a general scanner does not know, or that must be found without one. */
const ownRules: ReadonlyArray<{readonly id: string; readonly pattern: RegExp}> = [
	{id: 'anthropic', pattern: /\bsk-ant-(?:api|oat|sid|admin)\d\d-[\w-]{20,}/g},
	{id: 'openai', pattern: /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}/g},
	{id: 'google', pattern: /\bAIza[\w-]{35}/g},
	{id: 'github', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})/g},
	{id: 'gitlab', pattern: /\bglpat-[\w-]{20,}/g},
	{id: 'npm', pattern: /\bnpm_[A-Za-z0-9]{36}/g},
	{id: 'slack', pattern: /\bxox[abprs]-[\w-]{20,}/g},
	{id: 'stripe', pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{20,}/g},
	{id: 'aws', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g},
	{id: 'huggingface', pattern: /\bhf_[A-Za-z0-9]{30,}/g},
	{id: 'digitalocean', pattern: /\bdo[opr]_v1_[a-f0-9]{64}/g},
	{id: 'sendgrid', pattern: /\bSG\.[\w-]{20,}\.[\w-]{20,}/g},
	{id: 'jwt', pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g},
	{id: 'private-key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/g},
	{
		id: 'url-password',
		pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>$]{1,60}:(?!\$|<|\{|x{3,}|\*)[^\s:/@"'<>]{6,}@[\w.-]+/gi,
	},
	// The value has to look like one: a place-holder, a variable or a call is none.
	{
		id: 'assignment',
		pattern:
			/(?:passw(?:or)?d|secret|api[_-]?key|access[_-]?key|auth[_-]?token|private[_-]?token)["']?\s*[:=]\s*["']?(?=[^\s"']{0,120}\d)(?=[^\s"']{0,120}[A-Za-z])(?![^\s"']{0,120}[(){}<>$[\]])[^\s"',;]{12,200}/gi,
	},
];

/** What is plainly there as an example. */
const examples = /example|placeholder|changeme|dummy|redacted|your[_-]|xxxx|\*{4}|0123456789abcdef|EXAMPLEKEY/i;

/** The first and last characters, and how many there are between. */
export function maskSpan(text: string): string {
	const keep = text.length < 16 ? 2 : 4;
	return `${text.slice(0, keep)}…${text.length > 30 ? text.slice(-2) : ''} (${text.length} characters)`;
}

/** A short name for a text, by which it is told again. Not a secret's hash that could be turned back: 32 bits of it. */
export function fingerprintOf(text: string): string {
	let hash = 0x811c9dc5;
	for (const character of text) {
		hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
	}

	return hash.toString(16).padStart(8, '0');
}

/** A file's lines that a diff adds. */
export type AddedLines = {
	readonly file: string;
	readonly lines: ReadonlyArray<{readonly number: number; readonly text: string}>;
};

/**
 * The added lines of a unified diff, by file, as they are: what is drawn is
 * escaped, and a secret would hide in that. Total: what is not a diff has none.
 */
export function addedLines(diff: string): AddedLines[] {
	const files: Array<{file: string; lines: Array<{number: number; text: string}>}> = [];
	let current: (typeof files)[number] | undefined;
	let number = 0;
	// Of a hunk: lines left on the new side. A line that looks like a header is content while there are.
	let left = 0;
	let gone = 0;
	for (const line of diff.split('\n')) {
		if (left > 0 || gone > 0) {
			if (line.startsWith('+')) {
				current?.lines.push({number, text: line.slice(1)});
				number++;
				left--;
			} else if (line.startsWith('-')) {
				gone--;
			} else if (!line.startsWith('\\')) {
				number++;
				left--;
				gone--;
			}

			continue;
		}

		const header = /^\+\+\+ (?:"?b\/)?(.*?)"?\t?$/.exec(line);
		const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
		if (hunk) {
			gone = Number(hunk[1] ?? 1);
			number = Number(hunk[2]);
			left = Number(hunk[3] ?? 1);
		} else if (header) {
			current = {file: header[1]!, lines: []};
			files.push(current);
		}
	}

	return files.filter(({lines}) => lines.length > 0);
}

/** Suspects by the project's own rules. */
export function findSuspects(file: string, lines: AddedLines['lines']): Suspect[] {
	const found: Suspect[] = [];
	for (const {number, text} of lines) {
		// A line as long as this is data; its beginning is looked at.
		const part = text.slice(0, 20_000);
		for (const {id, pattern} of ownRules) {
			for (const [span] of part.matchAll(pattern)) {
				if (
					!examples.test(span) &&
					!found.some(suspect => suspect.line === number && suspect.fingerprint === fingerprintOf(`${file}\n${span}`))
				) {
					found.push({
						rule: id,
						file,
						line: number,
						span: maskSpan(span),
						fingerprint: fingerprintOf(`${file}\n${span}`),
					});
				}
			}
		}
	}

	return found;
}
