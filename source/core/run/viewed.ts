/** Files of a change, and how many of them nobody marked as viewed, as they are now. */
export type Viewed = {
	readonly files: number;
	readonly unviewed: number;
	/** How many were marked with others by one key; undefined for none. */
	readonly atOnce?: number;
};

/** How many files were marked as viewed by one key, in words; empty for none. */
export function atOnceText({atOnce = 0}: Viewed): string {
	return atOnce === 0 ? '' : `${atOnce} ${atOnce === 1 ? 'file' : 'files'} marked viewed at once`;
}

/** How much was viewed, in words; empty where it is not known. */
export function viewedText(viewed: Viewed | undefined): string {
	if (viewed === undefined) {
		return '';
	}

	if (viewed.files === 0) {
		return 'no file was changed';
	}

	const share =
		viewed.unviewed === 0
			? `${viewed.files === 1 ? 'the one file' : `all ${viewed.files} files`} viewed`
			: `${viewed.unviewed} of ${viewed.files} ${viewed.files === 1 ? 'file' : 'files'} not viewed`;
	return [share, atOnceText(viewed)].filter(text => text !== '').join(', ');
}
