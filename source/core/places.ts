import {isUnreadable} from './text/controls.ts';

/* Paths as text: absolute, resolved, without a slash at the end. */

/** Whether a path cannot be told by reading it (see `isUnreadable`), or is not what stands there: Node writes U+FFFD for what is not UTF-8. */
export function isOdd(place: string): boolean {
	return isUnreadable(place) || place.includes('\uFFFD');
}

/** Whether a place is another or lies below it. */
export function isWithin(place: string, folder: string): boolean {
	return place === folder || place.startsWith(folder === '/' ? '/' : `${folder}/`);
}
