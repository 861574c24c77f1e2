import process from 'node:process';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Context} from '../engine/context.ts';
import {othersThatWrite, type FilesPlace} from '../engine/grants/files.ts';

/**
 * What a person should know of a folder that was just granted: where
 * a link led, who else may write there, and whose files they are.
 */
export function filesNotes(
	context: Context,
	files: FilesPlace | undefined,
	{typed, run}: {readonly typed: string; readonly run: string},
): string {
	if (!files) {
		return '';
	}

	const plain = typed.replaceAll(/\/+/g, '/').replace(/\/(?=(?::rw)?$)/, '');
	const leads =
		plain === files.scope ? '' : `  ${escapeLine(typed)} leads to ${files.path}, and that is what is granted\n`;
	const others = othersThatWrite(context, files, run);
	const shared =
		others.length === 0
			? ''
			: `  note: it is shared with ${others.slice(0, 5).join(', ')}: what one of them writes there, another reads\n`;
	// Root's runs drop to a uid of their own, which owns nothing of root's.
	const owner =
		process.getuid?.() === 0
			? "  note: root's runs have a uid of their own: they read and change there what everybody may\n"
			: '';
	return leads + shared + owner;
}
