import type {Span} from '../../core/text/spans.ts';
import type {Line} from './line.ts';

/** A line that divides: `─ title ───── right ─`, exactly so many cells. Titles are plain text. */
function ruleText(title: string, right: string, width: number): {readonly left: string; readonly fill: string} {
	const left = `─ ${title} `;
	const end = right === '' ? '' : ` ${right}─`;
	return {left, fill: '─'.repeat(Math.max(0, width - left.length - end.length)) + end};
}

/** A line that divides, with its title. */
export function rule(title: readonly Span[], right: string, width: number): Line {
	const text = title.map(span => span.text).join('');
	const {left, fill} = ruleText(text, right, width);
	return {
		exact: left.length + fill.length === width,
		spans: [{text: '─ ', tone: 'quiet'}, ...title, {text: ` ${fill}`, tone: 'quiet'}],
	};
}
