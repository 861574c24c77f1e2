import {codeName, holdsHidden, markHidden} from '../text/hidden.ts';
import {anyTextControl, caret, eachTextControl} from '../text/controls.ts';
import {escapeControls} from '../text/escape-controls.ts';

/** A line of a hunk. `old` and `new` are its numbers on either side, where it is there. */
export type DiffLine = {
	readonly kind: ' ' | '+' | '-';
	readonly text: string;
	/** The same with its tabs, and nothing escaped, where it has some. */
	readonly raw?: string;
	readonly old: number | undefined;
	readonly new: number | undefined;
	/** Whether it held bytes that a terminal would obey, or characters that reorder or are not seen. */
	readonly control: boolean;
	/** Whether it is the last one and does not end in a line feed. */ readonly open?: boolean;
	/** Whether it ends in a carriage return. */ readonly cr?: boolean;
};
export type Hunk = {readonly header: string; readonly lines: readonly DiffLine[]};
export type FileStatus = 'added' | 'deleted' | 'renamed' | 'copied' | 'modified';

export type DiffFile = {
	/** As it is called now; for a file that is gone, as it was. */
	readonly path: string;
	readonly oldPath: string;
	readonly status: FileStatus;
	readonly oldMode: string;
	readonly newMode: string;
	readonly binary: boolean;
	/** The names of its content before and after: the same as long as the change is the same. */
	readonly digest: string;
	readonly hunks: readonly Hunk[];
	readonly added: number;
	readonly removed: number;
};

const escapes: Readonly<Record<string, string>> = {a: '\u0007', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r'};

/** A name as git quotes it: octal escapes are bytes of UTF-8. */
function unquote(text: string): string {
	if (!text.startsWith('"')) {
		return text.replace(/\t$/, '');
	}

	const bytes: number[] = [];
	for (const match of text.slice(1, text.lastIndexOf('"')).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/g)) {
		if (match[1] !== undefined) {
			bytes.push(Number.parseInt(match[1], 8));
		} else {
			bytes.push(...new TextEncoder().encode(match[2] === undefined ? match[3] : (escapes[match[2]] ?? match[2])));
		}
	}

	return new TextDecoder().decode(new Uint8Array(bytes));
}

/** A name behind `--- a/`; empty for no file. */
function nameOf(text: string): string {
	const name = unquote(text);
	return name === '/dev/null' ? '' : name.replace(/^[ab]\//, '');
}

/** A line with what it hides in sight: `^[` for escape, `<U+202E>` for what reorders or is not seen. */
function visible(text: string): string {
	if (!holdsControl(text)) {
		return escapeControls(text);
	}

	const bytes = text.replaceAll(eachTextControl, control =>
		control < '\u0080' ? caret(control) : `<${codeName(control.codePointAt(0)!)}>`,
	);
	return escapeControls(markHidden(bytes, codePoint => `<${codeName(codePoint)}>`));
}

/** Many lines with what they hide in sight. Each by itself: what begins a terminal's string in one of them takes nothing of the others away. */
export function visibleText(text: string): string {
	return text
		.split('\n')
		.map(line => visible(line))
		.join('\n');
}

/** Whether a text holds what would steer a terminal, reorder what is read, or not be seen. */
export function holdsControl(text: string): boolean {
	return anyTextControl.test(text.replace(/\r$/, '')) || holdsHidden(text);
}

type Open = {
	path: string;
	oldPath: string;
	status: FileStatus;
	oldMode: string;
	newMode: string;
	binary: boolean;
	digest: string;
	hunks: Array<{header: string; lines: DiffLine[]}>;
	added: number;
	removed: number;
};

/**
 * Reads a line of a file's header into what is known of it.
 * @returns false where it is none
 */
function readHeader(file: Open, line: string): boolean {
	const match =
		/^(new file mode|deleted file mode|old mode|new mode|rename from|rename to|copy from|copy to|index|---|\+\+\+|Binary files) ?(.*)$/.exec(
			line,
		);
	switch (match?.[1]) {
		case 'new file mode': {
			file.status = 'added';
			file.newMode = match[2]!;
			break;
		}

		case 'deleted file mode': {
			file.status = 'deleted';
			file.oldMode = match[2]!;
			break;
		}

		case 'old mode': {
			file.oldMode = match[2]!;
			break;
		}

		case 'new mode': {
			file.newMode = match[2]!;
			break;
		}

		case 'rename from':
		case 'copy from': {
			file.status = match[1] === 'rename from' ? 'renamed' : 'copied';
			file.oldPath = unquote(match[2]!);
			break;
		}

		case 'rename to':
		case 'copy to': {
			file.path = unquote(match[2]!);
			break;
		}

		case 'index': {
			const [range = '', mode = ''] = match[2]!.split(' ');
			file.digest = range;
			file.oldMode ||= file.status === 'added' ? '' : mode;
			file.newMode ||= file.status === 'deleted' ? '' : mode;
			break;
		}

		case '---': {
			file.oldPath = nameOf(match[2]!) || file.oldPath;
			break;
		}

		case '+++': {
			file.path = nameOf(match[2]!) || file.oldPath;
			break;
		}

		case 'Binary files': {
			file.binary = true;
			break;
		}

		default: {
			return false;
		}
	}

	return true;
}

/** A line of a hunk. @param numbers on either side, where it is there */
function readLine(
	kind: DiffLine['kind'],
	content: string,
	numbers: {readonly old: number; readonly new: number},
): DiffLine {
	const text = content.replace(/\r$/, '');
	// The mark of Unicode at the very beginning of a file is shown, and is no alarm.
	const isFirst = (kind === '-' ? numbers.old : numbers.new) === 1;
	return {
		kind,
		text: visible(text),
		old: kind === '+' ? undefined : numbers.old,
		new: kind === '-' ? undefined : numbers.new,
		control: holdsControl(isFirst ? content.replace(/^\uFEFF/, '') : content),
		...(text.includes('\t') ? {raw: text} : {}),
		...(content.endsWith('\r') ? {cr: true} : {}),
	};
}

/**
 * Reads a unified diff as git writes it. Total: what is not understood is passed over, and a hunk ends where its header
 * says. The text is untrusted; lines and names come out escaped.
 */
export function parseDiff(text: string): DiffFile[] {
	const files: Open[] = [];
	let file: Open | undefined;
	let oldLeft = 0;
	let newLeft = 0;
	let oldLine = 0;
	let newLine = 0;
	for (const line of text.split('\n')) {
		const hunk = file?.hunks.at(-1);
		if (file && hunk && (oldLeft > 0 || newLeft > 0)) {
			const kind = line[0] ?? ' ';
			if (kind === '+' || kind === '-' || kind === ' ') {
				hunk.lines.push(readLine(kind, line.slice(1), {old: oldLine, new: newLine}));
				oldLeft -= kind === '+' ? 0 : 1;
				newLeft -= kind === '-' ? 0 : 1;
				oldLine += kind === '+' ? 0 : 1;
				newLine += kind === '-' ? 0 : 1;
				file.added += kind === '+' ? 1 : 0;
				file.removed += kind === '-' ? 1 : 0;
				continue;
			}
		}

		if (line.startsWith('\\') && hunk && hunk.lines.length > 0) {
			hunk.lines.push({...hunk.lines.pop()!, open: true});
			continue;
		}

		if (line.startsWith('diff --git ')) {
			// The names are in the lines that follow, but for a file whose
			// mode alone changed, or that is empty: there both are the same.
			const rest = line.slice('diff --git '.length);
			const name = nameOf(rest.slice(0, (rest.length - 1) / 2));
			file = {
				path: name,
				oldPath: name,
				status: 'modified',
				oldMode: '',
				newMode: '',
				binary: false,
				digest: '',
				hunks: [],
				added: 0,
				removed: 0,
			};
			files.push(file);
			oldLeft = 0;
			newLeft = 0;
			continue;
		}

		if (!file) {
			continue;
		}

		if (readHeader(file, line)) {
			continue;
		}

		const at = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
		if (at) {
			oldLine = Number(at[1]);
			oldLeft = Number(at[2] ?? 1);
			newLine = Number(at[3]);
			newLeft = Number(at[4] ?? 1);
			file.hunks.push({header: escapeControls(line), lines: []});
		}
	}

	return joinTypes(files).map(file => ({...file, digest: digestOf(file)}));
}

/** A file that became a link, or the like, is written as one that is gone and one that came: it is one file. */
function joinTypes(files: readonly Open[]): Open[] {
	const joined: Open[] = [];
	for (const file of files) {
		const before = joined.at(-1);
		if (before?.status === 'deleted' && file.status === 'added' && before.path === file.path) {
			joined[joined.length - 1] = {
				...file,
				status: 'modified',
				oldMode: before.oldMode,
				binary: before.binary || file.binary,
				digest: `${before.digest} ${file.digest}`,
				hunks: [...before.hunks, ...file.hunks],
				removed: before.removed,
			};
		} else {
			joined.push(file);
		}
	}

	return joined;
}

/** Of a file with another name, its old one is a part: where no line changed, git names no content. */
function digestOf({digest, oldMode, newMode, path, oldPath}: Open): string {
	return [digest, oldMode, newMode, path, ...(oldPath === path ? [] : [oldPath])].join(' ');
}
