import stringWidth from 'string-width';
import {sliceSpans, type Span} from '../../core/text/spans.ts';
import {isPlain} from './plain.ts';

/** Terminal cells of a text; plain text takes the short way. */
export function widthOf(text: string): number {
	return isPlain(text) ? text.length : stringWidth(text);
}

/** The longest beginning of a text that is at most `width` cells wide. */
function cut(text: string, width: number): {text: string; width: number} {
	if (isPlain(text)) {
		const kept = text.slice(0, Math.max(0, width));
		return {text: kept, width: kept.length};
	}

	let kept = '';
	let used = 0;
	for (const {segment} of new Intl.Segmenter().segment(text)) {
		const size = stringWidth(segment);
		if (used + size > width) {
			break;
		}

		kept += segment;
		used += size;
	}

	return {text: kept, width: used};
}

/** Cuts or fills a text to an exact number of terminal cells. */
export function fit(text: string, width: number): string {
	if (width <= 0) {
		return '';
	}

	const own = widthOf(text);
	if (own <= width) {
		return text + ' '.repeat(width - own);
	}

	const kept = cut(text, width - 1);
	return `${kept.text}…${' '.repeat(width - 1 - kept.width)}`;
}

/** The same for spans; what is filled in looks like `filler`. */
export function fitSpans(spans: readonly Span[], width: number, filler: Omit<Span, 'text'> = {}): Span[] {
	const result: Span[] = [];
	let left = width;
	for (const [index, span] of spans.entries()) {
		const own = widthOf(span.text);
		const last = index === spans.length - 1;
		if (own < left || (own === left && last)) {
			result.push(span);
			left -= own;
			continue;
		}

		if (left > 0) {
			const kept = cut(span.text, left - 1);
			result.push({...span, text: `${kept.text}…${' '.repeat(left - 1 - kept.width)}`});
			left = 0;
		}

		break;
	}

	if (left > 0) {
		result.push({...filler, text: ' '.repeat(left)});
	}

	return result;
}

/** UTF-16 units that are read for one row: a text of zero-width characters alone would never fill it. */
const chunkLength = (width: number) => 8 * width + 64;

/** Where the rows of a text begin that is at most `width` cells wide, in UTF-16 units: at least one row. */
export function breaksOf(text: string, width: number): number[] {
	const breaks = [0];
	let left = width;
	for (let at = 0; at < text.length;) {
		let kept = cut(text.slice(at, at + chunkLength(width)), left);
		if (kept.text === '' && left === width) {
			// One character that is wider than a whole line: taken as full, or the loop would never end.
			kept = {text: String.fromCodePoint(text.codePointAt(at)!), width: left};
		}

		at += kept.text.length;
		left -= kept.width;
		if (at < text.length && (kept.text === '' || left <= 0 || kept.text.length < chunkLength(width))) {
			breaks.push(at);
			left = width;
		}
	}

	return breaks;
}

/** A line as rows of at most `width` cells each: at least one. */
export function wrapSpans(spans: readonly Span[], width: number): Span[][] {
	const text = spans.map(span => span.text).join('');
	const breaks = breaksOf(text, width);
	return breaks.map((from, index) => sliceSpans(spans, from, breaks[index + 1] ?? text.length));
}

/** The same, broken between words where there is one in the row; a blank stays at the end of its row. */
export function wrapWords(spans: readonly Span[], width: number): Span[][] {
	const text = spans.map(span => span.text).join('');
	const rows: Span[][] = [];
	for (let from = 0; from < text.length || rows.length === 0;) {
		const hard = breaksOf(text.slice(from, from + chunkLength(width)), width)[1];
		const edge = hard === undefined ? text.length : from + hard;
		const blank = edge === text.length ? -1 : text.lastIndexOf(' ', edge);
		const to = blank > from ? Math.min(edge, blank + 1) : edge;
		rows.push(sliceSpans(spans, from, to));
		from = to;
	}

	return rows;
}

/** What stands where the end of a line is not shown: how many cells there are more. */
export function tailMark(text: string, shown: number): string {
	return `…+${widthOf(text) - shown}`;
}

/** Cuts a line to a width with its hidden end counted; fills a shorter one. */
export function fitTail(spans: readonly Span[], width: number, filler: Omit<Span, 'text'> = {}): Span[] {
	const text = spans.map(span => span.text).join('');
	if (widthOf(text) <= width) {
		return fitSpans(spans, width, filler);
	}

	// The mark takes room itself, which may make its number longer.
	let size = 3;
	while (size < width && tailMark(text, width - size).length > size) {
		size++;
	}

	const room = Math.max(0, width - size);
	const mark = tailMark(text, room);
	return fitSpans(
		[...sliceSpans(spans, 0, cut(text, room).text.length), {text: mark, tone: 'warn', bold: true}],
		width,
		filler,
	);
}

/** A name with its middle left out where it is too long: its beginning and its end are what it is known by. */
export function fitMiddle(text: string, width: number): string {
	if (widthOf(text) <= width || width < 8) {
		return text;
	}

	const characters = [...text];
	const side = Math.floor((width - 8) / 2);
	let [from, to] = ['', ''];
	for (let at = 0; widthOf(from + characters[at]!) <= side; at++) {
		from += characters[at]!;
	}

	for (let at = characters.length - 1; widthOf(characters[at]! + to) <= side; at--) {
		to = characters[at]! + to;
	}

	return `${from}…+${widthOf(text) - widthOf(from) - widthOf(to)}…${to}`;
}
