import {isPlain} from '../paint/plain.ts';

/**
 * What is loaded in the place of `string-width`, by the build. That package makes a segmenter and a large expression
 * of all emoji when it is loaded, which takes as long as half of all else before the first frame; plain text needs
 * neither. So the package is loaded with the first text that is not plain.
 */
export default function stringWidth(text: string, options?: object): number {
	const bare = text.includes('\u001B') ? text.replaceAll(/\u001B\[[\d;]*m/g, '') : text;
	return !options && isPlain(bare)
		? bare.length
		: // Bundled as any other import, but run at the first call: there is no such import that does not have to be awaited.
			(require('string-width') as typeof import('string-width')).default(text, options);
}
