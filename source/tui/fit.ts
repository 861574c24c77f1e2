import stringWidth from 'string-width';
import type {Span} from '../core/spans.ts';

/** ASCII, and the marks that this screen draws: one cell each, one UTF-16 unit each. */
const plain = /^[ -~\u00B7\u00D7‘’“”…←-↓─-╿█░-▓▌▸▾◂✔✘⏎‹›–—]*$/;

/** Terminal cells of a text; plain text takes the short way. */
export function widthOf(text: string): number {
	return plain.test(text) ? text.length : stringWidth(text);
}

/** The longest beginning of a text that is at most `width` cells wide. */
function cut(text: string, width: number): {text: string; width: number} {
	if (plain.test(text)) {
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

/** A line in pieces of at most `width` cells each: at least one. */
export function wrapSpans(spans: readonly Span[], width: number): Span[][] {
	const rows: Span[][] = [[]];
	let left = width;
	for (const span of spans) {
		let rest = span.text;
		while (rest !== '') {
			let kept = cut(rest, left);
			if (kept.text === '' && left === width) {
				// Wider than a whole line; it must not stop the others.
				kept = {text: rest.slice(0, 1), width: left};
			}

			if (kept.text !== '') {
				rows.at(-1)!.push({...span, text: kept.text});
				rest = rest.slice(kept.text.length);
				left -= kept.width;
			}

			if (rest !== '') {
				rows.push([]);
				left = width;
			}
		}
	}

	return rows;
}
