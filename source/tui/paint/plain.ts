/** ASCII, and the marks that this screen draws. */
const plain = /^[ -~\u00B7\u00D7‘’“”…←-↓─-╿█░-▓▌▸▾◂○●◆‖⊘✓✔✗✘⏎‹›–—]*$/;

/** Whether each character of a text is one cell, one UTF-16 unit and one grapheme. */
export function isPlain(text: string): boolean {
	return plain.test(text);
}
