/** A text as a block that nothing in it can end: its fence is longer than any row of backticks in it. */
export function fenced(text: string): string {
	const rows = text.match(/`{3,}/g) ?? [];
	const fence = '`'.repeat(Math.max(3, ...rows.map(({length}) => length + 1)));
	return `${fence}\n${text}\n${fence}`;
}
